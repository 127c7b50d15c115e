// SPDX-License-Identifier: Apache-2.0
#include "analyse/totals.h"
#include "model/model.h"
#include "unit.h"

static struct ari_model *new_model(size_t arenas)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	for (uint64_t i = 0; i < arenas; i++) {
		struct ari_arena *arena = model_add_arena(model, &err);

		ck_assert_ptr_nonnull(arena);
		arena->system_bytes = 1000 * (i + 1);
		arena->top.bytes = 10 * (i + 1);
		arena->idle = i == 0 ? ARI_NO : ARI_YES;
		arena->state = ARI_STATE_STEADY;
		arena->heaps.known = arena->damage.known = true;
		for (uint64_t heap = 0; heap <= i; heap++)
			ck_assert_ptr_nonnull(model_add_heap(arena, &err));
	}
	return model;
}

TEST(totals_are_sums_over_the_arenas)
{
	struct ari_model *model = new_model(3);

	totals_fill(model);
	ck_assert_uint_eq(model->totals.arenas, 3);
	ck_assert_uint_eq(model->totals.idle_arenas, 2);
	ck_assert_uint_eq(model->totals.heaps, 6);
	ck_assert_uint_eq(model->totals.system_bytes, 6000);
	ck_assert_uint_eq(model->totals.top_bytes, 60);
	ari_model_free(model);
}

TEST(term_that_is_not_known_makes_the_sum_unknown)
{
	struct ari_model *model = new_model(3);

	model->arenas.at[1].system_bytes = ARI_UNKNOWN;
	model->arenas.at[2].idle = ARI_MAYBE;
	totals_fill(model);
	ck_assert_uint_eq(model->totals.system_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(model->totals.idle_arenas, ARI_UNKNOWN);
	ck_assert_uint_eq(model->totals.top_bytes, 60);
	ck_assert_uint_eq(model->totals.free_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(model->totals.resident.total_bytes, ARI_UNKNOWN);
	ari_model_free(model);
}

TEST(heaps_that_are_not_known_make_their_number_unknown)
{
	struct ari_model *model = new_model(3);

	model_clear_arena(&model->arenas.at[2]);
	totals_fill(model);
	ck_assert_uint_eq(model->totals.heaps, ARI_UNKNOWN);
	ck_assert_uint_eq(model->totals.arenas, 3);
	ari_model_free(model);
}

TEST(sum_that_overflows_is_unknown)
{
	struct ari_model *model = new_model(2);

	model->arenas.at[0].system_bytes = UINT64_MAX - 1;
	model->arenas.at[1].system_bytes = 2;
	totals_fill(model);
	ck_assert_uint_eq(model->totals.system_bytes, ARI_UNKNOWN);
	ari_model_free(model);
}

TEST(mmapped_chunks_are_left_as_they_were)
{
	struct ari_model *model = new_model(1);

	model->totals.mmapped_chunks = 7;
	model->totals.mmapped_bytes = 7000;
	totals_fill(model);
	ck_assert_uint_eq(model->totals.mmapped_chunks, 7);
	ck_assert_uint_eq(model->totals.mmapped_bytes, 7000);
	ari_model_free(model);
}

TEST(arenas_at_rest_are_consistent)
{
	struct ari_model *model = new_model(3);

	totals_judge_quality(model);
	ck_assert_int_eq(model->quality.consistent, ARI_YES);
	ari_model_free(model);
}

TEST(one_arena_that_moved_makes_it_inconsistent)
{
	static const uint64_t states[] = { ARI_STATE_BUSY, ARI_STATE_TORN, ARI_UNKNOWN };

	for (int i = 0; i < 3; i++) {
		struct ari_model *model = new_model(3);

		model->arenas.at[1].state = states[i];
		totals_judge_quality(model);
		ck_assert_int_eq(model->quality.consistent, ARI_NO);
		ari_model_free(model);
	}
}

TEST(damage_makes_it_inconsistent)
{
	struct ari_model *model = new_model(3);
	struct ari_error err;

	ck_works(model_add_damage(&model->arenas.at[2], TOP_ASTRAY, 1, &err), &err);
	totals_judge_quality(model);
	ck_assert_int_eq(model->quality.consistent, ARI_NO);
	ari_model_free(model);
}

UNIT_MAIN("analyse/totals", totals_are_sums_over_the_arenas,
	  term_that_is_not_known_makes_the_sum_unknown,
	  heaps_that_are_not_known_make_their_number_unknown,
	  sum_that_overflows_is_unknown, mmapped_chunks_are_left_as_they_were,
	  arenas_at_rest_are_consistent, one_arena_that_moved_makes_it_inconsistent,
	  damage_makes_it_inconsistent)
