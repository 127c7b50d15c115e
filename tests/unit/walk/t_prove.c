// SPDX-License-Identifier: Apache-2.0
#include "layout/table.h"
#include "unit.h"
#include "walk/prove.h"
#include "world.h"

#define V217 LAYOUT_RELEASE(2, 17)
#define V223 LAYOUT_RELEASE(2, 23)
#define V236 LAYOUT_RELEASE(2, 36)
#define V243 LAYOUT_RELEASE(2, 43)

static struct proof prove(struct world *world, unsigned int release, uint64_t address)
{
	struct layout layout;
	struct ari_error err;
	struct proof proof;

	table_layout(&arch_x86_64, release, &layout);
	ck_works(prove_state(&world->fake.mem, &layout, address, 0, &proof, &err), &err);
	return proof;
}

TEST(each_layout_proves_itself_on_its_own_process)
{
	static const unsigned int releases[] = { V217, V223, V236, V243 };

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
		struct world world;
		struct proof proof;

		world_init_three(&world, releases[i]);
		proof = prove(&world, releases[i], world.arenas[0].address);
		ck_assert(proof.passed);
		ck_assert_uint_eq(proof.odd, 0);
		ck_assert_uint_eq(proof.arenas, 3);
		world_done(&world);
	}
}

/*
 * 2.43's malloc_state laid over 2.36's 88 bytes behind its start: top, bins, next
 * and system_mem fall on each other.  Only the ring tells that it is another place.
 */
TEST(newer_layout_behind_an_older_state_is_disproved_by_the_ring)
{
	struct world world;
	struct proof proof;

	world_init_three(&world, V236);
	proof = prove(&world, V243, world.arenas[0].address + 88);
	ck_assert(!proof.passed);
	world_done(&world);
}

TEST(damaged_arena_of_the_ring_is_odd_and_no_disproof)
{
	struct world world;
	struct proof proof;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[1].address, MS_TOP, 0x1230);
	proof = prove(&world, V236, world.arenas[0].address);
	ck_assert(proof.passed);
	ck_assert_uint_ge(proof.odd, 1);
	ck_assert_uint_eq(proof.arenas, 3);
	world_done(&world);
}

TEST(damaged_main_arena_needs_another_witness)
{
	struct world world;
	struct proof proof;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[0].address, MS_SYSTEM_MEM, (uint64_t)1 << 60);
	proof = prove(&world, V236, world.arenas[0].address);
	ck_assert(!proof.passed);
	ck_assert(proof.may_be_damaged);
	world_done(&world);
}

TEST(state_without_bins_is_none)
{
	struct world world;
	struct proof proof;

	world_init(&world, V236);
	world_set(&world, world.arenas[0].address, MS_BINS, 1);
	proof = prove(&world, V236, world.arenas[0].address);
	ck_assert(!proof.passed);
	ck_assert(!proof.may_be_damaged);
	world_done(&world);
}

UNIT_MAIN("walk/prove", each_layout_proves_itself_on_its_own_process,
	  newer_layout_behind_an_older_state_is_disproved_by_the_ring,
	  damaged_arena_of_the_ring_is_odd_and_no_disproof,
	  damaged_main_arena_needs_another_witness, state_without_bins_is_none)
