/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_RUNS_H
#define WALK_RUNS_H

#include "mem/reader.h"

/*
 * The pages of one segment as runs: the books tell what the bytes are, in order of
 * address, and the reader in which states it found the pages.
 */

/* In all heaps of a process, and in the lists of one: 64 MiB of our memory. */
#define RUNS_MOST ((uint64_t)1 << 22)

struct runs {
	uint64_t page; /* bytes of one */
	uint64_t at;   /* what lies below is told */
	/* of the page that `at` is in: bytes told, by class */
	uint64_t bytes[ARI_PAGE_FREE];
	/* What the pages below are, as if all of them were resident. */
	ARI_LIST(struct ari_page_run) list;
	bool over; /* more than RUNS_MOST: there is no list */
};

/* A segment's pages from `from` on; its list is used again. */
void runs_begin(struct runs *runs, uint64_t from, uint64_t page);
void runs_done(struct runs *runs);

/*
 * The bytes [from, to) are of a class, one of the resident ones; those between them and
 * what was told before are unwalked, and what lies below that is passed over.  Pages are
 * trimmable as a whole.
 */
bool runs_tell(struct runs *runs, uint64_t from, uint64_t to, enum ari_page_state class,
	       struct ari_error *err) __attribute__((warn_unused_result));

/* How the states of pages are to be understood, in all of the segment. */
struct runs_view {
	bool resident_known; /* every page tells whether it is in RSS */
	bool trim_known;     /* it is known what is locked */
	bool hugetlb;	     /* pages that are not in RSS are those of a pool */
};

/*
 * Adds to an empty list what becomes of both.  `kept` is the reader's list for the same
 * segment, told to its end.  *ret stays unknown where there are too many.
 */
bool runs_fill(struct runs *runs, const struct reader_kept *kept,
	       const struct runs_view *view, struct ari_heap *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
