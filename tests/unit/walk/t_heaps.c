// SPDX-License-Identifier: Apache-2.0
#include "model/model.h"
#include "unit.h"
#include "world.h"

#define V236 LAYOUT_RELEASE(2, 36)

/*
 * Each damage is done to the arena with two heaps, arenas[2]; main and the other
 * arena must still be right.
 */
static struct world_arena *begin(struct world *world)
{
	world_init_three(world, V236);
	return &world->arenas[2];
}

static void walk(struct world *world)
{
	struct ari_error err;

	ck_works(world_walk(world, &err), &err);
	ck_assert_uint_eq(world->walk.model->arenas.count, 3);
	world_expect_right(world, &world->arenas[0]);
	world_expect_right(world, &world->arenas[1]);
}

static void expect_damage(struct world *world, const char *word, uint64_t address)
{
	walk(world);
	world_expect_damage(world, world->arenas[2].address, word, address);
	world_done(world);
}

TEST(heaps_are_listed_oldest_first)
{
	struct world world;
	const struct world_arena *arena = begin(&world);
	const struct ari_arena *found;

	walk(&world);
	world_expect_right(&world, arena);
	found = world_find(&world, arena->address);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(found->heaps.at[i].bytes, WORLD_HEAP_BYTES);
		ck_assert_uint_eq(found->heaps.at[i].mprotect_bytes, WORLD_HEAP_BYTES);
		ck_assert_uint_eq(found->heaps.at[i].span_bytes, (uint64_t)64 << 20);
		ck_assert_uint_eq(found->heaps.at[i].resident_bytes, ARI_UNKNOWN);
	}
	world_done(&world);
}

TEST(heap_that_shrank_is_smaller_than_what_was_made_writable)
{
	struct world world;
	const struct world_arena *arena = begin(&world);
	uint64_t newest = arena->heap[1];
	const struct ari_arena *found;

	world_set(&world, newest, HI_SIZE, 0x11000);
	world_set(&world, arena->address, MS_SYSTEM_MEM, arena->system_mem - 0x10000);
	fake_put(&world.fake, arena->top + 8, (0x11000 - 0x2000) | 1);
	walk(&world);
	found = world_find(&world, arena->address);
	ck_assert_uint_eq(found->damage.count, 0);
	ck_assert_uint_eq(found->state, ARI_STATE_STEADY);
	ck_assert_uint_eq(found->heaps.at[1].bytes, 0x11000);
	ck_assert_uint_eq(found->heaps.at[1].mprotect_bytes, WORLD_HEAP_BYTES);
	world_done(&world);
}

TEST(heap_may_fill_its_span)
{
	struct world world;
	struct world_arena *arena;
	struct ari_error err;

	world_init(&world, V236);
	world.span = 0x800000;
	world_set(&world, world.symbols.address[SYM_MP], MP_HP_PAGESIZE, 0x200000);
	arena = world_add_arena(&world, 1);
	fake_map(&world.fake, arena->heap[0] + WORLD_HEAP_BYTES,
		 0x800000 - WORLD_HEAP_BYTES, "rw-p", "");
	world_set(&world, arena->heap[0], HI_SIZE, 0x800000);
	world_set(&world, arena->heap[0], HI_MPROTECT_SIZE, 0x800000);
	world_set(&world, arena->address, MS_SYSTEM_MEM, 0x800000);
	fake_put(&world.fake, arena->top + 8, (0x800000 - 0x2000) | 1);
	ck_works(world_walk(&world, &err), &err);
	ck_assert_uint_eq(world_damages(&world, NULL), 0);
	ck_assert_uint_eq(world_find(&world, arena->address)->system_bytes, 0x800000);
	ck_assert_uint_eq(world_find(&world, arena->address)->state, ARI_STATE_STEADY);
	world_done(&world);
}

TEST(heap_chain_that_loops_is_reported_once)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[0], HI_PREV, arena->heap[1]);
	expect_damage(&world, "heap-chain-loops", arena->heap[1]);
}

TEST(heap_that_is_its_own_predecessor_is_a_loop)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[1], HI_PREV, arena->heap[1]);
	expect_damage(&world, "heap-chain-loops", arena->heap[1]);
}

TEST(heap_chain_to_where_no_heap_can_start_is_astray)
{
	static const uint64_t places[] = { 1, 0x1000, UINT64_MAX };

	for (int i = 0; i < 3; i++) {
		struct world world;
		const struct world_arena *arena = begin(&world);

		world_set(&world, arena->heap[0], HI_PREV, places[i]);
		expect_damage(&world, "heap-chain-astray", places[i]);
	}
}

