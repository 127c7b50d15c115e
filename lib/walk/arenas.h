/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ARENAS_H
#define WALK_ARENAS_H

#include "mem/view.h"
#include "walk/walk.h"

/* No process has more threads: the kernel's PID_MAX_LIMIT. */
#define ARENA_THREADS_MAX ((uint64_t)1 << 22)

/* The malloc_state at one moment. */
struct arena_state {
	uint64_t address;
	uint64_t mutex, flags, top, system_mem;
};

/*
 * Fills arena->heaps of a thread's arena, oldest first, from the heap of its top
 * down the chain.  A chain that is not one is recorded as damage.
 */
bool walk_heaps(struct walk *walk, const struct arena_state *state,
		struct ari_arena *arena, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The same for main: the segments it has from brk and, failing that, mmap. */
bool walk_segments(struct walk *walk, const struct view *view,
		   const struct arena_state *state, struct ari_arena *arena,
		   struct ari_error *err) __attribute__((warn_unused_result));

/* top's size from its header, into arena->top. */
bool walk_top(struct walk *walk, const struct arena_state *state, struct ari_arena *arena,
	      struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The headers of one arena, whose index and address are set: its malloc_state,
 * read once, its top and its heaps.  What it cannot read is damage, and then its
 * state is ARI_STATE_TORN at once.
 */
bool arena_begin(struct walk *walk, struct ari_arena *arena, struct view *ret_view,
		 struct arena_state *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Reads the malloc_state again and judges what was read in between. */
bool arena_end(struct walk *walk, struct ari_arena *arena,
	       const struct arena_state *before, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Whether the address is where a thread's arena can be, behind the header of a heap,
 * and that header names it.
 */
bool arena_is(struct walk *walk, uint64_t address, bool *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* A little time for an arena that moves, more with every attempt. */
void arena_pause(unsigned int attempt);

/* Where brk ends, a page's address; 0: the process has none, or it is not told. */
uint64_t walk_brk_end(const struct walk *walk);

/* Does malloc_trim() pass the arena over (glibc's ARENA_CORRUPTION_BIT)? */
static inline bool arena_is_corrupt(const struct walk *walk,
				    const struct arena_state *state)
{
	return walk->layout->traits[TRAIT_CORRUPT_FLAG] && (state->flags & 4) != 0;
}

/* Is the arena's memory not one piece of brk (glibc's NONCONTIGUOUS_BIT)? */
static inline bool arena_is_noncontiguous(const struct arena_state *state)
{
	return (state->flags & 2) != 0;
}

#endif
