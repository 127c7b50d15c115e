// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "analyse/totals.h"
#include "model/model.h"
#include "unit.h"
#include "world.h"

#define V236 LAYOUT_RELEASE(2, 36)

static const unsigned int releases[] = {
	LAYOUT_RELEASE(2, 17), LAYOUT_RELEASE(2, 23), LAYOUT_RELEASE(2, 26),
	LAYOUT_RELEASE(2, 31), LAYOUT_RELEASE(2, 36), LAYOUT_RELEASE(2, 42),
	LAYOUT_RELEASE(2, 43),
};

static void walk(struct world *world)
{
	struct ari_error err;

	ck_works(world_walk(world, &err), &err);
}

static void expect_all_right(const struct world *world)
{
	const struct ari_model *model = world->walk.model;

	ck_assert_uint_eq(model->arenas.count, world->count);
	for (size_t i = 0; i < world->count; i++)
		world_expect_right(world, &world->arenas[i]);
	ck_assert_int_eq(model->stopped.code, ARI_OK);
	ck_assert_uint_eq(model->quality.retries, 0);
}

/* ---- at rest ---- */

TEST(ring_at_rest_is_right_in_every_release)
{
	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
		struct world world;

		world_init_three(&world, releases[i]);
		walk(&world);
		expect_all_right(&world);
		world_done(&world);
	}
}

TEST(ring_is_in_the_order_of_malloc_info)
{
	struct world world;
	const struct ari_model *model;

	world_init_three(&world, V236);
	walk(&world);
	model = world.walk.model;
	ck_assert_uint_eq(model->arenas.at[0].address, world.arenas[0].address);
	ck_assert_uint_eq(model->arenas.at[1].address, world.arenas[2].address);
	ck_assert_uint_eq(model->arenas.at[2].address, world.arenas[1].address);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(model->arenas.at[i].index, i);
		ck_assert_uint_eq(model->arenas.at[i].kind,
				  i == 0 ? ARI_ARENA_MAIN : ARI_ARENA_THREAD);
	}
	world_done(&world);
}

TEST(main_alone_is_a_ring)
{
	struct world world;

	world_init(&world, V236);
	walk(&world);
	expect_all_right(&world);
	world_done(&world);
}

TEST(ring_at_rest_is_right_with_large_pages)
{
	static const uint64_t sizes[] = { 16384, 65536 };

	for (int i = 0; i < 2; i++) {
		struct world world;

		world_init_pages(&world, V236, sizes[i]);
		world_add_arena(&world, 1);
		world_add_arena(&world, 3);
		walk(&world);
		expect_all_right(&world);
		world_done(&world);
	}
}

TEST(ring_at_rest_is_right_where_heaps_span_four_huge_pages)
{
	struct world world;

	world_init(&world, V236);
	world.span = (uint64_t)8 << 20;
	world_set(&world, world.symbols.address[SYM_MP], MP_HP_PAGESIZE, 2 << 20);
	world_add_arena(&world, 1);
	world_add_arena(&world, 3);
	walk(&world);
	expect_all_right(&world);
	world_done(&world);
}

TEST(what_chunks_say_is_not_known_from_headers)
{
	struct world world;
	const struct ari_arena *arena;

	world_init_three(&world, V236);
	walk(&world);
	arena = &world.walk.model->arenas.at[1];
	ck_assert_uint_eq(arena->in_use_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(arena->fast.bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(arena->resident.total_bytes, ARI_UNKNOWN);
	ck_assert(!arena->bins.known);
	ck_assert(arena->damage.known);
	world_done(&world);
}

TEST(arena_without_threads_is_idle)
{
	struct world world;
	const struct ari_arena *arena;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[1].address, MS_ATTACHED_THREADS, 0);
	world_set(&world, world.arenas[2].address, MS_ATTACHED_THREADS, 12);
	walk(&world);
	arena = world_find(&world, world.arenas[1].address);
	ck_assert_uint_eq(arena->attached_threads, 0);
	ck_assert_int_eq(arena->idle, ARI_YES);
	arena = world_find(&world, world.arenas[2].address);
	ck_assert_uint_eq(arena->attached_threads, 12);
	ck_assert_int_eq(arena->idle, ARI_NO);
	world_done(&world);
}

TEST(release_without_attached_threads_does_not_tell_who_is_idle)
{
	struct world world;

	world_init_three(&world, LAYOUT_RELEASE(2, 17));
	walk(&world);
	for (size_t i = 0; i < 3; i++) {
		const struct ari_arena *arena = &world.walk.model->arenas.at[i];

		ck_assert_uint_eq(arena->attached_threads, ARI_UNKNOWN);
		ck_assert_int_eq(arena->idle, ARI_MAYBE);
		ck_assert_uint_eq(arena->damage.count, 0);
	}
	world_done(&world);
}

TEST(last_remainder_is_an_address)
{
	struct world world;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[1].address, MS_LAST_REMAINDER, 0x7fff00001000);
	walk(&world);
	ck_assert_uint_eq(world_find(&world, world.arenas[1].address)->last_remainder,
			  0x7fff00001000);
	ck_assert_uint_eq(world_find(&world, world.arenas[2].address)->last_remainder, 0);
	world_done(&world);
}