TEST(heap_chain_into_another_arena_is_reported)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[0], HI_PREV, world.arenas[1].heap[0]);
	expect_damage(&world, "heap-of-other-arena", world.arenas[1].heap[0]);
}

TEST(heap_that_names_another_arena_is_reported)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[1], HI_AR_PTR, world.arenas[1].address);
	expect_damage(&world, "heap-of-other-arena", arena->heap[1]);
}

TEST(heap_chain_to_what_is_not_mapped_is_unreadable)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[0], HI_PREV, (uint64_t)64 << 20);
	expect_damage(&world, "heap-unreadable", (uint64_t)64 << 20);
}

TEST(heap_in_swap_is_unreadable_and_stays_there)
{
	struct world world;
	struct world_arena *arena;
	const struct ari_arena *found;

	world_init(&world, V236);
	world_add_arena(&world, 1);
	arena = world_add_arena(&world, 3);
	fake_set_pages(&world.fake, arena->heap[1], 1, PAGE_SWAPPED);
	walk(&world);
	world_expect_damage(&world, arena->address, "heap-unreadable", arena->heap[1]);
	found = world_find(&world, arena->address);
	ck_assert_uint_eq(found->heaps.count, 1);
	ck_assert_uint_eq(found->heaps.at[0].address, arena->heap[2]);
	world_done(&world);
}

TEST(heap_larger_than_what_is_mapped_is_impossible)
{
	static const uint64_t sizes[] = { WORLD_HEAP_BYTES + 0x1000, (uint64_t)1 << 40,
					  UINT64_MAX };

	for (int i = 0; i < 3; i++) {
		struct world world;
		const struct world_arena *arena = begin(&world);

		world_set(&world, arena->heap[0], HI_SIZE, sizes[i]);
		world_set(&world, arena->heap[0], HI_MPROTECT_SIZE, sizes[i]);
		expect_damage(&world, "heap-size-impossible", arena->heap[0]);
	}
}

TEST(heap_larger_than_what_was_made_writable_is_impossible)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[0], HI_MPROTECT_SIZE, WORLD_HEAP_BYTES - 0x1000);
	expect_damage(&world, "heap-size-impossible", arena->heap[0]);
}

TEST(heap_of_no_bytes_is_impossible)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->heap[0], HI_SIZE, 0);
	expect_damage(&world, "heap-size-impossible", arena->heap[0]);
}

TEST(heap_larger_than_its_span_is_impossible)
{
	struct world world;
	struct world_arena *arena;
	struct ari_error err;

	world_init(&world, V236);
	world.span = 0x800000;
	world_set(&world, world.symbols.address[SYM_MP], MP_HP_PAGESIZE, 0x200000);
	arena = world_add_arena(&world, 1);
	fake_map(&world.fake, arena->heap[0] + WORLD_HEAP_BYTES, 0x800000, "rw-p", "");
	world_set(&world, arena->heap[0], HI_SIZE, 0x801000);
	world_set(&world, arena->heap[0], HI_MPROTECT_SIZE, 0x801000);
	ck_works(world_walk(&world, &err), &err);
	world_expect_damage(&world, arena->address, "heap-size-impossible",
			    arena->heap[0]);
	world_done(&world);
}

/* Heaps that may be read but not written to are none that could be mapped. */
TEST(heap_chain_longer_than_what_is_mapped_is_reported_once)
{
	struct world world;
	struct world_arena *arena;
	struct ari_error err;

	world_init(&world, V236);
	arena = world_add_arena(&world, 8);
	for (size_t i = 0; i < arena->heaps; i++)
		fake_protect(&world.fake, arena->heap[i], "r--p");
	ck_works(world_walk(&world, &err), &err);
	world_expect_right(&world, &world.arenas[0]);
	ck_assert_uint_eq(world_damages(&world, "heap-chain-too-long"), 1);
	world_done(&world);
}

/* ---- top ---- */

static void expect_top_damage(struct world *world, const char *word, uint64_t address)
{
	const struct ari_arena *found;

	walk(world);
	found = world_find(world, world->arenas[2].address);
	ck_assert_uint_eq(world_damages(world, word), 1);
	ck_assert_str_eq(found->damage.at[0].id, word);
	ck_assert_uint_eq(found->damage.at[0].address, address);
	ck_assert_uint_eq(found->top.bytes, ARI_UNKNOWN);
	world_done(world);
}

