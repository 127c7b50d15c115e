/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_DTV_H
#define WALK_DTV_H

#include "walk/threads.h"

/*
 * A thread's dtv (glibc's dtv_t) leads to its blocks of thread-local variables, one of
 * each module.  Those of the modules that were loaded at the start lie at the same
 * distance from the thread pointer in all threads.
 */

/* Distances from the thread pointer; blocks of the threads begin there. */
struct blocks {
	ARI_LIST(int64_t) list;
};

/*
 * The distances of the blocks of one thread; what is no dtv has none.  err: not a
 * fault.
 */
bool dtv_blocks(struct walk *walk, uint64_t pointer, struct blocks *blocks,
		struct ari_error *err) __attribute__((warn_unused_result));

/*
 * pointers[i] of those threads that have a struct pthread: its address, or on machines
 * of variant I where it ends, which a dtv is known by that leads behind it.
 */
bool dtv_pointers(struct walk *walk, uint64_t *pointers, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
