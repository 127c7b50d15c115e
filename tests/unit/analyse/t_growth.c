// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "analyse/measure.h"
#include "moments.h"
#include "unit.h"

#define PERCENT(bytes) ((bytes) / 100 * LEAST_PERCENT)

static struct moments its;

static struct ari_arena *before(size_t i)
{
	return &its.before->arenas.at[i];
}

static struct ari_arena *after(size_t i)
{
	return &its.after->arenas.at[i];
}

static void begin(void)
{
	moments_init(&its);
}

/* Compares, and ends the test. */
static void expect(const char *verdict)
{
	moments_compare(&its);
	ck_assert_str_eq(moments_verdict(&its), verdict);
	moments_done(&its);
}

/* The first finding's number of that name. */
static uint64_t evidence(const char *name)
{
	const struct ari_finding *finding = its.diff->findings.at;

	for (size_t i = 0; i < finding->evidence.count; i++)
		if (strcmp(finding->evidence.at[i].name, name) == 0)
			return finding->evidence.at[i].value;
	ck_abort_msg("no evidence %s", name);
}

static void use(struct ari_arena *arena, uint64_t bytes)
{
	moments_use(arena, 1024, bytes / 1024);
}

static void add_free(struct ari_arena *arena, uint64_t bytes)
{
	arena->free_bytes += bytes;
	arena->system_bytes += bytes;
	arena->resident.total_bytes += bytes;
}

/* ---- in use ---- */

TEST(what_is_in_use_grows_from_the_least_on)
{
	begin();
	use(after(1), LEAST_BYTES - 1024);
	expect("");
	begin();
	use(after(1), LEAST_BYTES);
	expect("GROWING-IN-USE");
}

TEST(what_is_in_use_grows_from_some_per_cent_on)
{
	const uint64_t base = UINT64_C(1) << 30;

	begin();
	use(before(1), base);
	use(after(1), base + PERCENT(base) - 2048);
	expect("");
	begin();
	use(before(1), base);
	use(after(1), base + PERCENT(base) + 2048);
	expect("GROWING-IN-USE");
}

TEST(growth_in_one_arena_and_shrinking_in_another_is_none)
{
	begin();
	use(before(0), MUCH);
	use(after(1), MUCH);
	expect("");
}

TEST(size_that_grew_most_is_named)
{
	begin();
	moments_use(after(0), 48, 100);
	moments_use(after(0), 640, MUCH / 640);
	moments_use(after(1), 4096, 100);
	moments_compare(&its);
	ck_assert_uint_eq(evidence("size_from_bytes"), 640);
	ck_assert_uint_eq(evidence("size_to_bytes"), 640);
	ck_assert_uint_eq(evidence("size_grown_chunks"), MUCH / 640);
	ck_assert_uint_eq(evidence("seconds"), 60);
	ck_assert_ptr_nonnull(strstr(its.diff->findings.at->message, "640 bytes"));
	ck_assert_ptr_nonnull(strstr(its.diff->findings.at->message, "per hour"));
	moments_done(&its);
}

TEST(no_rate_is_told_of_less_than_a_second)
{
	begin();
	its.after->taken.begun_ns = its.before->taken.begun_ns + 500000000;
	use(after(0), MUCH);
	moments_compare(&its);
	ck_assert_ptr_null(strstr(its.diff->findings.at->message, "per hour"));
	moments_done(&its);
}

TEST(what_was_not_read_before_may_have_been_in_use)
{
	begin();
	before(1)->unread_bytes = MUCH;
	use(after(1), MUCH);
	expect("");
	begin();
	before(1)->unread_bytes = MUCH;
	use(after(1), 2 * MUCH + 1024);
	moments_compare(&its);
	ck_assert_str_eq(moments_verdict(&its), "GROWING-IN-USE");
	ck_assert_uint_eq(evidence("grown_bytes"), MUCH + 1024);
	moments_done(&its);
}

TEST(torn_arenas_do_not_count)
{
	for (int side = 0; side < 2; side++) {
		begin();
		use(after(1), MUCH);
		(side == 0 ? before(1) : after(1))->state = ARI_STATE_TORN;
		moments_compare(&its);
		ck_assert_str_eq(moments_verdict(&its), "");
		ck_assert_uint_eq(its.diff->notes.count, 1);
		moments_done(&its);
	}
}

TEST(unknown_numbers_are_no_growth)
{
	begin();
	for (size_t i = 0; i < 2; i++) {
		before(i)->in_use_bytes = before(i)->free_bytes = ARI_UNKNOWN;
		use(after(i), MUCH);
		add_free(after(i), MUCH);
	}
	its.before->totals.mmapped_bytes = ARI_UNKNOWN;
	its.after->totals.mmapped_bytes = MUCH;
	its.before->memory.at[ARI_MEMORY_ANONYMOUS].resident_bytes = ARI_UNKNOWN;
	its.after->memory.at[ARI_MEMORY_ANONYMOUS].resident_bytes = MUCH;
	moments_compare(&its);
	ck_assert_str_eq(moments_verdict(&its), "");
	ck_assert_uint_eq(its.diff->undecided.count, 4);
	ck_assert_str_eq(its.diff->undecided.at[0], "GROWING-IN-USE");
	ck_assert_str_eq(its.diff->undecided.at[1], "GROWING-FREE");
	ck_assert_str_eq(its.diff->undecided.at[2], "GROWING-MMAPPED");
	ck_assert_str_eq(its.diff->undecided.at[3], "GROWING-OUTSIDE");
	moments_done(&its);
}