/* ---- the ring ---- */

TEST(ring_that_loops_past_main_is_reported_once)
{
	struct world world;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[1].address, MS_NEXT, world.arenas[2].address);
	walk(&world);
	world_expect_damage(&world, world.arenas[1].address, "ring-loops",
			    world.arenas[2].address);
	ck_assert_uint_eq(world.walk.model->arenas.count, 3);
	world_expect_right(&world, &world.arenas[0]);
	world_expect_right(&world, &world.arenas[2]);
	ck_assert_int_eq(world.walk.model->stopped.code, ARI_UNSTABLE);
	world_done(&world);
}

TEST(arena_that_is_its_own_successor_is_a_loop)
{
	struct world world;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[2].address, MS_NEXT, world.arenas[2].address);
	walk(&world);
	world_expect_damage(&world, world.arenas[2].address, "ring-loops",
			    world.arenas[2].address);
	world_done(&world);
}

TEST(ring_that_leads_astray_ends_there)
{
	uint64_t places[] = {
		0, 1, 0x7fff00000000, 0x7fff00000031, UINT64_MAX, WORLD_BRK
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct world world;

		world_init_three(&world, V236);
		world_set(&world, world.arenas[2].address, MS_NEXT, places[i]);
		walk(&world);
		ck_assert_uint_eq(world.walk.model->arenas.count, 2);
		world_expect_damage(&world, world.arenas[2].address, "ring-leads-astray",
				    places[i]);
		world_expect_right(&world, &world.arenas[0]);
		ck_assert_int_eq(world.walk.model->stopped.code, ARI_UNSTABLE);
		world_done(&world);
	}
}

TEST(ring_that_leads_to_a_later_heap_is_astray)
{
	struct world world;
	uint64_t inside;

	world_init_three(&world, V236);
	inside = world.arenas[2].heap[1] + world.layout.bytes[HEAP_INFO];
	world_set(&world, world.arenas[1].address, MS_NEXT, inside);
	walk(&world);
	world_expect_damage(&world, world.arenas[1].address, "ring-leads-astray", inside);
	world_done(&world);
}

/* Heaps that may be read but not written to are none that could be mapped. */
TEST(ring_longer_than_what_is_mapped_is_reported_once)
{
	struct world world;

	world_init(&world, V236);
	for (int i = 0; i < 12; i++)
		fake_protect(&world.fake, world_add_arena(&world, 1)->heap[0], "r--p");
	walk(&world);
	ck_assert_uint_eq(world_damages(&world, "ring-too-long"), 1);
	ck_assert_uint_lt(world.walk.model->arenas.count, 6);
	world_expect_right(&world, &world.arenas[0]);
	ck_assert_int_eq(world.walk.model->stopped.code, ARI_UNSTABLE);
	world_done(&world);
}

/* ---- what cannot be read ---- */

TEST(main_arena_that_is_not_mapped_is_unstable)
{
	struct world world;
	struct ari_error err;

	world_init_three(&world, V236);
	world.symbols.address[SYM_MAIN_ARENA] = 0x1000;
	ck_fails(world_walk(&world, &err), &err, ARI_UNSTABLE);
	ck_assert_uint_eq(err.address, 0x1000);
	world_done(&world);
}

