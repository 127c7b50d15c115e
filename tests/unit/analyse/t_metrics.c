// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <string.h>

#include "model/model.h"
#include "unit.h"

/* The index of a metric. */
static size_t metric(const char *name)
{
	struct ari_metric is;

	for (size_t i = 0; ari_metric_describe(i, &is); i++)
		if (strcmp(is.name, name) == 0)
			return i;
	ck_abort_msg("no metric %s", name);
	return 0;
}

/* 10,000 bytes, of which 4,000 are in use and 5,000 free; 3,000 + 2,000 + … resident. */
static struct ari_arena *add_arena(struct ari_model *model)
{
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);

	ck_assert_ptr_nonnull(arena);
	arena->state = ARI_STATE_STEADY;
	arena->idle = ARI_NO;
	arena->system_bytes = 10000;
	arena->in_use_bytes = 4000;
	arena->free_bytes = 3000;
	arena->fast.bytes = 500;
	arena->top.bytes = 1500;
	arena->overhead_bytes = 1000;
	arena->unread_bytes = arena->unwalked_bytes = 0;
	arena->resident.total_bytes = 9000;
	arena->resident.trimmable_bytes = 3000;
	arena->resident.unwalked_bytes = 0;
	return arena;
}

static struct ari_model *new_model(size_t arenas)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	for (size_t i = 0; i < arenas; i++)
		add_arena(model);
	return model;
}

static void is_exactly(struct ari_value value, double expected)
{
	ck_assert_double_eq_tol(value.value, expected, 1e-9);
	ck_assert_double_eq_tol(value.least, expected, 1e-9);
	ck_assert_double_eq_tol(value.most, expected, 1e-9);
}

static void is_within(struct ari_value value, double least, double most)
{
	ck_assert_msg(isnan(value.value), "%g is told as if it were known", value.value);
	ck_assert_double_eq_tol(value.least, least, 1e-9);
	if (isinf(most))
		ck_assert_msg(isinf(value.most), "%g bounds it", value.most);
	else
		ck_assert_double_eq_tol(value.most, most, 1e-9);
}

TEST(names_are_words_and_differ)
{
	struct ari_metric is, other;

	for (size_t i = 0; ari_metric_describe(i, &is); i++) {
		ck_assert_uint_gt(strlen(is.name), 0);
		ck_assert_uint_eq(strspn(is.name, "abcdefghijklmnopqrstuvwxyz_"),
				  strlen(is.name));
		ck_assert_uint_gt(strlen(is.help), 0);
		ck_assert_int_ne(is.help[strlen(is.help) - 1], '.');
		for (size_t j = 0; j < i; j++)
			if (ari_metric_describe(j, &other))
				ck_assert_str_ne(is.name, other.name);
	}
	ck_assert(!ari_metric_describe(1000, &is));
}

TEST(shares_end_in_ratio_and_nothing_else_does)
{
	struct ari_metric is;

	for (size_t i = 0; ari_metric_describe(i, &is); i++) {
		size_t length = strlen(is.name);
		bool ratio = length > 6 && strcmp(is.name + length - 6, "_ratio") == 0;

		ck_assert_msg(ratio == (is.unit == ARI_UNIT_SHARE), "%s", is.name);
	}
}

TEST(amounts_of_a_process_are_sums_over_its_arenas)
{
	struct ari_model *model = new_model(3);

	model->arenas.at[1].idle = ARI_YES;
	is_exactly(ari_metric_value(metric("in_use"), model), 12000);
	is_exactly(ari_metric_value(metric("free"), model), 15000);
	is_exactly(ari_metric_value(metric("trimmable"), model), 9000);
	is_exactly(ari_metric_value(metric("arenas"), model), 3);
	is_exactly(ari_metric_value(metric("idle_arenas"), model), 1);
	is_exactly(ari_metric_value_of_arena(metric("in_use"), &model->arenas.at[2]),
		   4000);
	ari_model_free(model);
}

TEST(share_is_of_all_arenas_together)
{
	struct ari_model *model = new_model(2);

	model->arenas.at[1].system_bytes = 30000;
	is_exactly(ari_metric_value(metric("free_ratio"), model), 10000 / 40000.0);
	is_exactly(ari_metric_value_of_arena(metric("free_ratio"), &model->arenas.at[0]),
		   0.5);
	ari_model_free(model);
}

TEST(caches_that_are_known_are_free)
{
	struct ari_model *model = new_model(1);

	model->arenas.at[0].tcache.bytes = 700;
	is_exactly(ari_metric_value(metric("free"), model), 5700);
	ari_model_free(model);
}