/* Of one arena it is known: what the others did is in the notes. */
TEST(what_is_known_in_part_is_decided)
{
	begin();
	before(0)->in_use_bytes = ARI_UNKNOWN;
	moments_compare(&its);
	ck_assert(its.diff->undecided.known);
	ck_assert_uint_eq(its.diff->undecided.count, 0);
	moments_done(&its);
}

TEST(caches_on_one_side_alone_are_no_growth)
{
	begin();
	before(1)->tcache.bytes = 0;
	use(after(1), MUCH);
	expect("");
}

TEST(what_a_new_arena_has_in_use_is_growth)
{
	begin();
	moments_add_arena(its.after, 0x3000);
	use(after(2), MUCH);
	expect("GROWING-IN-USE");
}

/* ---- free ---- */

TEST(free_memory_grows_from_the_least_on)
{
	begin();
	add_free(after(1), LEAST_BYTES - 1);
	expect("");
	begin();
	add_free(after(1), LEAST_BYTES);
	expect("GROWING-FREE");
}

TEST(what_the_application_has_freed_is_no_growth)
{
	begin();
	use(before(1), MUCH);
	add_free(after(1), MUCH);
	expect("");
	begin();
	use(before(1), MUCH);
	add_free(after(1), MUCH);
	before(1)->resident.total_bytes = after(1)->resident.total_bytes = ARI_UNKNOWN;
	before(0)->resident.total_bytes = after(0)->resident.total_bytes = ARI_UNKNOWN;
	expect("");
}

TEST(free_memory_that_was_given_back_is_no_growth)
{
	begin();
	add_free(after(1), MUCH);
	after(1)->resident.total_bytes -= MUCH;
	expect("");
}

TEST(free_memory_that_went_to_swap_is_growth)
{
	begin();
	add_free(after(1), MUCH);
	after(1)->resident.total_bytes -= MUCH;
	after(1)->heaps.at[0].swapped_bytes = MUCH;
	expect("GROWING-FREE");
}

TEST(where_residency_is_unknown_malloc_s_view_decides)
{
	begin();
	add_free(after(1), MUCH);
	before(0)->resident.total_bytes = before(1)->resident.total_bytes = ARI_UNKNOWN;
	expect("GROWING-FREE");
}

/* ---- arenas ---- */

static void add_arenas(uint64_t count, uint64_t free_bytes)
{
	for (uint64_t i = 0; i < count; i++) {
		moments_add_arena(its.after, 0x10000 + 0x1000 * i);
		add_free(after(its.after->arenas.count - 1), free_bytes);
	}
}

TEST(arenas_grow_from_the_least_on)
{
	begin();
	add_arenas(LEAST_ARENAS - 1, 1000);
	expect("");
	begin();
	add_arenas(LEAST_ARENAS, 1000);
	expect("GROWING-ARENAS");
}

TEST(arenas_grow_from_some_per_cent_on)
{
	begin();
	for (uint64_t i = 0; i < 98; i++) {
		moments_add_arena(its.before, 0x1000000 + i * 0x1000);
		moments_add_arena(its.after, 0x1000000 + i * 0x1000);
	}
	add_arenas(ARENAS_PERCENT - 1, 1000);
	expect("");
}

TEST(free_memory_of_new_arenas_is_theirs)
{
	begin();
	add_arenas(LEAST_ARENAS, MUCH);
	expect("GROWING-ARENAS");
	begin();
	add_arenas(1, MUCH);
	expect("GROWING-FREE");
}

/* ---- mmapped, outside ---- */

TEST(mmapped_chunks_grow_from_the_least_on)
{
	begin();
	its.after->totals.mmapped_bytes = 100 + LEAST_BYTES - 1;
	expect("");
	begin();
	its.after->totals.mmapped_bytes = 100 + LEAST_BYTES;
	its.after->totals.mmapped_chunks = 2;
	expect("GROWING-MMAPPED");
}

TEST(memory_outside_malloc_grows_by_kind)
{
	static const enum ari_memory_kind kinds[] = { ARI_MEMORY_STACKS,
						      ARI_MEMORY_ANONYMOUS,
						      ARI_MEMORY_FILES,
						      ARI_MEMORY_SHARED };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		begin();
		its.after->memory.at[kinds[i]].resident_bytes += LEAST_BYTES - 1;
		expect("");
		begin();
		its.after->memory.at[kinds[i]].resident_bytes += LEAST_BYTES;
		moments_compare(&its);
		ck_assert_str_eq(moments_verdict(&its), "GROWING-OUTSIDE");
		ck_assert_uint_eq(evidence(ari_memory_kind_name(kinds[i])), LEAST_BYTES);
		ck_assert_ptr_nonnull(strstr(its.diff->findings.at->message,
					     ari_memory_kind_name(kinds[i])));
		moments_done(&its);
	}
}