TEST(top_that_is_not_aligned_is_astray)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->address, MS_TOP, arena->top + 8);
	expect_top_damage(&world, "top-astray", arena->top + 8);
}

TEST(top_that_is_not_mapped_is_astray)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->address, MS_TOP, 0x1230);
	expect_top_damage(&world, "top-astray", 0x1238);
}

TEST(top_at_the_end_of_the_address_space_is_astray)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->address, MS_TOP, UINT64_MAX - 15);
	expect_top_damage(&world, "top-astray", UINT64_MAX - 7);
}

TEST(top_in_swap_is_not_read)
{
	struct world world;
	const struct world_arena *arena = begin(&world);
	const struct ari_arena *found;

	fake_set_pages(&world.fake, arena->top, 1, PAGE_SWAPPED);
	walk(&world);
	found = world_find(&world, arena->address);
	ck_assert_uint_eq(found->top.bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(found->heaps.count, 2);
	ck_assert_uint_eq(found->system_bytes, arena->system_mem);
	world_done(&world);
}

TEST(top_of_an_impossible_size_is_reported)
{
	static const uint64_t sizes[] = { 0, 1, 16, WORLD_HEAP_BYTES * 4, UINT64_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct world world;
		const struct world_arena *arena = begin(&world);

		fake_put(&world.fake, arena->top + 8, sizes[i]);
		walk(&world);
		world_expect_damage(&world, arena->address, "top-size-impossible",
				    arena->top);
		ck_assert_uint_eq(world_find(&world, arena->address)->top.bytes,
				  ARI_UNKNOWN);
		ck_assert_uint_eq(world_find(&world, arena->address)->heaps.count, 2);
		world_done(&world);
	}
}

/* As while a heap grows: the books do not hold, but each number may be true. */
TEST(top_that_ends_beyond_its_heap_makes_an_arena_torn)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	fake_map(&world.fake, arena->heap[1] + WORLD_HEAP_BYTES, 0x10000, "rw-p", "");
	fake_put(&world.fake, arena->top + 8, WORLD_HEAP_BYTES | 1);
	walk(&world);
	ck_assert_uint_eq(world_find(&world, arena->address)->state, ARI_STATE_TORN);
	world_done(&world);
}

TEST(top_of_another_arena_is_reported)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	world_set(&world, arena->address, MS_TOP, world.arenas[1].top);
	walk(&world);
	ck_assert_uint_eq(world_damages(&world, "heap-of-other-arena"), 1);
	world_done(&world);
}

TEST(top_with_flags_is_without_them)
{
	struct world world;
	const struct world_arena *arena = begin(&world);

	fake_put(&world.fake, arena->top + 8, arena->top_bytes | 7);
	walk(&world);
	world_expect_right(&world, arena);
	world_done(&world);
}

TEST(arena_that_is_being_made_has_no_heaps_and_no_damage)
{
	struct world world;
	const struct world_arena *arena = begin(&world);
	const struct ari_arena *found;

	world_set(&world, arena->address, MS_TOP, 0);
	world_set(&world, arena->address, MS_SYSTEM_MEM, 0);
	walk(&world);
	found = world_find(&world, arena->address);
	ck_assert_uint_eq(found->damage.count, 0);
	ck_assert_uint_eq(found->top.bytes, 0);
	ck_assert(found->heaps.known);
	ck_assert_uint_eq(found->heaps.count, 0);
	world_done(&world);
}

/* ---- main ---- */

static const struct ari_arena *walk_main(struct world *world)
{
	struct ari_error err;

	ck_works(world_walk(world, &err), &err);
	return &world->walk.model->arenas.at[0];
}

TEST(segment_of_main_is_brk_up_to_the_end_of_top)
{
	struct world world;
	const struct ari_arena *found;

	world_init(&world, V236);
	found = walk_main(&world);
	world_expect_right(&world, &world.arenas[0]);
	ck_assert_uint_eq(found->heaps.at[0].bytes, WORLD_HEAP_BYTES);
	ck_assert_uint_eq(found->heaps.at[0].mprotect_bytes, WORLD_HEAP_BYTES);
	ck_assert_uint_eq(found->heaps.at[0].span_bytes, WORLD_HEAP_BYTES);
	world_done(&world);
}