TEST(limit_is_what_is_used_of_it)
{
	struct ari_model *model = new_model(1);

	is_within(ari_metric_value(metric("limit_ratio"), model), 0, INFINITY);
	model->process.cgroup.memory_current_bytes = 30;
	is_within(ari_metric_value(metric("limit_ratio"), model), 0, INFINITY);
	model->process.cgroup.memory_max_bytes = 40;
	is_exactly(ari_metric_value(metric("limit_ratio"), model), 0.75);
	model->process.cgroup.memory_max_bytes = 0;
	is_within(ari_metric_value(metric("limit_ratio"), model), 0, INFINITY);
	ari_model_free(model);
}

TEST(torn_arena_leaves_its_unwalked_bytes_open)
{
	struct ari_model *model = new_model(2);

	model->arenas.at[1].state = ARI_STATE_TORN;
	model->arenas.at[1].unwalked_bytes = 600;
	model->arenas.at[1].resident.unwalked_bytes = 200;
	is_within(ari_metric_value(metric("in_use"), model), 8000, 8600);
	is_within(ari_metric_value(metric("trimmable"), model), 6000, 6200);
	is_within(ari_metric_value(metric("free_ratio"), model), 0.5, 10600 / 20000.0);
	is_exactly(ari_metric_value(metric("system"), model), 20000);
	is_exactly(ari_metric_value(metric("unwalked"), model), 600);
	ari_model_free(model);
}

TEST(torn_arena_of_which_nothing_was_counted_is_bounded_by_its_size)
{
	struct ari_model *model = new_model(2);
	struct ari_arena *torn = &model->arenas.at[1];

	torn->state = ARI_STATE_TORN;
	torn->in_use_bytes = torn->unread_bytes = torn->unwalked_bytes = ARI_UNKNOWN;
	torn->resident.trimmable_bytes = ARI_UNKNOWN;
	is_within(ari_metric_value(metric("in_use"), model), 4000, 14000);
	is_within(ari_metric_value(metric("trimmable"), model), 3000, 12000);
	torn->resident.total_bytes = ARI_UNKNOWN;
	is_within(ari_metric_value(metric("trimmable"), model), 3000, INFINITY);
	ari_model_free(model);
}

TEST(bytes_in_swap_may_be_of_any_class_but_the_count_stands)
{
	struct ari_model *model = new_model(1);
	struct ari_value value;

	model->arenas.at[0].unread_bytes = 900;
	value = ari_metric_value(metric("in_use"), model);
	ck_assert_double_eq(value.value, 4000);
	ck_assert_double_eq(value.least, 4000);
	ck_assert_double_eq(value.most, 4900);
	is_exactly(ari_metric_value(metric("unread"), model), 900);
	ari_model_free(model);
}

TEST(arenas_that_could_not_be_listed_are_not_none)
{
	struct ari_model *model = new_model(0);

	is_within(ari_metric_value(metric("arenas"), model), 0, INFINITY);
	is_within(ari_metric_value(metric("in_use"), model), 0, INFINITY);
	is_within(ari_metric_value(metric("mmapped"), model), 0, INFINITY);
	ari_model_free(model);
}

TEST(idle_that_is_not_known_counts_within_bounds)
{
	struct ari_model *model = new_model(3);

	model->arenas.at[0].idle = ARI_MAYBE;
	model->arenas.at[1].idle = ARI_YES;
	is_within(ari_metric_value(metric("idle_arenas"), model), 1, 2);
	ari_model_free(model);
}

TEST(processes_together_add_up_and_shares_are_weighed)
{
	struct ari_value small = { 0.5, 0.5, 0.5, 100 }, large = { 0.1, 0.1, 0.2, 300 };
	struct ari_value unknown = { NAN, 0, INFINITY, NAN }, sum;

	sum = ari_metric_add(metric("free_ratio"), &small, &large);
	ck_assert_double_eq_tol(sum.value, 0.2, 1e-9);
	ck_assert_double_eq_tol(sum.most, 0.275, 1e-9);
	ck_assert_double_eq(sum.weight, 400);
	is_within(ari_metric_add(metric("free_ratio"), &small, &unknown), 0, INFINITY);

	small = (struct ari_value){ 5, 5, 5, 1 };
	large = (struct ari_value){ NAN, 10, 20, 1 };
	is_within(ari_metric_add(metric("in_use"), &small, &large), 15, 25);
	is_exactly(ari_metric_add(metric("in_use"), &small, &small), 10);
}

UNIT_MAIN("metrics", names_are_words_and_differ,
	  shares_end_in_ratio_and_nothing_else_does,
	  amounts_of_a_process_are_sums_over_its_arenas, share_is_of_all_arenas_together,
	  caches_that_are_known_are_free, limit_is_what_is_used_of_it,
	  torn_arena_leaves_its_unwalked_bytes_open,
	  torn_arena_of_which_nothing_was_counted_is_bounded_by_its_size,
	  bytes_in_swap_may_be_of_any_class_but_the_count_stands,
	  arenas_that_could_not_be_listed_are_not_none,
	  idle_that_is_not_known_counts_within_bounds,
	  processes_together_add_up_and_shares_are_weighed)
