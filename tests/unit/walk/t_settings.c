// SPDX-License-Identifier: Apache-2.0
#include "model/model.h"
#include "unit.h"
#include "world.h"

#define HUGE_2M ((uint64_t)2 << 20)
#define USUAL	((uint64_t)64 << 20)

static uint64_t mp_of(const struct world *world)
{
	return world->symbols.address[SYM_MP];
}

static const struct ari_settings *read_settings(struct world *world)
{
	struct ari_error err;

	ari_model_free(world->walk.model);
	world->walk.model = model_new(&err);
	ck_works(walk_settings(&world->walk, &err), &err);
	return &world->walk.model->settings;
}

TEST(settings_are_those_of_mp)
{
	struct world world;
	const struct ari_settings *settings;
	const struct ari_totals *totals;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	world_set(&world, mp_of(&world), MP_ARENA_MAX, 4);
	world_set(&world, mp_of(&world), MP_MMAP_THRESHOLD, 0x101000);
	world_set(&world, mp_of(&world), MP_TRIM_THRESHOLD, 0x202000);
	world_set(&world, mp_of(&world), MP_N_MMAPS, 3);
	world_set(&world, mp_of(&world), MP_MMAPPED_MEM, 0x5000);
	world_set(&world, mp_of(&world), MP_THP_PAGESIZE, HUGE_2M);
	settings = read_settings(&world);
	ck_assert_uint_eq(settings->arena_max, 4);
	ck_assert_uint_eq(settings->arena_test, 8);
	ck_assert_uint_eq(settings->mmap_threshold_bytes, 0x101000);
	ck_assert_uint_eq(settings->trim_threshold_bytes, 0x202000);
	ck_assert_uint_eq(settings->top_pad_bytes, 131072);
	ck_assert_uint_eq(settings->mmaps_max, 65536);
	ck_assert_uint_eq(settings->tcache_max_bytes, 1032);
	ck_assert_uint_eq(settings->tcache_count, 7);
	ck_assert_uint_eq(settings->thp_page_bytes, HUGE_2M);
	ck_assert_uint_eq(settings->huge_page_bytes, 0);
	ck_assert_int_eq(settings->thresholds_dynamic, ARI_YES);
	totals = &world.walk.model->totals;
	ck_assert_uint_eq(totals->mmapped_chunks, 3);
	ck_assert_uint_eq(totals->mmapped_bytes, 0x5000);
	ck_assert_uint_eq(world.walk.heap_span, USUAL);
	ck_assert_uint_eq(world.walk.sbrk_base, WORLD_BRK);
	world_done(&world);
}

