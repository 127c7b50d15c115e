// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "base/set.h"
#include "model/model.h"
#include "walk/arenas.h"
#include "walk/chunk.h"
#include "walk/marks.h"

/* Records damage; true, since the walk of others goes on. */
static bool odd(struct ari_arena *arena, enum damage id, uint64_t address,
		struct ari_error *err)
{
	return model_add_damage(arena, id, address, err);
}

/* A fault is damage; anything else ends the walk. */
static bool odd_fault(struct ari_arena *arena, enum damage id, struct ari_error *err)
{
	return mem_is_fault(err) && odd(arena, id, err->address, err);
}

bool walk_top(struct walk *walk, const struct arena_state *state, struct ari_arena *arena,
	      struct ari_error *err)
{
	const struct layout *layout = walk->layout;
	uint64_t bins = state->address + layout->members[MS_BINS].offset;
	uint64_t word;

	/* Before the first request top is the unsorted bin, and has no size. */
	if (state->top == 0 || state->top == bins - layout->members[MC_FD].offset) {
		arena->top.bytes = 0;
		return true;
	}
	if (state->top % CHUNK_ALIGN != 0)
		return odd(arena, TOP_ASTRAY, state->top, err);
	if (!mem_read_word(walk->mem, state->top + layout->members[MC_SIZE].offset, &word,
			   err)) {
		/* In swap it is no damage, only not known. */
		if (err->code == ARI_SWAPPED) {
			arena->top.address = state->top;
			return true;
		}
		return odd_fault(arena, TOP_ASTRAY, err);
	}
	word &= ~(uint64_t)CHUNK_FLAGS;
	if (word < CHUNK_MIN || word % CHUNK_ALIGN != 0 ||
	    !maps_covers(walk->mem->maps, state->top, word, MAP_READ | MAP_WRITE))
		return odd(arena, TOP_SIZE_IMPOSSIBLE, state->top, err);
	arena->top.address = state->top;
	arena->top.bytes = word;
	return true;
}

/* One heap_info, checked against what the kernel has mapped. */
static bool take_heap(struct walk *walk, const struct view *info, struct ari_arena *arena,
		      struct ari_error *err)
{
	uint64_t size = view_word(info, HI_SIZE);
	uint64_t mprotect_size = view_word(info, HI_MPROTECT_SIZE);
	struct ari_heap *heap;

	if (size > mprotect_size || mprotect_size > walk->heap_span || size == 0 ||
	    !maps_covers(walk->mem->maps, info->address, mprotect_size, 0))
		return odd(arena, HEAP_SIZE_IMPOSSIBLE, info->address, err);
	heap = model_add_heap(arena, err);
	if (heap == NULL)
		return false;
	heap->address = info->address;
	heap->bytes = size;
	heap->mprotect_bytes = mprotect_size;
	heap->span_bytes = walk->heap_span;
	return true;
}

static void reverse(struct ari_arena *arena)
{
	for (size_t i = 0, j = arena->heaps.count; i + 1 < j; i++) {
		struct ari_heap heap = arena->heaps.at[i];

		arena->heaps.at[i] = arena->heaps.at[--j];
		arena->heaps.at[j] = heap;
	}
}

static bool follow_chain(struct walk *walk, const struct arena_state *state,
			 struct ari_arena *arena, struct set *seen, struct ari_error *err)
{
	size_t possible = maps_spans(walk->mem->maps, walk->heap_span);
	uint64_t address = state->top & ~(walk->heap_span - 1);
	struct view info;

	while (address != 0) {
		if (seen->count == possible)
			return odd(arena, HEAP_CHAIN_TOO_LONG, address, err);
		if (address % walk->heap_span != 0)
			return odd(arena, HEAP_CHAIN_ASTRAY, address, err);
		if (set_find(seen, address, NULL))
			return odd(arena, HEAP_CHAIN_LOOPS, address, err);
		if (!set_add(seen, address, 0, err))
			return false;
		if (!view_load(&info, walk->mem, walk->layout, HEAP_INFO, address, err))
			return odd_fault(arena, HEAP_UNREADABLE, err);
		if (view_word(&info, HI_AR_PTR) != state->address)
			return odd(arena, HEAP_OF_OTHER_ARENA, address, err);
		if (!take_heap(walk, &info, arena, err))
			return false;
		address = view_word(&info, HI_PREV);
	}
	return true;
}

bool walk_heaps(struct walk *walk, const struct arena_state *state,
		struct ari_arena *arena, struct ari_error *err)
{
	struct set seen = { 0 };
	bool done;

	arena->heaps.known = true;
	if (state->top == 0)
		return true; /* being made */
	done = follow_chain(walk, state, arena, &seen, err);
	set_done(&seen);
	reverse(arena);
	return done;
}

/* bytes ARI_UNKNOWN: how much of the mapping is malloc's is not told. */
static bool add_segment(struct ari_arena *arena, uint64_t start, uint64_t bytes,
			uint64_t mapped, struct ari_error *err)
{
	struct ari_heap *heap = model_add_heap(arena, err);

	if (heap == NULL)
		return false;
	heap->address = start;
	heap->bytes = bytes;
	heap->mprotect_bytes = mapped;
	heap->span_bytes = mapped;
	return true;
}

#define HEAP_NAME "[heap]" /* as the kernel names what brk gave */

/* Brk may be several mappings side by side, where huge pages or names split it. */
static uint64_t end_of_brk(const struct maps *maps, const struct map *map)
{
	const struct map *end = maps->list.at + maps->list.count;
	uint64_t reached = map->start;

	while (map < end && map->start == reached && (map->flags & MAP_WRITE) &&
	       strcmp(map->path, HEAP_NAME) == 0)
		reached = map++->end;
	return reached;
}

