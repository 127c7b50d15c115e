// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "model/model.h"
#include "unit.h"
#include "walk/owners.h"
#include "world.h"

#define V236	 LAYOUT_RELEASE(2, 36)
#define STACKS	 ((uint64_t)0x7ffe00000000)
#define STACK_AT 1680 /* stackblock in struct pthread of x86_64 */

static void expect_part(const struct owned *owned, size_t i, uint64_t start, uint64_t end)
{
	must(i < owned->list.count);
	ck_assert_uint_eq(owned->list.at[i].start, start);
	ck_assert_uint_eq(owned->list.at[i].end, end);
}

TEST(parts_are_put_in_order_and_cut)
{
	static const struct span parts[] = { { 50, 60 }, { 10, 20 }, { 15, 30 },
					     { 16, 18 }, { 10, 12 }, { 60, 60 } };
	struct owned owned = { 0 };
	struct ari_error err;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		ck_works(owned_add(&owned, parts[i].start, parts[i].end, &err), &err);
	owned_order(&owned);
	ck_assert_uint_eq(owned_bytes(&owned), 30);
	for (size_t i = 1; i < owned.list.count; i++)
		must(owned.list.at[i - 1].end <= owned.list.at[i].start);
	ck_assert_ptr_null(owned_find(&owned, 9));
	ck_assert_ptr_nonnull(owned_find(&owned, 10));
	ck_assert_ptr_nonnull(owned_find(&owned, 29));
	ck_assert_ptr_null(owned_find(&owned, 30));
	ck_assert_uint_eq(owned_find(&owned, 55)->start, 50);
	list_done(&owned.list);
}

TEST(heaps_are_what_arenas_may_use_and_reserve)
{
	struct owners owners = { 0 };
	struct world world;
	struct ari_error err;
	const struct world_arena *arena;

	world_init_three(&world, V236);
	arena = &world.arenas[2];
	ck_works(world_walk(&world, &err), &err);
	ck_works(owners_take_heaps(&world.walk, &owners, &err), &err);
	ck_assert(owners.heaps_known);
	ck_assert_uint_eq(owners.heaps.list.count, 4);
	expect_part(&owners.heaps, 0, WORLD_BRK, WORLD_BRK + WORLD_HEAP_BYTES);
	ck_assert_uint_eq(owners.reserves.list.count, 3);
	for (int i = 0; i < 2; i++) {
		const struct span *heap = owned_find(&owners.heaps, arena->heap[i]);
		uint64_t end = arena->heap[i] + WORLD_HEAP_BYTES;

		ck_assert_uint_eq(heap->start, arena->heap[i]);
		ck_assert_uint_eq(heap->end, end);
		heap = owned_find(&owners.reserves, end);
		ck_assert_uint_eq(heap->start, end);
		ck_assert_uint_eq(heap->end, arena->heap[i] + world.span);
	}
	owners_done(&owners);
	world_done(&world);
}

TEST(heaps_whose_extent_is_not_known_are_not_told)
{
	for (int turn = 0; turn < 3; turn++) {
		struct owners owners = { 0 };
		struct ari_arena *arena;
		struct world world;
		struct ari_error err;

		world_init_three(&world, V236);
		ck_works(world_walk(&world, &err), &err);
		arena = &world.walk.model->arenas.at[1];
		if (turn == 0) {
			arena->heaps.at[0].bytes = ARI_UNKNOWN;
		} else if (turn == 1) {
			model_clear_arena(arena);
		} else {
			/* Each of its pieces is known, but these are not all. */
			arena->heaps.at[0].resident_bytes = 4096;
			arena->heaps.at[1].resident_bytes = 4096;
		}
		ck_works(owners_take_heaps(&world.walk, &owners, &err), &err);
		ck_assert(!owners.heaps_known);
		owners_done(&owners);
		world_done(&world);
	}
}

static void take_stack(struct world *world, uint64_t pthread, struct owners *owners)
{
	struct ari_error err;

	*owners = (struct owners){ 0 };
	ck_works(owners_take_stacks(&world->walk, &pthread, 1, owners, &err), &err);
}