TEST(setting_that_the_release_lacks_is_unknown)
{
	struct world world;
	const struct ari_settings *settings;

	world_init(&world, LAYOUT_RELEASE(2, 24));
	settings = read_settings(&world);
	ck_assert_uint_eq(settings->tcache_count, ARI_UNKNOWN);
	ck_assert_uint_eq(settings->huge_page_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(settings->arena_test, 8);
	ck_assert_uint_eq(world.walk.heap_span, USUAL);
	world_done(&world);
}

TEST(thresholds_set_by_hand_are_not_dynamic)
{
	struct world world;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	world_set(&world, mp_of(&world), MP_NO_DYN_THRESHOLD, 1);
	ck_assert_int_eq(read_settings(&world)->thresholds_dynamic, ARI_NO);
	world_set(&world, mp_of(&world), MP_NO_DYN_THRESHOLD, 0x7f000000);
	ck_assert_int_eq(read_settings(&world)->thresholds_dynamic, ARI_MAYBE);
	world_done(&world);
}

TEST(heaps_span_four_huge_pages_where_the_release_does_so)
{
	static const struct {
		unsigned int release;
		uint64_t huge_page, span;
	} cases[] = {
		{ LAYOUT_RELEASE(2, 35), HUGE_2M, 4 * HUGE_2M },
		{ LAYOUT_RELEASE(2, 36), HUGE_2M, 4 * HUGE_2M },
		{ LAYOUT_RELEASE(2, 41), (uint64_t)1 << 30, (uint64_t)1 << 32 },
		{ LAYOUT_RELEASE(2, 42), HUGE_2M, USUAL },
		{ LAYOUT_RELEASE(2, 43), HUGE_2M, USUAL },
		{ LAYOUT_RELEASE(2, 36), 0, USUAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world world;

		world_init(&world, cases[i].release);
		world_set(&world, mp_of(&world), MP_HP_PAGESIZE, cases[i].huge_page);
		ck_assert_uint_eq(read_settings(&world)->huge_page_bytes,
				  cases[i].huge_page);
		ck_assert_uint_eq(world.walk.heap_span, cases[i].span);
		world_done(&world);
	}
}

TEST(huge_page_that_cannot_be_makes_no_span)
{
	static const uint64_t sizes[] = { 3,
					  HUGE_2M + 4096,
					  UINT64_MAX,
					  (uint64_t)1 << 63,
					  (uint64_t)1 << 62,
					  (uint64_t)1 << 40 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct world world;

		world_init(&world, LAYOUT_RELEASE(2, 36));
		world_set(&world, mp_of(&world), MP_HP_PAGESIZE, sizes[i]);
		read_settings(&world);
		ck_assert_uint_eq(world.walk.heap_span, USUAL);
		world_done(&world);
	}
}

TEST(mmapped_memory_beyond_what_is_mapped_is_unknown)
{
	static const uint64_t bytes[] = { (uint64_t)1 << 40, UINT64_MAX };
	struct world world;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	for (int i = 0; i < 2; i++) {
		world_set(&world, mp_of(&world), MP_MMAPPED_MEM, bytes[i]);
		read_settings(&world);
		ck_assert_uint_eq(world.walk.model->totals.mmapped_chunks, ARI_UNKNOWN);
		ck_assert_uint_eq(world.walk.model->totals.mmapped_bytes, ARI_UNKNOWN);
	}
	world_set(&world, mp_of(&world), MP_MMAPPED_MEM, 0);
	world_set(&world, mp_of(&world), MP_N_MMAPS, UINT32_MAX);
	read_settings(&world);
	ck_assert_uint_eq(world.walk.model->totals.mmapped_chunks, ARI_UNKNOWN);
	world_done(&world);
}

TEST(mp_that_cannot_be_read_is_unstable)
{
	struct world world;
	struct ari_error err;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	world.walk.model = model_new(&err);
	world.symbols.address[SYM_MP] = 0x1000;
	ck_fails(walk_settings(&world.walk, &err), &err, ARI_UNSTABLE);
	ck_assert_uint_eq(err.address, 0x1000);
	world_done(&world);
}

TEST(process_that_is_gone_is_not_called_unstable)
{
	struct world world;
	struct ari_error err;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	world.walk.model = model_new(&err);
	world.fake.broken = ARI_GONE;
	ck_fails(walk_settings(&world.walk, &err), &err, ARI_GONE);
	world_done(&world);
}

/* ---- how many arenas there may be ---- */

static const struct ari_settings *read_limit(struct world *world)
{
	struct ari_error err;

	ck_works(world_walk(world, &err), &err);
	ck_works(walk_limit(&world->walk, &err), &err);
	return &world->walk.model->settings;
}

TEST(limit_is_arena_max_where_that_is_set)
{
	struct world world;
	const struct ari_settings *settings;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	world_set(&world, mp_of(&world), MP_ARENA_MAX, 2);
	fake_put(&world.fake, world.symbols.address[SYM_NARENAS_LIMIT], 16);
	settings = read_limit(&world);
	ck_assert_uint_eq(settings->arena_limit, 2);
	ck_assert_uint_eq(settings->arena_limit_source, ARI_LIMIT_ARENA_MAX);
	ck_assert_uint_eq(settings->arena_limit_processors, ARI_UNKNOWN);
	world_done(&world);
}

TEST(limit_is_read_where_glibc_keeps_it)
{
	struct world world;
	const struct ari_settings *settings;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	fake_put(&world.fake, world.symbols.address[SYM_NARENAS_LIMIT], 16);
	settings = read_limit(&world);
	ck_assert_uint_eq(settings->arena_limit, 16);
	ck_assert_uint_eq(settings->arena_limit_source, ARI_LIMIT_READ);
	ck_assert_uint_eq(settings->arena_limit_processors, 2);
	world_done(&world);
}

TEST(limit_of_zero_was_not_computed_yet)
{
	struct world world;
	const struct ari_settings *settings;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	settings = read_limit(&world);
	ck_assert_uint_eq(settings->arena_limit, ARI_UNKNOWN);
	ck_assert_uint_eq(settings->arena_limit_source, ARI_LIMIT_NOT_COMPUTED);
	world_done(&world);
}

/* It is computed when a thread asks for one arena more: with its symbol or without. */
TEST(limit_of_zero_or_without_its_symbol_is_told_by_the_number_of_arenas)
{
	for (int with_symbol = 0; with_symbol < 2; with_symbol++) {
		struct world world;
		const struct ari_settings *settings;

		world_init(&world, LAYOUT_RELEASE(2, 36));
		if (!with_symbol)
			world.symbols.address[SYM_NARENAS_LIMIT] = 0;
		settings = read_limit(&world);
		ck_assert_uint_eq(settings->arena_limit_source, ARI_LIMIT_NOT_COMPUTED);
		for (int i = 0; i < 9; i++)
			world_add_arena(&world, 1);
		settings = read_limit(&world);
		ck_assert_uint_eq(settings->arena_limit, ARI_UNKNOWN);
		ck_assert_uint_eq(settings->arena_limit_source, ARI_UNKNOWN);
		world.walk.processors = 2;
		settings = read_limit(&world);
		ck_assert_uint_eq(settings->arena_limit, 16);
		ck_assert_uint_eq(settings->arena_limit_source, ARI_LIMIT_ESTIMATED);
		ck_assert_uint_eq(settings->arena_limit_processors, 2);
		world_done(&world);
	}
}

TEST(limit_that_cannot_be_read_is_unknown)
{
	struct world world;
	const struct ari_settings *settings;

	world_init(&world, LAYOUT_RELEASE(2, 36));
	world.symbols.address[SYM_NARENAS_LIMIT] = 0x1000;
	settings = read_limit(&world);
	ck_assert_uint_eq(settings->arena_limit, ARI_UNKNOWN);
	ck_assert_uint_eq(settings->arena_limit_source, ARI_UNKNOWN);
	world_done(&world);
}

UNIT_MAIN("walk/settings", settings_are_those_of_mp,
	  setting_that_the_release_lacks_is_unknown,
	  thresholds_set_by_hand_are_not_dynamic,
	  heaps_span_four_huge_pages_where_the_release_does_so,
	  huge_page_that_cannot_be_makes_no_span,
	  mmapped_memory_beyond_what_is_mapped_is_unknown,
	  mp_that_cannot_be_read_is_unstable, process_that_is_gone_is_not_called_unstable,
	  limit_is_arena_max_where_that_is_set, limit_is_read_where_glibc_keeps_it,
	  limit_of_zero_was_not_computed_yet,
	  limit_of_zero_or_without_its_symbol_is_told_by_the_number_of_arenas,
	  limit_that_cannot_be_read_is_unknown)