TEST(main_arena_in_swap_is_unstable_and_stays_there)
{
	struct world world;
	struct ari_error err;

	world_init_three(&world, V236);
	world.symbols.address[SYM_MP] = world.arenas[1].top + 0x1000; /* readable */
	fake_set_pages(&world.fake, world.arenas[0].address, 1, PAGE_SWAPPED);
	ck_fails(world_walk(&world, &err), &err, ARI_UNSTABLE);
	world_done(&world);
}

TEST(arena_in_swap_is_unreadable_and_not_called_astray)
{
	struct world world;

	world_init_three(&world, V236);
	fake_set_pages(&world.fake, world.arenas[1].heap[0], 1, PAGE_SWAPPED);
	walk(&world);
	world_expect_right(&world, &world.arenas[0]);
	ck_assert_uint_eq(world_damages(&world, "ring-leads-astray"), 0);
	ck_assert_uint_eq(world_damages(&world, "arena-unreadable"), 1);
	world_done(&world);
}

/* The page goes to swap between the look at the heap's header and the arena. */
static void swap_out_behind_header(struct fake *fake, uint64_t address)
{
	const struct world *world = fake->data;
	const struct world_arena *arena = &world->arenas[1];

	if (address == arena->heap[0])
		fake_set_pages(fake, arena->heap[0], 1, PAGE_SWAPPED);
}

static void put_page_back(struct fake *fake, const struct world *world)
{
	fake->before_copy = NULL;
	fake_set_pages(fake, world->arenas[1].heap[0], 1, PAGE_PRESENT);
	fake->disturbed = 0; /* the header's own bytes were on their way */
}

TEST(arena_that_becomes_unreadable_is_reported_once)
{
	struct world world;

	world_init_three(&world, V236);
	world.fake.before_copy = swap_out_behind_header;
	world.fake.data = &world;
	walk(&world);
	put_page_back(&world.fake, &world);
	world_expect_damage(&world, world.arenas[1].address, "arena-unreadable",
			    world.arenas[1].address);
	world_expect_right(&world, &world.arenas[0]);
	world_expect_right(&world, &world.arenas[2]);
	world_done(&world);
}

TEST(process_that_goes_away_ends_the_walk)
{
	static const enum ari_code codes[] = { ARI_GONE, ARI_DENIED, ARI_NO_MEMORY };

	for (int i = 0; i < 3; i++) {
		struct world world;
		struct ari_error err;

		world_init_three(&world, V236);
		walk(&world);
		world.fake.broken = codes[i];
		ck_fails(walk_arenas(&world.walk, &err), &err, codes[i]);
		world_done(&world);
	}
}

static void vanish_later(struct fake *fake, uint64_t address)
{
	(void)address;
	if (fake->copies > 9)
		fake->broken = ARI_GONE;
}

TEST(process_that_goes_away_midway_ends_the_walk)
{
	struct world world;
	struct ari_error err;

	world_init_three(&world, V236);
	world.fake.before_copy = vanish_later;
	ck_fails(world_walk(&world, &err), &err, ARI_GONE);
	world_done(&world);
}

TEST(time_that_is_over_ends_the_walk)
{
	struct world world;
	struct ari_error err;

	world_init_three(&world, V236);
	world.walk.deadline.at_ns = 1;
	ck_fails(world_walk(&world, &err), &err, ARI_TIMED_OUT);
	ck_assert_uint_le(world.walk.model->arenas.count, 1);
	world_done(&world);
}

/* ---- numbers that cannot be ---- */

TEST(system_mem_beyond_what_is_mapped_is_impossible)
{
	static const uint64_t sizes[] = { (uint64_t)1 << 40, UINT64_MAX };

	for (int i = 0; i < 2; i++) {
		struct world world;

		world_init_three(&world, V236);
		world_set(&world, world.arenas[2].address, MS_SYSTEM_MEM, sizes[i]);
		walk(&world);
		world_expect_damage(&world, world.arenas[2].address, "system-impossible",
				    world.arenas[2].address);
		ck_assert_uint_eq(
			world_find(&world, world.arenas[2].address)->system_bytes,
			ARI_UNKNOWN);
		world_expect_right(&world, &world.arenas[0]);
		world_expect_right(&world, &world.arenas[1]);
		world_done(&world);
	}
}

