/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MARKS_H
#define WALK_MARKS_H

#include "arenainspect.h"
#include "base/clock.h"
#include "layout/layout.h"
#include "mem/peek.h"
#include "mem/view.h"

/*
 * Chunks that lists of an arena, or threads' caches, name.  A list may lie, or have
 * changed: a mark is believed only where the walk of the heap meets such a chunk.
 */

enum mark_list { MARK_FAST, MARK_UNSORTED, MARK_BINNED, MARK_TCACHE };

struct mark {
	uint64_t address; /* of the chunk */
	uint64_t bytes;	  /* what its header said */
	enum mark_list list;
	unsigned int index : 31; /* of the fastbin or bin; of a cache, its thread's row */
	bool met : 1;		 /* in a thread's cache, as the walk has found */
};

/* Sorted by address, each address once. */
struct marks {
	ARI_LIST(struct mark) list;
	uint64_t astray; /* where a list stopped being one; 0: none did */
	bool unread;	 /* a list leads onto a page that is not read */
	bool cut; /* the lists have more than bounds.marks: the rest is not in it */
};

/* How far lists are followed. */
struct marks_bounds {
	uint64_t chunks; /* that there can be in the arena: a list with more is none */
	uint64_t marks;	 /* of all lists, with 24 bytes of ours for each */
	struct deadline deadline;
};

/* What is kept of an arena: all free chunks of half a GiB, were they the smallest. */
#define MARKS_MOST ((uint64_t)1 << 24)

/*
 * The members of the fastbins and of the unsorted bin.  state is the arena's
 * malloc_state.
 */
bool marks_read(struct peek *peek, const struct view *state,
		const struct marks_bounds *bounds, struct marks *ret,
		struct ari_error *err) __attribute__((warn_unused_result));

/* The members of all other bins too, for a walk that lost its way. */
bool marks_read_bins(struct peek *peek, const struct view *state,
		     const struct marks_bounds *bounds, struct marks *ret,
		     struct ari_error *err) __attribute__((warn_unused_result));

/* Adds marks that are in the same order; an address that has one keeps it. */
bool marks_merge(struct marks *marks, const struct mark *more, size_t count,
		 struct ari_error *err) __attribute__((warn_unused_result));

/* Sorts; of an address named twice one mark is kept. */
void marks_sort(struct marks *marks);

void marks_done(struct marks *marks);

#endif
