// SPDX-License-Identifier: Apache-2.0
#include "analyse/delta.h"
#include "analyse/measure.h"
#include "analyse/numbers.h"

/* ---- arenas that count ---- */

bool measure_is_new(const struct growth *its, size_t i)
{
	return its->diff->arenas.at[i].change == ARI_ARENA_NEW;
}

static const struct arena_pair *counted(const struct growth *its, size_t i)
{
	const struct arena_pair *pair = &its->of->pairs->list.at[i];
	bool has_both = pair->before != NULL && pair->after != NULL;

	if (!(has_both || measure_is_new(its, i)) || !pair_is_whole(pair) ||
	    !pair_is_comparable(pair))
		return NULL;
	return pair;
}

static uint64_t in_use_of(const struct ari_arena *arena)
{
	return arena->in_use_bytes;
}

static uint64_t system_of(const struct ari_arena *arena)
{
	return arena->system_bytes;
}

/* In memory or in swap. */
static uint64_t present_of(const struct ari_arena *arena)
{
	if (!arena->heaps.known)
		return ARI_UNKNOWN;
	return ari_plus(arena->resident.total_bytes, number_swapped_of(arena));
}

struct sum {
	int64_t more; /* at least; INT64_MIN: no arena has it */
	int64_t before;
};

/*
 * A number over the arenas that have it twice.  `hidden`: what was not read before may
 * have been of this kind.
 */
static struct sum sum_of(const struct growth *its,
			 uint64_t (*number)(const struct ari_arena *), bool hidden)
{
	struct sum sum = { INT64_MIN, 0 };

	for (size_t i = 0; i < its->of->pairs->list.count; i++) {
		const struct arena_pair *pair = counted(its, i);
		uint64_t before = 0, unread = 0;
		int64_t more;

		if (pair == NULL || (!its->with_new_arenas && pair->before == NULL))
			continue;
		if (pair->before != NULL) {
			before = number(pair->before);
			unread = hidden ? pair->before->unread_bytes : 0;
		}
		more = ari_delta_plus(ari_delta(before, number(pair->after)),
				      ari_delta(unread, 0));
		if (more == INT64_MIN)
			continue;
		sum.more = ari_delta_plus(sum.more == INT64_MIN ? 0 : sum.more, more);
		sum.before = ari_delta_plus(sum.before, ari_delta(0, before));
	}
	return sum;
}

/* ---- how much grew ---- */

void measure_in_use(struct growth *its)
{
	struct sum sum = sum_of(its, in_use_of, true);

	its->more = delta_grown(sum.more);
	its->before = delta_grown(sum.before);
	its->known = sum.more != INT64_MIN;
}

static uint64_t new_arenas(const struct growth *its)
{
	uint64_t count = 0;

	for (size_t i = 0; i < its->diff->arenas.count; i++)
		count += measure_is_new(its, i);
	return count;
}

void measure_arenas(struct growth *its)
{
	its->more = new_arenas(its);
	its->before = its->of->before->arenas.count;
	its->known = its->diff->arenas.known;
}

static bool is_growth_of_arenas(uint64_t more, uint64_t before)
{
	return more >= LEAST_ARENAS &&
	       (double)more >= ARENAS_PERCENT / 100.0 * (double)before;
}

/*
 * Free memory has grown as far as the arenas have: when the application frees what it
 * held, that is more free memory in arenas of the same size; when they have got more,
 * but its pages were given back, no memory has grown.
 */
void measure_free(struct growth *its)
{
	struct sum sum, system, present;

	/* What new arenas have is the business of another verdict. */
	its->with_new_arenas =
		!is_growth_of_arenas(new_arenas(its), its->of->before->arenas.count);
	sum = sum_of(its, number_free_of, true);
	system = sum_of(its, system_of, false);
	present = sum_of(its, present_of, false);
	its->more = delta_grown(sum.more);
	if (delta_grown(system.more) < its->more)
		its->more = delta_grown(system.more);
	if (present.more != INT64_MIN && delta_grown(present.more) < its->more)
		its->more = delta_grown(present.more);
	its->before = delta_grown(system.before);
	its->known = sum.more != INT64_MIN && system.more != INT64_MIN;
}

void measure_mmapped(struct growth *its)
{
	its->more = delta_grown(its->diff->totals.mmapped_bytes);
	its->before = its->of->before->totals.mmapped_bytes;
	its->known = its->diff->totals.mmapped_bytes != INT64_MIN;
}

static bool is_outside(uint64_t kind)
{
	return kind != ARI_MEMORY_MALLOC_HEAPS && kind != ARI_MEMORY_MALLOC_MMAPPED;
}

static int64_t present_more(const struct ari_memory_delta *row)
{
	return ari_delta_plus(row->resident_bytes, row->swapped_bytes);
}

/* Of one kind, in memory or in swap; 0 where it is not known. */
uint64_t measure_kind(const struct ari_memory_delta *row)
{
	return is_outside(row->kind) ? delta_grown(present_more(row)) : 0;
}

static bool knows_outside(const struct ari_diff *diff)
{
	for (size_t i = 0; i < diff->memory.count; i++)
		if (is_outside(diff->memory.at[i].kind) &&
		    present_more(&diff->memory.at[i]) == INT64_MIN)
			return false;
	return diff->memory.known;
}

/* A kind that shrinks does not make up for one that grows. */
void measure_outside(struct growth *its)
{
	const struct ari_model *before = its->of->before;

	for (size_t i = 0; i < its->diff->memory.count; i++)
		its->more = ari_plus(its->more, measure_kind(&its->diff->memory.at[i]));
	for (size_t i = 0; i < before->memory.count; i++) {
		const struct ari_memory *row = &before->memory.at[i];
		int64_t bytes = ari_delta_plus(ari_delta(0, row->resident_bytes),
					       ari_delta(0, row->swapped_bytes));

		if (is_outside(row->kind))
			its->before = ari_plus(its->before, delta_grown(bytes));
	}
	its->known = knows_outside(its->diff);
}
