// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/clock.h"
#include "unit.h"
#include "walk/marks.h"
#include "world.h"

#define V236 LAYOUT_RELEASE(2, 36)
#define PAGE ((uint64_t)4096)

/* One chunk in use from `at`, and two fenceposts up to the end of the piece. */
static void put_piece(struct world *world, uint64_t at, uint64_t bytes)
{
	fake_put(&world->fake, at + 8, (bytes - 32) | 1);
	fake_put(&world->fake, at + bytes - 32 + 8, 16 | 1);
	fake_put(&world->fake, at + bytes - 16 + 8, 16 | 1);
}

/* top's is the last that is walked, wherever it is. */
TEST(pieces_of_main_are_listed_by_address)
{
	const uint64_t piece = 0x400000000000, bytes = 16 * PAGE;
	struct world world;
	struct ari_error err;
	const struct ari_arena *found;
	uint64_t main_arena;

	world_init(&world, V236);
	main_arena = world.arenas[0].address;
	put_piece(&world, WORLD_BRK, WORLD_HEAP_BYTES);
	fake_map(&world.fake, piece, bytes, "rw-p", "");
	fake_put(&world.fake, piece + 8, PAGE | 1);
	fake_put(&world.fake, piece + PAGE + 8, (bytes - PAGE) | 1);
	world_set(&world, main_arena, MS_TOP, piece + PAGE);
	world_set(&world, main_arena, MS_FLAGS, 2);
	world_set(&world, main_arena, MS_SYSTEM_MEM, WORLD_HEAP_BYTES + bytes);
	ck_works(world_walk(&world, &err), &err);
	world.walk.jobs = 1;
	ck_works(walk_depth(&world.walk, &err), &err);
	found = &world.walk.model->arenas.at[0];
	ck_assert_uint_eq(found->state, ARI_STATE_STEADY);
	ck_assert_uint_eq(found->heaps.count, 2);
	ck_assert_uint_eq(found->heaps.at[0].address, piece);
	ck_assert_uint_eq(found->heaps.at[1].address, WORLD_BRK);
	world_done(&world);
}

static bool look_slowly(struct mem *mem, uint64_t start, size_t count, uint8_t *states,
			struct ari_error *err)
{
	uint64_t begun = clock_monotonic_ns();

	(void)mem, (void)start, (void)err;
	while (count > 64 && clock_monotonic_ns() - begun < 10000000)
		;
	memset(states, PAGE_PRESENT, count);
	return true;
}

/* main_arena has one segment of brk, all of it top. */
static uint64_t make_all_top(struct world *world, uint64_t bytes)
{
	const uint64_t at = 0x400000000000;
	uint64_t main_arena;

	world_init(world, V236);
	main_arena = world->arenas[0].address;
	fake_map(&world->fake, at, bytes, "rw-p", "");
	fake_put(&world->fake, at + 8, bytes | 1);
	world_set(world, world->symbols.address[SYM_MP], MP_SBRK_BASE, at);
	world_set(world, main_arena, MS_TOP, at);
	world_set(world, main_arena, MS_SYSTEM_MEM, bytes);
	return main_arena;
}

/* Of a segment that is all top, only the pages are looked at. */
TEST(time_that_is_over_ends_the_counting_of_pages)
{
	struct world world;
	struct mem_ops ops;
	struct ari_error err;

	make_all_top(&world, (uint64_t)512 << 20);
	ck_works(world_walk(&world, &err), &err);
	ops = *world.fake.mem.ops;
	ops.pages = ops.mapped_pages = look_slowly;
	world.fake.mem.ops = &ops;
	world.walk.jobs = 1;
	world.walk.deadline = deadline_in(100000000);
	ck_fails(walk_depth(&world.walk, &err), &err, ARI_TIMED_OUT);
	world_done(&world);
}

#define LISTED ((uint64_t)0x500000000000)

/*
 * The first fastbin has `count` chunks, `step` apart, in a mapping where nothing but the
 * list leads to.
 */
static void put_fastbin(struct world *world, uint64_t main_arena, uint64_t count,
			uint64_t step)
{
	fake_map(&world->fake, LISTED, (count * step + PAGE - 1) / PAGE * PAGE, "rw-p",
		 "/a/file");
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = LISTED + i * step, next = i + 1 < count ? at + step : 0;

		fake_put(&world->fake, at + 8, 32 | 1);
		fake_put(&world->fake, at + 16, (at + 16) >> 12 ^ next);
	}
	fake_put(&world->fake, main_arena + world->layout.members[MS_FASTBINS].offset,
		 LISTED);
}

TEST(lists_that_were_cut_are_noted)
{
	struct world world;
	struct ari_error err;
	const struct ari_model *model;

	put_fastbin(&world, make_all_top(&world, (uint64_t)1 << 20), 1001, 32);
	ck_works(world_walk(&world, &err), &err);
	world.walk.jobs = 1;
	world.walk.marks_most = 1000;
	ck_works(walk_depth(&world.walk, &err), &err);
	model = world.walk.model;
	ck_assert_uint_eq(model->arenas.at[0].state, ARI_STATE_STEADY);
	ck_assert_uint_eq(model->arenas.at[0].damage.count, 0);
	ck_assert_uint_eq(model->quality.notes.count, 1);
	ck_assert_ptr_nonnull(strstr(model->quality.notes.at[0], "fastbins"));
	world_done(&world);
}

static void see_listed(struct fake *fake, uint64_t address)
{
	must(fake->data == NULL || address < LISTED || address >= LISTED + 1000 * PAGE);
}

TEST(lists_of_an_arena_with_impossible_bytes_are_not_followed)
{
	for (unsigned int flags = 0; flags <= 2; flags += 2) {
		struct world world;
		struct ari_error err;
		uint64_t main_arena = make_all_top(&world, (uint64_t)1 << 20);

		put_fastbin(&world, main_arena, 1000, PAGE);
		ck_works(world_walk(&world, &err), &err);
		world_set(&world, main_arena, MS_FLAGS, flags);
		world_set(&world, main_arena, MS_SYSTEM_MEM, (uint64_t)1 << 60);
		world.fake.data = &world;
		world.fake.before_copy = see_listed;
		world.walk.jobs = 1;
		ck_works(walk_depth(&world.walk, &err), &err);
		ck_assert_uint_eq(world_damages(&world, "system-impossible"), 1);
		ck_assert_uint_eq(world_damages(&world, NULL), 1);
		world_done(&world);
	}
}

UNIT_MAIN("walk/depth", pieces_of_main_are_listed_by_address,
	  time_that_is_over_ends_the_counting_of_pages, lists_that_were_cut_are_noted,
	  lists_of_an_arena_with_impossible_bytes_are_not_followed)