TEST(attached_threads_beyond_any_machine_is_impossible)
{
	static const uint64_t numbers[] = { ((uint64_t)1 << 22) + 1, UINT64_MAX - 1 };

	for (int i = 0; i < 2; i++) {
		struct world world;
		const struct ari_arena *arena;

		world_init_three(&world, V236);
		world_set(&world, world.arenas[2].address, MS_ATTACHED_THREADS,
			  numbers[i]);
		walk(&world);
		world_expect_damage(&world, world.arenas[2].address,
				    "attached-impossible", world.arenas[2].address);
		arena = world_find(&world, world.arenas[2].address);
		ck_assert_uint_eq(arena->attached_threads, ARI_UNKNOWN);
		ck_assert_int_eq(arena->idle, ARI_MAYBE);
		world_expect_right(&world, &world.arenas[1]);
		world_done(&world);
	}
}

/* One detach too many: the very number that stands for "not known". */
TEST(attached_threads_of_minus_one_is_impossible_too)
{
	struct world world;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[2].address, MS_ATTACHED_THREADS, UINT64_MAX);
	walk(&world);
	world_expect_damage(&world, world.arenas[2].address, "attached-impossible",
			    world.arenas[2].address);
	world_done(&world);
}

TEST(main_arena_with_an_impossible_size_is_unstable)
{
	struct world world;
	struct ari_error err;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[0].address, MS_SYSTEM_MEM, UINT64_MAX / 2);
	ck_fails(world_walk(&world, &err), &err, ARI_UNSTABLE);
	world_done(&world);
}

/* ---- what moves ---- */

TEST(arena_that_is_locked_is_busy_after_five_tries)
{
	struct world world;
	const struct ari_arena *arena;
	unsigned int before = fake_pauses();

	world_init_three(&world, V236);
	world_set(&world, world.arenas[1].address, MS_MUTEX, 1);
	walk(&world);
	arena = world_find(&world, world.arenas[1].address);
	ck_assert_uint_eq(arena->state, ARI_STATE_BUSY);
	ck_assert_int_eq(arena->locked, ARI_YES);
	ck_assert_uint_eq(arena->system_bytes, world.arenas[1].system_mem);
	ck_assert_uint_eq(arena->heaps.count, 1);
	ck_assert_uint_eq(arena->damage.count, 0);
	ck_assert_uint_eq(world.walk.model->quality.retries, 4);
	ck_assert_uint_eq(fake_pauses() - before, 4);
	ck_assert_uint_eq(world.fake.refreshes, 4);
	world_expect_right(&world, &world.arenas[0]);
	world_expect_right(&world, &world.arenas[2]);
	world_done(&world);
}

struct mover {
	struct world *world;
	unsigned int moves; /* how often it still moves */
	bool is_away;
};

/* top goes to and fro by a page, with a right header at both places. */
static void move_top(struct fake *fake, uint64_t address)
{
	struct mover *mover = fake->data;
	const struct world_arena *arena = &mover->world->arenas[1];

	if (address != arena->address || mover->moves == 0)
		return;
	mover->moves--;
	mover->is_away = !mover->is_away;
	world_set(mover->world, arena->address, MS_TOP,
		  arena->top + (mover->is_away ? 0x1000 : 0));
}

static void start_moving(struct world *world, struct mover *mover, unsigned int moves)
{
	const struct world_arena *arena = &world->arenas[1];

	*mover = (struct mover){ world, moves, false };
	fake_put(&world->fake, arena->top + 0x1008, (arena->top_bytes - 0x1000) | 1);
	world->fake.before_copy = move_top;
	world->fake.data = mover;
}

TEST(arena_that_keeps_moving_is_torn_after_five_tries)
{
	struct world world;
	struct mover mover;
	const struct ari_arena *arena;

	world_init_three(&world, V236);
	start_moving(&world, &mover, UINT32_MAX);
	walk(&world);
	arena = world_find(&world, world.arenas[1].address);
	ck_assert_uint_eq(arena->state, ARI_STATE_TORN);
	ck_assert_uint_eq(arena->damage.count, 0);
	ck_assert_uint_eq(arena->heaps.count, 1);
	ck_assert_uint_eq(world.walk.model->quality.retries, 4);
	world_expect_right(&world, &world.arenas[0]);
	world_expect_right(&world, &world.arenas[2]);
	world_done(&world);
}

