// SPDX-License-Identifier: Apache-2.0
/* What the walks of its heaps found, as the numbers of an arena. */
#include <stdlib.h>

#include "walk/depth.h"
#include "walk/ledger.h"
#include "walk/tcache.h"

void depth_take_counts(const struct reader *reader, struct ari_heap *heap)
{
	if (reader->all.untold != 0)
		return;
	heap->resident_bytes = reader->all.resident;
	heap->swapped_bytes = reader->all.swapped;
	if (reader->mem->tells_huge)
		heap->huge_page_bytes = reader->all.huge;
}

/* Mappings in which nothing proved to be main's: their pages are not its own. */
static void forget_foreign(struct ari_arena *arena)
{
	for (size_t i = 0; i < arena->heaps.count; i++) {
		struct ari_heap *heap = &arena->heaps.at[i];

		if (heap->bytes == ARI_UNKNOWN)
			heap->resident_bytes = heap->swapped_bytes =
				heap->huge_page_bytes = ARI_UNKNOWN;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct piece *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/*
 * A main arena of pieces: its heaps are what proved to be its own, not the
 * mappings they were looked for in.  By address: which is older is not known, and the
 * order in which workers found them is chance.
 */
static bool replace_pieces(struct worker *worker, struct arena_visit *visit,
			   struct ari_error *err)
{
	struct ari_arena *arena = visit->arena;
	struct reader *reader = &worker->readers[0];
	uint64_t known;

	if (visit->pieces.count == 0) {
		forget_foreign(arena);
		return true;
	}
	qsort(visit->pieces.at, visit->pieces.count, sizeof(struct piece), by_start);
	arena->heaps.count = 0; /* they own nothing yet */
	for (size_t i = 0; i < visit->pieces.count; i++) {
		const struct piece *piece = &visit->pieces.at[i];
		struct ari_heap *heap = model_add_heap(arena, err);

		if (heap == NULL)
			return false;
		heap->address = piece->start;
		heap->bytes = heap->mprotect_bytes = heap->span_bytes =
			piece->end - piece->start;
		reader->mapped = false; /* they are anywhere */
		reader_begin(reader, piece->start, piece->end, 0, 0);
		if (!reader_finish(reader, err))
			return false;
		depth_take_counts(reader, heap);
	}
	known = tally_bytes(&visit->tally);
	if (arena->system_bytes != ARI_UNKNOWN && known < arena->system_bytes)
		visit->tally.unwalked += arena->system_bytes - known;
	return true;
}

static void sum_residents(struct ari_arena *arena)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < arena->heaps.count; i++) {
		if (arena->heaps.at[i].resident_bytes == ARI_UNKNOWN)
			return;
		sum += arena->heaps.at[i].resident_bytes;
	}
	arena->resident.total_bytes = sum;
}

/*
 * What a torn walk, or damage, leaves open is unwalked, so that the terms never
 * add up to more or less than the arena has.
 */
static bool close_ledger(struct arena_visit *visit)
{
	uint64_t known = tally_bytes(&visit->tally);
	uint64_t system_mem = visit->arena->system_bytes;

	if (known == system_mem)
		return true;
	if (system_mem == ARI_UNKNOWN || known > system_mem)
		return false;
	visit->tally.unwalked += system_mem - known;
	return true;
}

static bool record_damage(struct arena_visit *visit, struct ari_error *err)
{
	/* In an arena that moves, odd bytes are no damage. */
	if (visit->arena->state == ARI_STATE_TORN)
		return true;
	/* Fastbins change without the lock: only what shows twice is damage. */
	if (visit->marks.astray != 0 && visit->marks.astray == visit->astray_before &&
	    !model_add_damage(visit->arena, LIST_ASTRAY, visit->marks.astray, err))
		return false;
	for (size_t i = 0; i < visit->damage.count; i++)
		if (!model_add_damage(visit->arena, visit->damage.at[i].id,
				      visit->damage.at[i].address, err))
			return false;
	return true;
}

bool depth_settle(struct worker *worker, struct arena_visit *visit, struct ari_error *err)
{
	struct ari_arena *arena = visit->arena;
	bool closes, whole, top_known = arena->top.bytes != ARI_UNKNOWN;

	if (!replace_pieces(worker, visit, err) || !record_damage(visit, err))
		return false;
	whole = tally_bytes(&visit->tally) == arena->system_bytes && !visit->torn;
	closes = close_ledger(visit);
	if (!whole)
		arena->state = ARI_STATE_TORN;
	/* With pieces that were not found, what was counted is not all. */
	if (arena->kind != ARI_ARENA_MAIN || visit->pieces.count == 0 ||
	    visit->tally.unwalked == 0)
		sum_residents(arena);
	if (!visit->untold && top_known)
		arena->top.resident_bytes = visit->top_resident;
	if (!closes || visit->unseen)
		return true; /* no number is better than a wrong one */
	if (!ledger_fill(arena, &visit->tally, tcaches_known(visit->walk->tcaches), err))
		return false;
	/* Its header was not read: its bytes are among the unread. */
	if (!top_known)
		arena->top.bytes = ARI_UNKNOWN;
	if (!visit->untold && visit->walk->locked != NULL)
		ledger_fill_resident(arena, &visit->tally);
	return true;
}