/* Two stacks that the kernel made one mapping of, and memory of others above. */
TEST(stack_is_what_struct_pthread_says)
{
	uint64_t pthread = STACKS + 0x9000;
	struct owners owners;
	struct world world;

	world_init(&world, V236);
	fake_map(&world.fake, STACKS, 0x20000, "rw-p", "");
	fake_put(&world.fake, pthread + STACK_AT, STACKS + 0x2000);
	fake_put(&world.fake, pthread + STACK_AT + 8, 0x8000);
	take_stack(&world, pthread, &owners);
	ck_assert_uint_eq(owners.stacks.list.count, 1);
	expect_part(&owners.stacks, 0, STACKS + 0x2000, STACKS + 0xa000);
	owners_done(&owners);
	world_done(&world);
}

TEST(stack_that_cannot_be_is_the_mapping)
{
	static const uint64_t claims[][2] = {
		{ 0, 0 },
		{ STACKS + 0xa000, 0x1000 },	 /* does not hold the struct */
		{ STACKS, 0x9000 },		 /* ends in front of it */
		{ STACKS - 0x1000, 0x11000 },	 /* is not mapped */
		{ STACKS, UINT64_MAX - STACKS }, /* goes on beyond everything */
		{ UINT64_MAX, 2 },
	};

	for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
		uint64_t pthread = STACKS + 0x9000;
		struct owners owners;
		struct world world;

		world_init(&world, V236);
		fake_map(&world.fake, STACKS, 0x10000, "rw-p", "");
		fake_put(&world.fake, pthread + STACK_AT, claims[i][0]);
		fake_put(&world.fake, pthread + STACK_AT + 8, claims[i][1]);
		take_stack(&world, pthread, &owners);
		expect_part(&owners.stacks, 0, STACKS, STACKS + 0x10000);
		owners_done(&owners);
		world_done(&world);
	}
}

TEST(struct_pthread_in_swap_is_not_brought_back)
{
	struct owners owners;
	struct world world;

	world_init(&world, V236);
	fake_map(&world.fake, STACKS, 0x10000, "rw-p", "");
	fake_set_pages(&world.fake, STACKS, 16, PAGE_SWAPPED);
	take_stack(&world, STACKS + 0x9000, &owners);
	expect_part(&owners.stacks, 0, STACKS, STACKS + 0x10000);
	owners_done(&owners);
	world_done(&world); /* fails when a page was touched */
}

TEST(struct_pthread_that_is_nowhere_is_no_stack)
{
	static const uint64_t places[] = { 0, 8, STACKS + 0x10000, UINT64_MAX - 100 };

	for (int i = 0; i < 5; i++) {
		uint64_t at = i < 4 ? places[i] : STACKS + 0x2000;
		struct owners owners;
		struct world world;

		world_init(&world, V236);
		fake_map(&world.fake, STACKS, 0x10000, "rw-p", i < 4 ? "" : "/a/file");
		take_stack(&world, at, &owners);
		ck_assert_uint_eq(owners.stacks.list.count, 0);
		owners_done(&owners);
		world_done(&world);
	}
}

TEST(process_that_went_away_is_an_error)
{
	uint64_t pthread = STACKS;
	struct owners owners = { 0 };
	struct world world;
	struct ari_error err;

	world_init(&world, V236);
	fake_map(&world.fake, STACKS, 0x10000, "rw-p", "");
	world.fake.broken = ARI_GONE;
	ck_fails(owners_take_stacks(&world.walk, &pthread, 1, &owners, &err), &err,
		 ARI_GONE);
	owners_done(&owners);
	world_done(&world);
}

UNIT_MAIN("walk/owners", parts_are_put_in_order_and_cut,
	  heaps_are_what_arenas_may_use_and_reserve,
	  heaps_whose_extent_is_not_known_are_not_told, stack_is_what_struct_pthread_says,
	  stack_that_cannot_be_is_the_mapping, struct_pthread_in_swap_is_not_brought_back,
	  struct_pthread_that_is_nowhere_is_no_stack, process_that_went_away_is_an_error)