TEST(arena_that_comes_to_rest_is_steady)
{
	struct world world;
	struct mover mover;

	world_init_three(&world, V236);
	start_moving(&world, &mover, 4);
	walk(&world);
	for (size_t i = 0; i < 3; i++)
		world_expect_right(&world, &world.arenas[i]);
	ck_assert_uint_eq(world.walk.model->quality.retries, 2);
	world_done(&world);
}

TEST(heap_that_grew_since_the_maps_were_read_is_right_after_a_refresh)
{
	struct world world;
	struct ari_error err;
	const struct map *map;

	world_init_three(&world, V236);
	map = maps_find(&world.fake.maps, world.arenas[2].heap[1]);
	world.fake.maps.list.at[map - world.fake.maps.list.at].end -= 0x10000;
	ck_works(world_walk(&world, &err), &err);
	for (size_t i = 0; i < 3; i++)
		world_expect_right(&world, &world.arenas[i]);
	ck_assert_uint_eq(world.walk.model->quality.retries, 1);
	ck_assert_uint_eq(world_damages(&world, NULL), 0);
	world_done(&world);
}

TEST(books_that_do_not_hold_make_an_arena_torn)
{
	struct world world;
	const struct ari_arena *arena;

	world_init_three(&world, V236);
	world_set(&world, world.arenas[2].address, MS_SYSTEM_MEM,
		  world.arenas[2].system_mem - 0x1000);
	world_set(&world, world.arenas[0].address, MS_SYSTEM_MEM,
		  world.arenas[0].system_mem - 0x1000);
	walk(&world);
	arena = world_find(&world, world.arenas[2].address);
	ck_assert_uint_eq(arena->state, ARI_STATE_TORN);
	ck_assert_uint_eq(arena->damage.count, 0);
	ck_assert_uint_eq(world.walk.model->arenas.at[0].state, ARI_STATE_TORN);
	world_expect_right(&world, &world.arenas[1]);
	world_done(&world);
}

TEST(second_walk_says_the_same)
{
	struct world world;

	world_init_three(&world, V236);
	for (int i = 0; i < 2; i++) {
		walk(&world);
		expect_all_right(&world);
	}
	world_done(&world);
}

/* ---- the free list ---- */

static void put_head(struct world *world, uint64_t value)
{
	fake_put(&world->fake, world->symbols.address[SYM_FREE_LIST], value);
}

TEST(free_list_is_counted_for_the_proof)
{
	struct world world;

	world_init_three(&world, V236);
	put_head(&world, world.arenas[1].address);
	world_set(&world, world.arenas[1].address, MS_NEXT_FREE, world.arenas[2].address);
	world_set(&world, world.arenas[1].address, MS_ATTACHED_THREADS, 0);
	world_set(&world, world.arenas[2].address, MS_ATTACHED_THREADS, 0);
	walk(&world);
	ck_assert_uint_eq(world_damages(&world, NULL), 0);
	ck_assert_uint_eq(world.walk.model->libc.proof.count, 1);
	ck_assert_str_eq(world.walk.model->libc.proof.at[0],
			 "the list of free arenas holds 2; 2 have no thread attached");
	world_done(&world);
}

TEST(free_list_that_is_empty_is_no_damage)
{
	struct world world;

	world_init_three(&world, V236);
	walk(&world);
	ck_assert_uint_eq(world_damages(&world, NULL), 0);
	world_done(&world);
}

TEST(free_list_without_its_symbol_is_left_out)
{
	struct world world;

	world_init_three(&world, V236);
	world.symbols.address[SYM_FREE_LIST] = 0;
	walk(&world);
	ck_assert_uint_eq(world_damages(&world, NULL), 0);
	ck_assert_uint_eq(world.walk.model->libc.proof.count, 0);
	world_done(&world);
}

