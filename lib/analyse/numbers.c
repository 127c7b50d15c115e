// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "analyse/numbers.h"

/* Both known, else not known; `b` may be more than `a`: then nothing is left. */
static uint64_t minus(uint64_t a, uint64_t b)
{
	if (a == ARI_UNKNOWN || b == ARI_UNKNOWN)
		return ARI_UNKNOWN;
	return a > b ? a - b : 0;
}

uint64_t ari_plus(uint64_t a, uint64_t b)
{
	uint64_t sum;

	if (a == ARI_UNKNOWN || b == ARI_UNKNOWN || __builtin_add_overflow(a, b, &sum))
		return ARI_UNKNOWN;
	return sum;
}

/* ---- of one arena ---- */

/* What of it is only locked is told apart. */
static uint64_t pinned_free(const struct ari_arena *arena)
{
	return minus(arena->resident.pinned_free_bytes, arena->locked_free_bytes);
}

uint64_t number_free_of(const struct ari_arena *arena)
{
	uint64_t cached = arena->tcache.bytes == ARI_UNKNOWN ? 0 : arena->tcache.bytes;

	return ari_plus(ari_plus(arena->free_bytes, arena->fast.bytes),
			ari_plus(arena->top.bytes, cached));
}

static uint64_t free_resident(const struct ari_arena *arena)
{
	const struct ari_resident *resident = &arena->resident;

	return ari_plus(ari_plus(resident->trimmable_bytes, resident->retained_top_bytes),
			resident->pinned_free_bytes);
}

/* An arena that threads use has none. */
static uint64_t idle_free(const struct ari_arena *arena)
{
	if (arena->idle == ARI_MAYBE)
		return ARI_UNKNOWN;
	return arena->idle == ARI_YES ? free_resident(arena) : 0;
}

/* Those of the kernel's pool are no resident memory. */
static uint64_t huge_resident(const struct ari_heap *heap)
{
	if (heap->huge_page_bytes == ARI_UNKNOWN || heap->resident_bytes == ARI_UNKNOWN)
		return ARI_UNKNOWN;
	return heap->huge_page_bytes < heap->resident_bytes ? heap->huge_page_bytes
							    : heap->resident_bytes;
}

static uint64_t huge_pages(const struct ari_arena *arena)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < arena->heaps.count; i++)
		sum = ari_plus(sum, huge_resident(&arena->heaps.at[i]));
	return arena->heaps.known || arena->heaps.count > 0 ? sum : ARI_UNKNOWN;
}

/* At least so much: were all that is not free in huge pages, too. */
static uint64_t huge_pages_free(const struct ari_arena *arena)
{
	const struct ari_resident *resident = &arena->resident;
	uint64_t cached =
		resident->tcache_bytes == ARI_UNKNOWN ? 0 : resident->tcache_bytes;

	return minus(huge_pages(arena), ari_plus(ari_plus(resident->in_use_bytes, cached),
						 ari_plus(resident->metadata_bytes,
							  resident->unwalked_bytes)));
}

/* ---- of all ---- */

uint64_t number_swapped_of(const struct ari_arena *arena)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < arena->heaps.count; i++)
		sum = ari_plus(sum, arena->heaps.at[i].swapped_bytes);
	return sum;
}

/* At least so much: what is in swap, of whatever kind, is taken off. */
static uint64_t free_not_resident(const struct ari_model *model)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		if (arena->state != ARI_STATE_TORN)
			sum = ari_plus(sum, minus(number_free_of(arena),
						  ari_plus(free_resident(arena),
							   number_swapped_of(arena))));
	}
	return sum;
}

const struct ari_memory *ari_memory_of(const struct ari_model *model, uint64_t kind)
{
	for (size_t i = 0; i < model->memory.count; i++)
		if (model->memory.at[i].kind == kind)
			return &model->memory.at[i];
	return NULL;
}

static uint64_t resident_of(const struct ari_model *model, enum ari_memory_kind kind)
{
	const struct ari_memory *memory = ari_memory_of(model, kind);

	return memory == NULL ? ARI_UNKNOWN : memory->resident_bytes;
}

static uint64_t mmapped_resident(const struct ari_model *model)
{
	return resident_of(model, ARI_MEMORY_MALLOC_MMAPPED);
}

static uint64_t malloc_resident(const struct ari_model *model)
{
	return ari_plus(resident_of(model, ARI_MEMORY_MALLOC_HEAPS),
			mmapped_resident(model));
}

static uint64_t anonymous(const struct ari_model *model)
{
	return resident_of(model, ARI_MEMORY_ANONYMOUS);
}

static uint64_t stacks(const struct ari_model *model)
{
	return resident_of(model, ARI_MEMORY_STACKS);
}

static uint64_t files(const struct ari_model *model)
{
	return resident_of(model, ARI_MEMORY_FILES);
}

static uint64_t shared(const struct ari_model *model)
{
	return resident_of(model, ARI_MEMORY_SHARED);
}

static uint64_t outside(const struct ari_model *model)
{
	return ari_plus(ari_plus(anonymous(model), stacks(model)),
			ari_plus(files(model), shared(model)));
}

/*
 * While the threads' caches are not read their chunks are among those in use.  More
 * than this they cannot be: count chunks of each size, 16 bytes apart, for each thread.
 */
static uint64_t most_cached(const struct ari_model *model)
{
	const struct ari_settings *settings = &model->settings;
	uint64_t sizes = settings->tcache_max_bytes / 16 + 2, bytes;

	if (model->totals.tcache_bytes != ARI_UNKNOWN ||
	    settings->tcache_max_bytes == ARI_UNKNOWN)
		return 0; /* told apart, or a release without caches */
	if (settings->tcache_count == ARI_UNKNOWN ||
	    model->process.tasks == ARI_UNKNOWN ||
	    __builtin_mul_overflow(8 * sizes, sizes + 1, &bytes) ||
	    __builtin_mul_overflow(bytes, settings->tcache_count, &bytes) ||
	    __builtin_mul_overflow(bytes, model->process.tasks, &bytes))
		return ARI_UNKNOWN;
	return bytes;
}