TEST(main_before_its_first_request_has_no_segment)
{
	static const bool initialised[] = { false, true };

	for (int i = 0; i < 2; i++) {
		struct world world;
		uint64_t address, bins;
		const struct ari_arena *found;

		world_init(&world, V236);
		address = world.arenas[0].address;
		bins = address + world.layout.members[MS_BINS].offset;
		world_set(&world, address, MS_TOP, initialised[i] ? bins - 16 : 0);
		world_set(&world, address, MS_SYSTEM_MEM, 0);
		world_set(&world, address, MS_MAX_SYSTEM_MEM, 0);
		world_set(&world, world.symbols.address[SYM_MP], MP_SBRK_BASE, 0);
		found = walk_main(&world);
		ck_assert_uint_eq(found->damage.count, 0);
		ck_assert_uint_eq(found->state, ARI_STATE_STEADY);
		ck_assert_uint_eq(found->system_bytes, 0);
		ck_assert_uint_eq(found->top.bytes, 0);
		ck_assert(found->heaps.known);
		ck_assert_uint_eq(found->heaps.count, 0);
		world_done(&world);
	}
}

TEST(top_of_main_below_its_base_is_astray)
{
	struct world world;
	const struct ari_arena *found;

	world_init(&world, V236);
	world_set(&world, world.symbols.address[SYM_MP], MP_SBRK_BASE,
		  WORLD_BRK + ((uint64_t)1 << 32));
	found = walk_main(&world);
	world_expect_damage(&world, found->address, "top-astray", world.arenas[0].top);
	world_done(&world);
}

TEST(base_of_main_below_a_gap_makes_top_astray)
{
	struct world world;
	const struct ari_arena *found;

	world_init(&world, V236);
	world_set(&world, world.symbols.address[SYM_MP], MP_SBRK_BASE, 0x1000);
	found = walk_main(&world);
	world_expect_damage(&world, found->address, "top-astray", world.arenas[0].top);
	world_done(&world);
}

TEST(main_in_pieces_lists_those_that_are_known)
{
	struct world world;
	const struct world_arena *built;
	const struct ari_arena *found;
	uint64_t piece = 0x7ffff0000000;

	world_init(&world, V236);
	built = &world.arenas[0];
	fake_map(&world.fake, piece, 0x100000, "rw-p", "");
	fake_put(&world.fake, piece + 0x1008, (0x100000 - 0x1000) | 1);
	world_set(&world, built->address, MS_TOP, piece + 0x1000);
	world_set(&world, built->address, MS_FLAGS, 2);
	world_set(&world, built->address, MS_SYSTEM_MEM, built->system_mem + 0x100000);
	found = walk_main(&world);
	ck_assert_uint_eq(found->damage.count, 0);
	ck_assert_uint_eq(found->state, ARI_STATE_STEADY);
	ck_assert_uint_eq(found->heaps.count, 2);
	ck_assert_uint_eq(found->heaps.at[0].address, WORLD_BRK);
	ck_assert_uint_eq(found->heaps.at[0].bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(found->heaps.at[0].span_bytes, WORLD_HEAP_BYTES);
	ck_assert_uint_eq(found->heaps.at[1].address, piece);
	ck_assert_uint_eq(found->top.bytes, 0xff000);
	world_done(&world);
}

UNIT_MAIN("walk/heaps", heaps_are_listed_oldest_first,
	  heap_that_shrank_is_smaller_than_what_was_made_writable, heap_may_fill_its_span,
	  heap_chain_that_loops_is_reported_once,
	  heap_that_is_its_own_predecessor_is_a_loop,
	  heap_chain_to_where_no_heap_can_start_is_astray,
	  heap_chain_into_another_arena_is_reported,
	  heap_that_names_another_arena_is_reported,
	  heap_chain_to_what_is_not_mapped_is_unreadable,
	  heap_in_swap_is_unreadable_and_stays_there,
	  heap_larger_than_what_is_mapped_is_impossible,
	  heap_larger_than_what_was_made_writable_is_impossible,
	  heap_of_no_bytes_is_impossible, heap_larger_than_its_span_is_impossible,
	  heap_chain_longer_than_what_is_mapped_is_reported_once,
	  top_that_is_not_aligned_is_astray, top_that_is_not_mapped_is_astray,
	  top_at_the_end_of_the_address_space_is_astray, top_in_swap_is_not_read,
	  top_of_an_impossible_size_is_reported,
	  top_that_ends_beyond_its_heap_makes_an_arena_torn,
	  top_of_another_arena_is_reported, top_with_flags_is_without_them,
	  arena_that_is_being_made_has_no_heaps_and_no_damage,
	  segment_of_main_is_brk_up_to_the_end_of_top,
	  main_before_its_first_request_has_no_segment,
	  top_of_main_below_its_base_is_astray, base_of_main_below_a_gap_makes_top_astray,
	  main_in_pieces_lists_those_that_are_known)