TEST(free_list_that_leads_astray_is_reported_once)
{
	static const uint64_t places[] = { 1, 0x1000, WORLD_BRK, UINT64_MAX };

	for (int i = 0; i < 4; i++) {
		struct world world;

		world_init_three(&world, V236);
		put_head(&world, world.arenas[1].address);
		world_set(&world, world.arenas[1].address, MS_NEXT_FREE, places[i]);
		walk(&world);
		world_expect_damage(&world, world.arenas[0].address, "free-list-astray",
				    places[i]);
		world_done(&world);
	}
}

TEST(free_list_that_loops_is_reported_once)
{
	struct world world;
	const struct ari_arena *main_arena;

	world_init_three(&world, V236);
	put_head(&world, world.arenas[1].address);
	world_set(&world, world.arenas[1].address, MS_NEXT_FREE, world.arenas[2].address);
	world_set(&world, world.arenas[2].address, MS_NEXT_FREE, world.arenas[1].address);
	walk(&world);
	main_arena = &world.walk.model->arenas.at[0];
	ck_assert_uint_eq(main_arena->damage.count, 1);
	ck_assert_str_eq(main_arena->damage.at[0].id, "free-list-loops");
	world_done(&world);
}

TEST(free_list_whose_head_cannot_be_read_is_left_out)
{
	struct world world;

	world_init_three(&world, V236);
	world.symbols.address[SYM_FREE_LIST] = 0x1000;
	walk(&world);
	ck_assert_uint_eq(world_damages(&world, NULL), 0);
	world_done(&world);
}

/* ---- whatever the bytes are ---- */

static uint64_t random_address(const struct world *world, uint64_t *seed)
{
	size_t i = unit_random(seed) % world->fake.regions.count;
	const struct fake_region *region = &world->fake.regions.at[i];

	return region->start + unit_random(seed) % (region->bytes / 8) * 8;
}

/* A number that may matter: an address, its neighbour, a size, an end of all. */
static uint64_t random_value(const struct world *world, uint64_t *seed)
{
	const struct world_arena *arena =
		&world->arenas[unit_random(seed) % world->count];

	switch (unit_random(seed) % 9) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - unit_random(seed) % 64;
	case 2:
		return unit_random(seed) % 64 << unit_random(seed) % 32;
	case 3:
		return arena->address;
	case 4:
		return arena->heap[unit_random(seed) % arena->heaps];
	case 5:
		return arena->top + unit_random(seed) % 4 * 8;
	case 6:
		return random_address(world, seed);
	case 7:
		return WORLD_HEAP_BYTES + unit_random(seed) % 5 * 0x1000 - 0x2000;
	default:
		return unit_random(seed);
	}
}

/* Bins take most of a malloc_state, so members are hit on purpose. */
static void spoil_member(struct world *world, uint64_t *seed)
{
	const struct world_arena *arena =
		&world->arenas[unit_random(seed) % world->count];
	enum layout_member member =
		(enum layout_member)(unit_random(seed) % (HI_PAGESIZE + 1));
	uint64_t at = arena->address;

	if (layout_struct_of(member) == MALLOC_PAR)
		at = world->symbols.address[SYM_MP];
	if (layout_struct_of(member) == HEAP_INFO)
		at = arena->heap[unit_random(seed) % arena->heaps];
	world_set(world, at, member, random_value(world, seed));
}

static void spoil(struct world *world, uint64_t *seed)
{
	for (uint64_t i = unit_random(seed) % 12; i > 0; i--)
		spoil_member(world, seed);
	for (uint64_t i = unit_random(seed) % 4; i > 0; i--) {
		const struct world_arena *arena =
			&world->arenas[unit_random(seed) % world->count];

		fake_put(&world->fake, arena->top + 8, random_value(world, seed));
	}
	if (unit_random(seed) % 4 == 0)
		put_head(world, random_value(world, seed));
	if (unit_random(seed) % 8 == 0)
		fake_set_pages(&world->fake, random_address(world, seed), 1,
			       (enum page_state)(unit_random(seed) % (PAGE_UNKNOWN + 1)));
	if (unit_random(seed) % 16 == 0)
		fake_protect(&world->fake, random_address(world, seed), "r--p");
	if (unit_random(seed) % 16 == 0)
		fake_unmap(&world->fake, random_address(world, seed));
}

