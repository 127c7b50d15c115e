// SPDX-License-Identifier: Apache-2.0
#include "analyse/totals.h"

/* A number of an arena and the total it goes into. */
// clang-format off
static const struct sum {
	size_t from, to;
} sums[] = {
#define SUM(member, total)                                                              \
	{ offsetof(struct ari_arena, member), offsetof(struct ari_totals, total) }
	SUM(system_bytes, system_bytes),
	SUM(max_system_bytes, max_system_bytes),
	SUM(in_use_bytes, in_use_bytes),
	SUM(free_bytes, free_bytes),
	SUM(fast.bytes, fast_bytes),
	SUM(tcache.bytes, tcache_bytes),
	SUM(top.bytes, top_bytes),
	SUM(overhead_bytes, overhead_bytes),
	SUM(unread_bytes, unread_bytes),
	SUM(unwalked_bytes, unwalked_bytes),
	SUM(resident.total_bytes, resident.total_bytes),
	SUM(resident.in_use_bytes, resident.in_use_bytes),
	SUM(resident.tcache_bytes, resident.tcache_bytes),
	SUM(resident.trimmable_bytes, resident.trimmable_bytes),
	SUM(resident.retained_top_bytes, resident.retained_top_bytes),
	SUM(resident.pinned_free_bytes, resident.pinned_free_bytes),
	SUM(resident.metadata_bytes, resident.metadata_bytes),
	SUM(resident.unwalked_bytes, resident.unwalked_bytes),
	SUM(resident.trimmable_bytes, trimmable_bytes),
	SUM(trimmable_swapped_bytes, trimmable_swapped_bytes),
	SUM(locked_free_bytes, locked_free_bytes),
#undef SUM
};
// clang-format on

static uint64_t sum_of(const struct ari_model *model, size_t from)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const char *arena = (const char *)&model->arenas.at[i];
		uint64_t term = *(const uint64_t *)(const void *)(arena + from);

		if (term == ARI_UNKNOWN || __builtin_add_overflow(sum, term, &sum))
			return ARI_UNKNOWN;
	}
	return sum;
}

static uint64_t count_idle(const struct ari_model *model)
{
	uint64_t idle = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		if (model->arenas.at[i].idle == ARI_MAYBE)
			return ARI_UNKNOWN;
		idle += model->arenas.at[i].idle == ARI_YES;
	}
	return idle;
}

static uint64_t count_heaps(const struct ari_model *model)
{
	uint64_t heaps = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		if (!model->arenas.at[i].heaps.known)
			return ARI_UNKNOWN;
		heaps += model->arenas.at[i].heaps.count;
	}
	return heaps;
}

void totals_fill(struct ari_model *model)
{
	struct ari_totals *totals = &model->totals;

	totals->arenas = model->arenas.count;
	totals->idle_arenas = count_idle(model);
	totals->heaps = count_heaps(model);
	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++)
		*(uint64_t *)(void *)((char *)totals + sums[i].to) =
			sum_of(model, sums[i].from);
}

void totals_judge_quality(struct ari_model *model)
{
	model->quality.consistent = ARI_YES;
	for (size_t i = 0; i < model->arenas.count; i++)
		if (model->arenas.at[i].state != ARI_STATE_STEADY ||
		    model->arenas.at[i].damage.count != 0)
			model->quality.consistent = ARI_NO;
}

static bool is_mallocs(const struct ari_memory *memory)
{
	return memory->kind == ARI_MEMORY_MALLOC_HEAPS ||
	       memory->kind == ARI_MEMORY_MALLOC_MMAPPED;
}

uint64_t ari_malloc_resident(const struct ari_model *model)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < model->memory.count; i++) {
		const struct ari_memory *memory = &model->memory.at[i];

		if (is_mallocs(memory) &&
		    (memory->resident_bytes == ARI_UNKNOWN ||
		     __builtin_add_overflow(sum, memory->resident_bytes, &sum)))
			return ARI_UNKNOWN;
	}
	return model->memory.count == 0 ? ARI_UNKNOWN : sum;
}