TEST(memory_of_malloc_is_not_outside)
{
	begin();
	its.after->memory.at[ARI_MEMORY_MALLOC_HEAPS].resident_bytes += MUCH;
	its.after->memory.at[ARI_MEMORY_MALLOC_MMAPPED].resident_bytes += MUCH;
	expect("");
}

TEST(memory_that_goes_to_swap_has_not_grown)
{
	struct ari_memory *row;

	begin();
	its.before->memory.at[ARI_MEMORY_ANONYMOUS].swapped_bytes = MUCH;
	row = &its.after->memory.at[ARI_MEMORY_ANONYMOUS];
	row->resident_bytes += MUCH;
	expect("");
}

TEST(kind_that_shrinks_does_not_hide_one_that_grows)
{
	begin();
	its.before->memory.at[ARI_MEMORY_FILES].resident_bytes += MUCH;
	its.after->memory.at[ARI_MEMORY_ANONYMOUS].resident_bytes += MUCH;
	expect("GROWING-OUTSIDE");
}

TEST(largest_growth_comes_first)
{
	begin();
	its.after->totals.mmapped_bytes += MUCH;
	its.after->memory.at[ARI_MEMORY_SHARED].resident_bytes += 3 * MUCH;
	use(after(0), 2 * MUCH);
	moments_compare(&its);
	ck_assert_uint_eq(its.diff->findings.count, 3);
	ck_assert_str_eq(its.diff->findings.at[0].id, "GROWING-OUTSIDE");
	ck_assert_str_eq(its.diff->findings.at[1].id, "GROWING-IN-USE");
	ck_assert_str_eq(its.diff->findings.at[2].id, "GROWING-MMAPPED");
	moments_done(&its);
}

/* As a snapshot may have them that somebody has made up. */
TEST(numbers_of_any_size_do_no_harm)
{
	static const uint64_t numbers[] = { 0, 1, INT64_MAX, UINT64_C(1) << 63,
					    UINT64_MAX - 1 };
	uint64_t seed = 1;

	for (int round = 0; round < 1000; round++) {
		begin();
		moments_use(before(0), 1024, 1);
		moments_use(after(0), 1024, 1);
		for (int side = 0; side < 2; side++) {
			struct ari_model *model = side == 0 ? its.before : its.after;
			struct ari_arena *arena = &model->arenas.at[0];
			uint64_t *const members[] = {
				&arena->in_use_bytes,
				&arena->free_bytes,
				&arena->fast.bytes,
				&arena->top.bytes,
				&arena->system_bytes,
				&arena->unread_bytes,
				&arena->resident.total_bytes,
				&arena->heaps.at[0].swapped_bytes,
				&arena->sizes.at[0].in_use_bytes,
				&arena->sizes.at[0].in_use_chunks,
				&model->memory.at[ARI_MEMORY_SHARED].resident_bytes,
				&model->memory.at[ARI_MEMORY_STACKS].resident_bytes,
				&model->memory.at[ARI_MEMORY_STACKS].swapped_bytes,
				&model->totals.mmapped_bytes,
				&model->totals.mmapped_chunks,
			};

			for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
				*members[i] = numbers[unit_random(&seed) % 5];
		}
		moments_compare(&its);
		moments_done(&its);
	}
}

UNIT_MAIN("analyse/growth", what_is_in_use_grows_from_the_least_on,
	  what_is_in_use_grows_from_some_per_cent_on,
	  growth_in_one_arena_and_shrinking_in_another_is_none,
	  size_that_grew_most_is_named, no_rate_is_told_of_less_than_a_second,
	  what_was_not_read_before_may_have_been_in_use, torn_arenas_do_not_count,
	  unknown_numbers_are_no_growth, what_is_known_in_part_is_decided,
	  caches_on_one_side_alone_are_no_growth, what_a_new_arena_has_in_use_is_growth,
	  free_memory_grows_from_the_least_on,
	  what_the_application_has_freed_is_no_growth,
	  free_memory_that_was_given_back_is_no_growth,
	  free_memory_that_went_to_swap_is_growth,
	  where_residency_is_unknown_malloc_s_view_decides, arenas_grow_from_the_least_on,
	  arenas_grow_from_some_per_cent_on, free_memory_of_new_arenas_is_theirs,
	  mmapped_chunks_grow_from_the_least_on, memory_outside_malloc_grows_by_kind,
	  memory_of_malloc_is_not_outside, memory_that_goes_to_swap_has_not_grown,
	  kind_that_shrinks_does_not_hide_one_that_grows, largest_growth_comes_first,
	  numbers_of_any_size_do_no_harm)