/* All that the walks read lies in the first pages of its mapping. */
static void spoil_all(struct world *world, uint64_t *seed)
{
	for (size_t i = 0; i < world->fake.regions.count; i++)
		for (uint64_t at = 0; at < 0x4000; at += 8)
			fake_put(&world->fake, world->fake.regions.at[i].start + at,
				 unit_random(seed));
}

static void expect_bounded(const struct world *world)
{
	const struct ari_model *model = world->walk.model;

	must(model->arenas.count <= 1000);
	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		must(arena->damage.count <= 100);
		must(arena->heaps.count <= 100);
		must(arena->state == ARI_STATE_STEADY || arena->state == ARI_STATE_BUSY ||
		     arena->state == ARI_STATE_TORN || arena->damage.count > 0);
	}
}

/* The document is written, too: what came from the target goes through it. */
static void write_away(struct ari_model *model)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct ari_error err;

	totals_fill(model);
	totals_judge_quality(model);
	ck_works(ari_model_write(model, out, &err), &err);
	fclose(out);
	must(length > 100);
	free(text);
}

static void walk_whatever(struct world *world)
{
	struct ari_error err = { 0 };

	if (world_walk(world, &err) && walk_limit(&world->walk, &err) &&
	    walk_finish(&world->walk, &err)) {
		expect_bounded(world);
		write_away(world->walk.model);
	} else {
		must(err.code == ARI_UNSTABLE);
	}
}

TEST(walk_of_random_bytes_ends)
{
	uint64_t seed = 7;

	for (int turn = 0; turn < 2000; turn++) {
		struct world world;

		world_init_three(&world, releases[turn % 7]);
		spoil_all(&world, &seed);
		walk_whatever(&world);
		world_done(&world);
	}
}

TEST(walk_of_a_spoilt_heap_ends)
{
	for (uint64_t turn = 0; turn < 2000; turn++) {
		uint64_t seed = turn;
		struct world world;

		world_init_three(&world, releases[turn % 7]);
		world_add_arena(&world, 3);
		spoil(&world, &seed);
		walk_whatever(&world);
		world_done(&world);
	}
}

UNIT_MAIN("walk/arenas", ring_at_rest_is_right_in_every_release,
	  ring_is_in_the_order_of_malloc_info, main_alone_is_a_ring,
	  ring_at_rest_is_right_with_large_pages,
	  ring_at_rest_is_right_where_heaps_span_four_huge_pages,
	  what_chunks_say_is_not_known_from_headers, arena_without_threads_is_idle,
	  release_without_attached_threads_does_not_tell_who_is_idle,
	  last_remainder_is_an_address, ring_that_loops_past_main_is_reported_once,
	  arena_that_is_its_own_successor_is_a_loop, ring_that_leads_astray_ends_there,
	  ring_that_leads_to_a_later_heap_is_astray,
	  ring_longer_than_what_is_mapped_is_reported_once,
	  main_arena_that_is_not_mapped_is_unstable,
	  main_arena_in_swap_is_unstable_and_stays_there,
	  arena_in_swap_is_unreadable_and_not_called_astray,
	  arena_that_becomes_unreadable_is_reported_once,
	  process_that_goes_away_ends_the_walk,
	  process_that_goes_away_midway_ends_the_walk, time_that_is_over_ends_the_walk,
	  system_mem_beyond_what_is_mapped_is_impossible,
	  attached_threads_beyond_any_machine_is_impossible,
	  attached_threads_of_minus_one_is_impossible_too,
	  main_arena_with_an_impossible_size_is_unstable,
	  arena_that_is_locked_is_busy_after_five_tries,
	  arena_that_keeps_moving_is_torn_after_five_tries,
	  arena_that_comes_to_rest_is_steady,
	  heap_that_grew_since_the_maps_were_read_is_right_after_a_refresh,
	  books_that_do_not_hold_make_an_arena_torn, second_walk_says_the_same,
	  free_list_is_counted_for_the_proof, free_list_that_is_empty_is_no_damage,
	  free_list_without_its_symbol_is_left_out,
	  free_list_that_leads_astray_is_reported_once,
	  free_list_that_loops_is_reported_once,
	  free_list_whose_head_cannot_be_read_is_left_out, walk_of_random_bytes_ends,
	  walk_of_a_spoilt_heap_ends)
