// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/list.h"
#include "walk/owners.h"

void owners_done(struct owners *owners)
{
	list_done(&owners->heaps.list);
	list_done(&owners->reserves.list);
	list_done(&owners->stacks.list);
	list_done(&owners->chunks.list);
	set_done(&owners->listed);
}

bool owned_add(struct owned *owned, uint64_t start, uint64_t end, struct ari_error *err)
{
	struct span *span;

	if (start >= end)
		return true;
	span = list_add(&owned->list, err);
	if (span == NULL)
		return false;
	*span = (struct span){ start, end };
	return true;
}

bool owned_add_all(struct owned *to, const struct owned *from, struct ari_error *err)
{
	for (size_t i = 0; i < from->list.count; i++)
		if (!owned_add(to, from->list.at[i].start, from->list.at[i].end, err))
			return false;
	return true;
}

uint64_t owned_bytes(const struct owned *owned)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < owned->list.count; i++)
		bytes += owned->list.at[i].end - owned->list.at[i].start;
	return bytes;
}

static int by_bytes(const void *a, const void *b)
{
	const struct span *left = a, *right = b;
	uint64_t first = left->end - left->start, second = right->end - right->start;

	return (first > second) - (first < second);
}

void owned_order_by_size(struct owned *owned)
{
	if (owned->list.count > 1)
		qsort(owned->list.at, owned->list.count, sizeof(*owned->list.at),
		      by_bytes);
}

static int by_start(const void *a, const void *b)
{
	const struct span *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

void owned_order(struct owned *owned)
{
	size_t kept = 0;
	uint64_t end = 0;

	if (owned->list.count > 1)
		qsort(owned->list.at, owned->list.count, sizeof(*owned->list.at),
		      by_start);
	for (size_t i = 0; i < owned->list.count; i++) {
		struct span span = owned->list.at[i];

		if (span.start < end)
			span.start = end;
		if (span.start >= span.end)
			continue;
		owned->list.at[kept++] = span;
		end = span.end;
	}
	owned->list.count = kept;
}

const struct span *owned_find(const struct owned *owned, uint64_t address)
{
	ptrdiff_t i = list_floor(owned->list.at, owned->list.count, sizeof(struct span),
				 offsetof(struct span, start), address);

	if (i < 0 || owned->list.at[i].end <= address)
		return NULL;
	return &owned->list.at[i];
}

/* ---- heaps ---- */

static bool take_heap(const struct ari_heap *heap, struct owners *owners,
		      struct ari_error *err)
{
	uint64_t end, reserved;

	if (heap->bytes == ARI_UNKNOWN || heap->mprotect_bytes == ARI_UNKNOWN ||
	    __builtin_add_overflow(heap->address, heap->mprotect_bytes, &end)) {
		owners->heaps_known = false;
		return true;
	}
	if (!owned_add(&owners->heaps, heap->address, end, err))
		return false;
	if (heap->span_bytes == ARI_UNKNOWN ||
	    __builtin_add_overflow(heap->address, heap->span_bytes, &reserved))
		return true;
	return owned_add(&owners->reserves, end, reserved, err);
}

static bool take_arena(const struct ari_arena *arena, struct owners *owners,
		       struct ari_error *err)
{
	bool told = true;

	if (!arena->heaps.known)
		owners->heaps_known = false;
	for (size_t i = 0; i < arena->heaps.count; i++) {
		told = told && arena->heaps.at[i].resident_bytes != ARI_UNKNOWN;
		if (!take_heap(&arena->heaps.at[i], owners, err))
			return false;
	}
	/* Main has pieces that were not found. */
	if (told && arena->resident.total_bytes == ARI_UNKNOWN)
		owners->heaps_known = false;
	return true;
}

bool owners_take_heaps(const struct walk *walk, struct owners *owners,
		       struct ari_error *err)
{
	owners->heaps_known = true;
	for (size_t i = 0; i < walk->model->arenas.count; i++)
		if (!take_arena(&walk->model->arenas.at[i], owners, err))
			return false;
	owned_order(&owners->heaps);
	owned_order(&owners->reserves);
	return true;
}

/* ---- stacks ---- */

static bool read_stack(const struct walk *walk, uint64_t pthread, struct span *ret,
		       struct ari_error *err)
{
	uint64_t words[2]; /* stackblock, stackblock_size */
	uint64_t at, end;

	if (__builtin_add_overflow(pthread, walk->layout->arch->pthread_stack, &at) ||
	    !mem_read(walk->mem, at, words, sizeof(words), err) ||
	    __builtin_add_overflow(words[0], words[1], &end) || pthread < words[0] ||
	    pthread >= end || !maps_covers(walk->mem->maps, words[0], words[1], 0))
		return false;
	*ret = (struct span){ words[0], end };
	return true;
}

static bool take_stack(const struct walk *walk, uint64_t pthread, struct owners *owners,
		       struct ari_error *err)
{
	const struct map *map = maps_find(walk->mem->maps, pthread);
	struct ari_error why = { 0 };
	struct span stack;

	if (map == NULL || !map_is_own_memory(map))
		return true;
	stack = (struct span){ map->start, map->end };
	if (!read_stack(walk, pthread, &stack, &why) && why.code != ARI_OK &&
	    !mem_is_fault(&why)) {
		*err = why;
		return false;
	}
	return owned_add(&owners->stacks, stack.start, stack.end, err);
}

bool owners_take_stacks(const struct walk *walk, const uint64_t *pthreads, size_t count,
			struct owners *owners, struct ari_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!take_stack(walk, pthreads[i], owners, err))
			return false;
	owned_order(&owners->stacks);
	return true;
}