uint64_t walk_brk_end(const struct walk *walk)
{
	const struct maps *maps = walk->mem->maps;

	for (size_t i = 0; i < maps->list.count; i++)
		if (strcmp(maps->list.at[i].path, HEAP_NAME) == 0)
			return end_of_brk(maps, &maps->list.at[i]);
	return 0;
}

/* Brk may be several mappings: the one that its piece begins in stands for all. */
static const struct map *mapping_of(const struct walk *walk, uint64_t address)
{
	const struct map *map = maps_find(walk->mem->maps, address);
	const struct map *first;

	if (map == NULL || strcmp(map->path, HEAP_NAME) != 0)
		return map;
	first = maps_find(walk->mem->maps, walk->sbrk_base);
	return first != NULL && strcmp(first->path, HEAP_NAME) == 0 ? first : map;
}

/* Brk's piece begins at sbrk_base; of other mappings any part may be malloc's. */
static bool add_mapping(struct walk *walk, struct ari_arena *arena, const struct map *map,
			struct ari_error *err)
{
	bool is_brk = strcmp(map->path, HEAP_NAME) == 0;
	uint64_t start = is_brk ? walk->sbrk_base : map->start;
	uint64_t end = is_brk ? end_of_brk(walk->mem->maps, map) : map->end;

	return end <= start || add_segment(arena, start, ARI_UNKNOWN, end - start, err);
}

/* The mapping that holds address, unless it was added before or cannot be malloc's. */
static bool add_piece_of(struct walk *walk, struct ari_arena *arena, uint64_t address,
			 struct set *seen, struct ari_error *err)
{
	const struct map *map = mapping_of(walk, address);

	if (map == NULL || !(map->flags & MAP_WRITE) ||
	    (map->path[0] == '/' && !map_is_hugetlb(map)) ||
	    set_find(seen, map->start, NULL))
		return true;
	return set_add(seen, map->start, 0, err) && add_mapping(walk, arena, map, err);
}

static bool read_members(struct walk *walk, const struct view *view,
			 const struct arena_state *state, struct marks *ret,
			 struct ari_error *err)
{
	struct marks_bounds bounds = { state->system_mem / CHUNK_MIN, MARKS_MOST,
				       walk->deadline };
	struct peek peek;
	bool done;

	if (!peek_open(walk->mem, &peek, err))
		return false;
	done = marks_read_bins(&peek, view, &bounds, ret, err);
	peek_close(&peek);
	return done;
}

/* Does a mapping begin as a piece would: with a chunk of main's? */
static bool may_be_piece(struct walk *walk, const struct map *map)
{
	struct ari_error ignored;
	uint64_t word;

	return map_is_own_memory(map) && (map->flags & MAP_WRITE) &&
	       mem_read_word(walk->mem,
			     map->start + walk->layout->members[MC_SIZE].offset, &word,
			     &ignored) &&
	       (word & CHUNK_FLAGS) == CHUNK_PREV_INUSE &&
	       chunk_is_possible(word, map->start, map->end);
}

/*
 * A piece may have no free chunk that a bin leads to.  From a pool of huge pages each
 * is a mapping of its own, and may begin further in.  What is not main's does not prove
 * to be.
 */
static bool add_others(struct walk *walk, struct ari_arena *arena, struct set *seen,
		       struct ari_error *err)
{
	const struct maps *maps = walk->mem->maps;

	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		if ((map_is_hugetlb(map) || may_be_piece(walk, map)) &&
		    !add_piece_of(walk, arena, map->start, seen, err))
			return false;
	}
	return true;
}

/*
 * The mappings that are known to hold memory of a main arena in pieces: nothing links
 * them, but a free chunk in one is in a bin.  top's is the last.
 */
static bool add_pieces(struct walk *walk, const struct view *view,
		       const struct arena_state *state, struct ari_arena *arena,
		       struct ari_error *err)
{
	const struct map *last = mapping_of(walk, arena->top.address);
	struct set seen = { 0 };
	struct marks members = { 0 };
	bool done = last == NULL || set_add(&seen, last->start, 0, err);

	done = done && add_piece_of(walk, arena, walk->sbrk_base, &seen, err);
	/* One that says it has more than is mapped bounds nothing. */
	if (arena->system_bytes != ARI_UNKNOWN)
		done = done && read_members(walk, view, state, &members, err);
	for (size_t i = 0; done && i < members.list.count; i++)
		done = add_piece_of(walk, arena, members.list.at[i].address, &seen, err);
	done = done && add_others(walk, arena, &seen, err);
	marks_done(&members);
	set_done(&seen);
	return done && (last == NULL || add_mapping(walk, arena, last, err));
}

bool walk_segments(struct walk *walk, const struct view *view,
		   const struct arena_state *state, struct ari_arena *arena,
		   struct ari_error *err)
{
	uint64_t end;

	arena->heaps.known = true;
	if (arena->top.bytes == 0 || walk->sbrk_base == 0)
		return true;
	if (arena_is_noncontiguous(state))
		return arena->top.bytes == ARI_UNKNOWN ||
		       add_pieces(walk, view, state, arena, err);
	/* Without top's size: all that main got lies behind sbrk_base in one piece. */
	end = arena->top.bytes == ARI_UNKNOWN ? walk->sbrk_base + state->system_mem
					      : arena->top.address + arena->top.bytes;
	if (end <= walk->sbrk_base || !maps_covers(walk->mem->maps, walk->sbrk_base,
						   end - walk->sbrk_base, MAP_WRITE))
		return odd(arena, TOP_ASTRAY, arena->top.address, err);
	return add_segment(arena, walk->sbrk_base, end - walk->sbrk_base,
			   end - walk->sbrk_base, err);
}
