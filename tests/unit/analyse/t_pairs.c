// SPDX-License-Identifier: Apache-2.0
#include "analyse/pairs.h"
#include "base/list.h"
#include "moments.h"
#include "unit.h"

static struct moments its;
static struct arena_pairs pairs;
static struct size_deltas sizes;

static void begin(void)
{
	moments_init(&its);
	pairs = (struct arena_pairs){ 0 };
	sizes = (struct size_deltas){ 0 };
}

static void match(bool same_process)
{
	struct ari_error err;

	ck_works(pairs_match(its.before, its.after, same_process, &pairs, &err), &err);
}

static void add_up(bool whole_only)
{
	struct ari_error err;

	ck_works(pairs_sizes(&pairs, whole_only, &sizes, &err), &err);
}

static void end(void)
{
	list_done(&pairs.list);
	list_done(&sizes.list);
	moments_done(&its);
}

TEST(arenas_are_matched_by_address_whatever_their_order)
{
	begin();
	its.after->arenas.at[0].address = 0x2000;
	its.after->arenas.at[1].address = 0x1000;
	match(true);
	ck_assert_uint_eq(pairs.list.count, 2);
	ck_assert(pairs.list.known);
	ck_assert_ptr_eq(pairs.list.at[0].before, &its.before->arenas.at[1]);
	ck_assert_ptr_eq(pairs.list.at[0].after, &its.after->arenas.at[0]);
	ck_assert_ptr_eq(pairs.list.at[1].before, &its.before->arenas.at[0]);
	end();
}

TEST(arena_of_one_side_has_no_partner_and_missing_ones_come_last)
{
	begin();
	its.after->arenas.at[1].address = 0x3000;
	match(true);
	ck_assert_uint_eq(pairs.list.count, 3);
	ck_assert_ptr_null(pairs.list.at[1].before);
	ck_assert_ptr_eq(pairs.list.at[2].before, &its.before->arenas.at[1]);
	ck_assert_ptr_null(pairs.list.at[2].after);
	end();
}

TEST(arenas_of_two_processes_are_not_matched)
{
	begin();
	match(false);
	ck_assert_uint_eq(pairs.list.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert((pairs.list.at[i].before == NULL) !=
			  (pairs.list.at[i].after == NULL));
	end();
}

TEST(address_that_is_not_known_matches_none)
{
	begin();
	its.before->arenas.at[1].address = its.after->arenas.at[1].address = ARI_UNKNOWN;
	match(true);
	ck_assert_uint_eq(pairs.list.count, 3);
	end();
}

TEST(arenas_that_are_not_known_cannot_be_matched)
{
	begin();
	its.before->arenas.known = false;
	match(true);
	ck_assert(!pairs.list.known);
	add_up(false);
	ck_assert(!sizes.list.known);
	end();
}

TEST(torn_arena_is_not_whole)
{
	begin();
	its.before->arenas.at[0].state = ARI_STATE_BUSY;
	its.after->arenas.at[1].state = ARI_STATE_TORN;
	match(true);
	ck_assert(pair_is_whole(&pairs.list.at[0]));
	ck_assert(!pair_is_whole(&pairs.list.at[1]));
	end();
}

TEST(in_use_is_comparable_if_caches_are_known_on_both_sides_or_on_neither)
{
	begin();
	its.before->arenas.at[0].tcache.bytes = its.after->arenas.at[0].tcache.bytes = 5;
	its.after->arenas.at[1].tcache.bytes = 5;
	match(true);
	ck_assert(pair_is_comparable(&pairs.list.at[0]));
	ck_assert(!pair_is_comparable(&pairs.list.at[1]));
	end();
}

TEST(sizes_are_sums_over_the_arenas_of_what_is_more)
{
	begin();
	moments_use(&its.before->arenas.at[0], 64, 10);
	moments_use(&its.before->arenas.at[1], 32, 7);
	moments_use(&its.after->arenas.at[0], 64, 12);
	moments_use(&its.after->arenas.at[1], 64, 30);
	match(true);
	add_up(false);
	ck_assert(sizes.list.known);
	ck_assert_uint_eq(sizes.list.count, 2);
	ck_assert_uint_eq(sizes.list.at[0].from_bytes, 32);
	ck_assert_int_eq(sizes.list.at[0].in_use_chunks, -7);
	ck_assert_uint_eq(sizes.list.at[1].from_bytes, 64);
	ck_assert_int_eq(sizes.list.at[1].in_use_chunks, 32);
	ck_assert_int_eq(sizes.list.at[1].in_use_bytes, 64 * 32);
	end();
}

TEST(sizes_that_one_arena_does_not_know_are_not_known)
{
	begin();
	moments_use(&its.after->arenas.at[0], 64, 12);
	its.after->arenas.at[1].sizes.known = false;
	match(true);
	add_up(false);
	ck_assert(!sizes.list.known);
	ck_assert_uint_eq(sizes.list.count, 0);
	end();
}

TEST(sizes_of_torn_arenas_can_be_left_out)
{
	begin();
	moments_use(&its.after->arenas.at[0], 64, 12);
	moments_use(&its.after->arenas.at[1], 64, 30);
	its.after->arenas.at[1].state = ARI_STATE_TORN;
	match(true);
	add_up(true);
	ck_assert_uint_eq(sizes.list.count, 1);
	ck_assert_int_eq(sizes.list.at[0].in_use_chunks, 12);
	end();
}

UNIT_MAIN("analyse/pairs", arenas_are_matched_by_address_whatever_their_order,
	  arena_of_one_side_has_no_partner_and_missing_ones_come_last,
	  arenas_of_two_processes_are_not_matched, address_that_is_not_known_matches_none,
	  arenas_that_are_not_known_cannot_be_matched, torn_arena_is_not_whole,
	  in_use_is_comparable_if_caches_are_known_on_both_sides_or_on_neither,
	  sizes_are_sums_over_the_arenas_of_what_is_more,
	  sizes_that_one_arena_does_not_know_are_not_known,
	  sizes_of_torn_arenas_can_be_left_out)
