/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_THREADS_H
#define WALK_THREADS_H

#include "base/set.h"
#include "walk/walk.h"

/* What is known of a thread before its memory is looked at. */
struct thread_clue {
	uint64_t tid, ns_tid; /* ARI_UNKNOWN: not told */
	/*
	 * Its list of robust futexes, which a thread of glibc has in its struct pthread;
	 * 0: none; ARI_UNKNOWN: the kernel does not say.
	 */
	uint64_t robust_head;
	uint64_t pointer; /* its thread pointer, by a core's registers; 0: not told */
	bool ended;	  /* listed by the kernel, and only for others to wait for it */
	const char *name; /* NULL: not known */
};

/* And what of all of them.  Zeroed is "nothing". */
struct thread_clues {
	ARI_LIST(struct thread_clue) list;
	/*
	 * The heads of nptl's lists of stacks, those it made and those it was given
	 * (the first thread's among them); 0: not known.
	 */
	uint64_t stacks[2];
	uint64_t tls_bytes; /* of libc's block of thread-local variables; 0: not known */
};

/* ---- where a thread's struct pthread is (pthreads.c) ---- */

/*
 * Whether the struct pthread of the thread with this id in its own namespace is at an
 * address; ARI_MAYBE: it cannot be read.  An id that is not known is not compared.
 * err: not a fault.
 */
bool pthread_check(struct walk *walk, uint64_t address, uint64_t ns_tid,
		   enum ari_yesno *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The id of its thread, as it has it itself; err: also a fault. */
bool pthread_tid(struct walk *walk, uint64_t address, int32_t *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Fills in pthread of those walk->threads that have none, from nptl's lists.  *ret is
 * whether both were there and came back to their heads: who is on none of them then
 * was not made by glibc.
 */
bool pthreads_from_lists(struct walk *walk, const uint64_t stacks[2], bool *ret,
			 struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The same by what a struct pthread looks like, in the writable memory that is present
 * and no heap's.  A single thread of which nothing but the one struct pthread there is
 * can be meant gets it whatever its id: before 2.34 (glibc 5920a4a624 moved nptl into
 * libc) a program without threads did not fill in the id.  *ret: all was searched.
 */
bool pthreads_by_search(struct walk *walk, bool *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* ---- what its thread-local variables say (tls.c) ---- */

/*
 * Fills in arena and tcache of walk->threads, as far as they have a pthread, or
 * pointers[i], a thread pointer (0: none; filled in from the pthread).
 *
 * Each thread has libc's variables at the same distance from its thread pointer.  Where
 * that is: by symbols, in one of the blocks that the threads' dtv names; without
 * symbols, where (nearly) all threads hold an arena or nothing.  arenas: the set of
 * those known.  A tcache is known by its chunk's size, 0 where there is none.
 */
bool tls_read(struct walk *walk, const struct thread_clues *clues,
	      const struct set *arenas, uint64_t *pointers, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
