/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_WALK_H
#define WALK_WALK_H

#include "base/clock.h"
#include "layout/layout.h"
#include "layout/symbols.h"
#include "mem/mem.h"
#include "model/model.h"
#include "target/locked.h"

struct tcaches; /* walk/tcache.h */

struct ring_break {
	bool found;
	uint64_t arena; /* index of the last that it led to */
	enum damage id;
	uint64_t address;
};

/* What is known of a thread's place in malloc; addresses of the target. */
struct thread_place {
	uint64_t tid, ns_tid;
	uint64_t pthread; /* struct pthread; 0: not made by glibc, or not found */
	uint64_t arena;	  /* thread_arena: malloc_state; 0: none; ARI_UNKNOWN */
	/* tcache_perthread_struct; 0: none (also the shared dummy); ARI_UNKNOWN */
	uint64_t tcache;
};

/*
 * Walks read the target's malloc into the model.  They end, whatever the bytes
 * are; what is odd becomes damage of the arena it is found in.  False means that
 * nothing more can be read at all: ARI_GONE, ARI_DENIED, ARI_TIMED_OUT,
 * ARI_NO_MEMORY, or where it is said ARI_UNSTABLE.
 */
struct walk {
	struct mem *mem;
	const struct layout *layout;
	const struct symbols *symbols;
	struct deadline deadline;
	struct ari_model *model;
	struct ring_break ring_break;
	uint64_t heap_span; /* bytes a heap of a thread's arena reserves, its alignment */
	uint64_t sbrk_base; /* where main's memory starts; 0: nowhere yet */
	/* Attempts at an arena's headers while it moves; 0: one, more follow. */
	unsigned int tries;
	/* As the target counts them, for the limit of arenas; 0: not known. */
	uint64_t processors;
	/* What malloc_trim() cannot give back; NULL: that could not be read. */
	const struct locked *locked;
	/* What threads cache, for walk_depth(); NULL: that is not known. */
	const struct tcaches *tcaches;
	unsigned int pins; /* to be found in each heap */
	bool runs;	   /* of the pages of each heap, at most RUNS_MOST in all */
	uint64_t runs_made;
	bool runs_refused; /* some heap has none, since there were too many */
	unsigned int jobs; /* workers for walk_depth(); 0: one for each processor */
	/* Members of an arena's lists that are told from other chunks; 0: MARKS_MOST */
	uint64_t marks_most;
	/* Of walk_threads(), one for each of model->threads; free with list_done(). */
	ARI_LIST(struct thread_place) threads;
	bool first_ended; /* the first thread, before the others */
};

/*
 * mp_ into model->settings and the totals of mmapped chunks; sets heap_span and
 * sbrk_base.  First of all walks.  ARI_UNSTABLE when mp_ cannot be read.
 */
bool walk_settings(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The totals of mmapped chunks alone, anew. */
bool walk_count_mmapped(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The ring of arenas, each with its heaps: fills model->arenas but for what
 * chunks say.  ARI_UNSTABLE when main_arena cannot be read.
 */
bool walk_arenas(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

struct thread_clues; /* walk/threads.h */

/*
 * Every thread: walk->threads, and its row in model->threads (but for what its cache
 * holds).  After walk_arenas(), before walk_depth().
 */
bool walk_threads(struct walk *walk, const struct thread_clues *clues,
		  struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Every chunk of the arenas that walk_arenas() found, which are read anew for it:
 * their books, bins, sizes and the residency of their heaps.  An arena that does
 * not come to rest is torn, and the others are right all the same.
 */
bool walk_depth(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Holds the threads against attached_threads, and notes what differs and why; a
 * release that does not count them gets the count from us.  After walk_threads() and
 * the last reading of the arenas.
 */
bool walk_attached(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/* How many arenas there may be; after walk_arenas(). */
bool walk_limit(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * What concerns all arenas: a ring that breaks off is damage of the last arena it
 * led to, and the list of free arenas is held against attached_threads.  Last of
 * all walks, since each reading of an arena starts its damage anew.
 */
bool walk_finish(struct walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
