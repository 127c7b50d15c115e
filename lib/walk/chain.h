/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_CHAIN_H
#define WALK_CHAIN_H

#include "walk/chunks.h"

/*
 * What the parts of the walk of chunks share: window.c counts, chunks.c goes from
 * header to header, pieces.c looks for where a chain may begin.  For them alone.
 */

/* ---- window.c ---- */

/* The next mark is the one of that index. */
void chain_set_mark(struct chunk_walk *walk, size_t index);

/* The same, going back: what was met from there on was no chunk of ours. */
void chain_unmeet(struct chunk_walk *walk, size_t index);

/* Through the headers that the window holds, which has walk->at. */
void chain_run(struct chunk_walk *walk);

/* The same for two in turn, until one of them leaves its window. */
void chain_run_two(struct chunk_walk *one, struct chunk_walk *other);

/* The chunk in front of walk->at, if there is one: its state is known now. */
bool chain_count_last(struct chunk_walk *walk, unsigned int in_use, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The chain ends, or breaks. */
bool chain_close(struct chunk_walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Chunks that were counted by size: into the tally, or nowhere. */
void chain_tally_met(struct chunk_walk *walk);
void chain_forget_met(struct chunk_walk *walk);

/* ---- chunks.c ---- */

/* After chain_run(): keeps what the reader may forget when it goes on. */
bool chain_leave_window(struct chunk_walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/* walk->at is the limit: top, or the end of what is walked. */
bool chain_arrive(struct chunk_walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * What main got in one piece ends in two fenceposts, or in three: where 48 bytes of
 * top were left, sysmalloc() keeps 16 of them as a chunk that nobody frees.  `word` is
 * the header at walk->at; *ret: their bytes, 0 when there are none.
 */
bool chain_measure_fence(struct chunk_walk *walk, uint64_t word, uint64_t *ret,
			 struct ari_error *err) __attribute__((warn_unused_result));

/* Bytes from walk->at on that are neither a chunk's nor anybody else's. */
bool chain_pass_overhead(struct chunk_walk *walk, uint64_t bytes, struct ari_error *err)
	__attribute__((warn_unused_result));

/* ---- pieces.c ---- */

/*
 * Pieces that mmap gave where brk failed: nothing links them, but the kernel puts
 * them side by side.  What does not prove to be one is not malloc's, or is not
 * told from it.
 */
bool chain_walk_pieces(struct chunk_walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
