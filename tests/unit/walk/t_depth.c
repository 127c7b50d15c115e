// SPDX-License-Identifier: Apache-2.0
#include "unit.h"
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

UNIT_MAIN("walk/depth", pieces_of_main_are_listed_by_address)