static uint64_t held(const struct ari_model *model)
{
	uint64_t in_use = number_of(model, IN_USE).value;

	return ari_plus(minus(in_use, most_cached(model)), mmapped_resident(model));
}

static bool held_is_least(const struct ari_model *model)
{
	return number_of(model, IN_USE).at_least || most_cached(model) != 0;
}

/* What the kernel cannot drop at once; where that is not told, what is surely so. */
static uint64_t memory_needed(const struct ari_model *model)
{
	const struct ari_cgroup *cgroup = &model->process.cgroup;
	uint64_t needed =
		minus(cgroup->memory_current_bytes, cgroup->memory_inactive_file_bytes);

	return needed == ARI_UNKNOWN ? model->process.anon_bytes : needed;
}

static uint64_t count_state(const struct ari_model *model, enum ari_arena_state state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < model->arenas.count; i++)
		count += model->arenas.at[i].state == state;
	return count;
}

static uint64_t torn_arenas(const struct ari_model *model)
{
	return count_state(model, ARI_STATE_TORN);
}

static uint64_t busy_arenas(const struct ari_model *model)
{
	return count_state(model, ARI_STATE_BUSY);
}

/* Threads' arenas that several threads have: glibc gives them out so only at the limit.
 */
static uint64_t shared_arenas(const struct ari_model *model)
{
	uint64_t count = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		if (arena->attached_threads == ARI_UNKNOWN)
			return ARI_UNKNOWN;
		count += arena->kind == ARI_ARENA_THREAD && arena->attached_threads > 1;
	}
	return count;
}

/* ---- the last live chunk ---- */

const struct ari_heap *number_pinned_heap(const struct ari_model *model,
					  const struct ari_arena **ret_arena)
{
	const struct ari_heap *most = NULL;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		for (size_t j = 0; j < arena->heaps.count; j++) {
			const struct ari_heap *heap = &arena->heaps.at[j];
			uint64_t below = heap->last_chunk.below_bytes;

			if (arena->state == ARI_STATE_TORN || below == ARI_UNKNOWN ||
			    (most != NULL && below <= most->last_chunk.below_bytes))
				continue;
			most = heap;
			*ret_arena = arena;
		}
	}
	return most;
}

static uint64_t below(const struct ari_model *model)
{
	const struct ari_arena *arena;
	const struct ari_heap *heap = number_pinned_heap(model, &arena);

	return heap == NULL ? ARI_UNKNOWN : heap->last_chunk.below_bytes;
}

static uint64_t last_chunk(const struct ari_model *model)
{
	const struct ari_arena *arena;
	const struct ari_heap *heap = number_pinned_heap(model, &arena);

	return heap == NULL ? ARI_UNKNOWN : heap->last_chunk.bytes;
}

static uint64_t pinned_arena(const struct ari_model *model)
{
	const struct ari_arena *arena = NULL;

	return number_pinned_heap(model, &arena) == NULL ? ARI_UNKNOWN : arena->index;
}

/* ---- the table ---- */

static const struct row {
	const char *name;
	size_t in_model; /* offsets; one of the four */
	size_t in_arena;
	uint64_t (*each)(const struct ari_arena *arena);
	uint64_t (*all)(const struct ari_model *model);
	bool (*is_least)(const struct ari_model *model);
} rows[NUMBERS] = {
#define IN_MODEL(member)	   .in_model = offsetof(struct ari_model, member)
#define OF_ARENAS(member)	   .in_arena = offsetof(struct ari_arena, member)
#define EACH_ARENA(function)	   .each = (function)
#define IN_ALL(function)	   .all = (function)
#define AT_LEAST_IF(function)	   .is_least = (function)
#define NUMBER(id, number_is, ...) [id] = { .name = (number_is), __VA_ARGS__ },
#include "analyse/numbers.def"
#undef NUMBER
};

static uint64_t at_offset(const void *at, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)at + offset);
}

static struct amount sum_of(const struct ari_model *model, const struct row *row)
{
	struct amount sum = { 0, false };
	bool any = false;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		if (arena->state == ARI_STATE_TORN) {
			sum.at_least = true;
			continue;
		}
		any = true;
		sum.value = ari_plus(sum.value,
				     row->each != NULL ? row->each(arena)
						       : at_offset(arena, row->in_arena));
	}
	return any ? sum : (struct amount){ ARI_UNKNOWN, false };
}

struct amount number_of(const struct ari_model *model, enum number number)
{
	const struct row *row = &rows[number];

	if (row->all != NULL)
		return (struct amount){ row->all(model),
					row->is_least != NULL && row->is_least(model) };
	if (row->each != NULL || row->in_arena != 0)
		return sum_of(model, row);
	return (struct amount){ at_offset(model, row->in_model), false };
}

const char *number_name(enum number number)
{
	return rows[number].name;
}

enum number number_find(const char *name, size_t length)
{
	for (int i = NO_NUMBER + 1; i < NUMBERS; i++)
		if (strncmp(rows[i].name, name, length) == 0 &&
		    rows[i].name[length] == '\0')
			return (enum number)i;
	return NO_NUMBER;
}

bool number_is_bytes(enum number number)
{
	static const char end[] = "_bytes";
	size_t length = strlen(rows[number].name);

	return length > sizeof(end) - 1 &&
	       strcmp(rows[number].name + length - (sizeof(end) - 1), end) == 0;
}
