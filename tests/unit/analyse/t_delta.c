// SPDX-License-Identifier: Apache-2.0
#include "analyse/delta.h"
#include "model/model.h"
#include "unit.h"

static const struct record *inner(const struct record *record, const char *key)
{
	const struct field *field = record_field(record, key);

	ck_assert_ptr_nonnull(field);
	return field->record;
}

TEST(delta_is_after_less_before)
{
	ck_assert_int_eq(ari_delta(3, 10), 7);
	ck_assert_int_eq(ari_delta(10, 3), -7);
	ck_assert_int_eq(ari_delta(UINT64_MAX - 1, UINT64_MAX - 3), -2);
}

TEST(delta_of_what_is_not_known_or_too_far_apart_is_unknown)
{
	ck_assert_int_eq(ari_delta(ARI_UNKNOWN, 1), INT64_MIN);
	ck_assert_int_eq(ari_delta(1, ARI_UNKNOWN), INT64_MIN);
	ck_assert_int_eq(ari_delta(0, UINT64_MAX - 1), INT64_MIN);
	ck_assert_int_eq(ari_delta(UINT64_MAX - 1, 0), INT64_MIN);
}

TEST(sum_with_what_is_not_known_or_too_large_is_unknown)
{
	ck_assert_int_eq(ari_delta_plus(-3, 5), 2);
	ck_assert_int_eq(ari_delta_plus(INT64_MIN, 5), INT64_MIN);
	ck_assert_int_eq(ari_delta_plus(5, INT64_MIN), INT64_MIN);
	ck_assert_int_eq(ari_delta_plus(INT64_MAX, 1), INT64_MIN);
}

TEST(members_are_compared_by_their_keys)
{
	struct ari_totals before, after;
	struct ari_totals_delta delta;

	record_clear(inner(&model_record, "totals"), &before);
	record_clear(inner(&model_record, "totals"), &after);
	before.system_bytes = 1000;
	after.system_bytes = 400;
	before.resident.in_use_bytes = 5;
	after.resident.in_use_bytes = 50;
	after.mmapped_bytes = 9;
	record_clear(inner(&diff_record, "totals"), &delta);
	delta_fill(inner(&diff_record, "totals"), &delta, inner(&model_record, "totals"),
		   &before, &after);
	ck_assert_int_eq(delta.system_bytes, -600);
	ck_assert_int_eq(delta.resident.in_use_bytes, 45);
	ck_assert_int_eq(delta.mmapped_bytes, INT64_MIN);
	ck_assert_int_eq(delta.heaps, INT64_MIN);
}

TEST(nothing_counts_as_zeros_and_lists_by_their_length)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);
	struct ari_arena *arena = model_add_arena(model, &err);
	struct ari_arena_delta delta;

	arena->in_use_bytes = 70;
	arena->tcache.bytes = 3;
	ck_assert_ptr_nonnull(model_add_heap(arena, &err));
	record_clear(inner(&diff_record, "arenas"), &delta);
	delta_fill(inner(&diff_record, "arenas"), &delta, inner(&model_record, "arenas"),
		   NULL, arena);
	ck_assert_int_eq(delta.in_use_bytes, 70);
	ck_assert_int_eq(delta.tcache.bytes, 3);
	ck_assert_int_eq(delta.heaps, 1);
	ck_assert_int_eq(delta.free_bytes, INT64_MIN);
	ari_model_free(model);
}

TEST(deltas_of_two_structs_are_added_and_their_other_members_are_not)
{
	struct ari_size_delta to = { 16, 32, 1, -2, 3, INT64_MIN, 0, 7 };
	const struct ari_size_delta from = { 64, 64, 10, 20, INT64_MIN, 40, 0, 2 };

	delta_sum(inner(&diff_record, "sizes"), &to, &from);
	ck_assert_uint_eq(to.from_bytes, 16);
	ck_assert_int_eq(to.in_use_chunks, 11);
	ck_assert_int_eq(to.in_use_bytes, 18);
	ck_assert_int_eq(to.free_chunks, INT64_MIN);
	ck_assert_int_eq(to.free_bytes, INT64_MIN);
	ck_assert_int_eq(to.tcache_bytes, 9);
}

/* A number of the model that has no delta would never be compared. */
static void expect_deltas(const struct record *delta, const struct record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct field *from = &record->fields[i];
		const struct field *to = record_field(delta, from->key);

		if (from->type != FIELD_NUMBER && from->type != FIELD_RECORD)
			continue;
		ck_assert_msg(to != NULL, "there is no delta of %s", from->key);
		if (from->type == FIELD_RECORD)
			expect_deltas(to->record, from->record);
		else if (to->type != FIELD_NUMBER)
			ck_assert_int_eq(to->type, FIELD_SIGNED);
	}
}

TEST(every_number_of_what_is_compared_has_a_delta)
{
	static const char *const compared[] = { "totals", "memory", "arenas" };

	for (size_t i = 0; i < sizeof(compared) / sizeof(*compared); i++)
		expect_deltas(inner(&diff_record, compared[i]),
			      inner(&model_record, compared[i]));
	expect_deltas(inner(&diff_record, "sizes"),
		      inner(inner(&model_record, "arenas"), "sizes"));
}

UNIT_MAIN("analyse/delta", delta_is_after_less_before,
	  delta_of_what_is_not_known_or_too_far_apart_is_unknown,
	  sum_with_what_is_not_known_or_too_large_is_unknown,
	  members_are_compared_by_their_keys,
	  nothing_counts_as_zeros_and_lists_by_their_length,
	  deltas_of_two_structs_are_added_and_their_other_members_are_not,
	  every_number_of_what_is_compared_has_a_delta)
