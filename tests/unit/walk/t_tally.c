// SPDX-License-Identifier: Apache-2.0
#include "unit.h"
#include "walk/chunks.h"

TEST(empty_tally_has_no_bytes)
{
	struct tally tally = { 0 };

	ck_assert_uint_eq(tally_bytes(&tally), 0);
}

TEST(every_place_counts_once)
{
	struct tally tally = {
		.top = 1, .overhead = 20, .unread = 300, .unwalked = 4000
	};

	tally.small[TALLY_FREE][2] = 3;	   /* of 32 bytes */
	tally.small[TALLY_IN_USE][63] = 1; /* of 1008 */
	tally.large[TALLY_FREE][0].bytes = 50000;
	tally.large[TALLY_IN_USE][62].bytes = 600000;
	tally.fast[9].bytes = 7000000;
	tally.unsorted[127].bytes = 80000000;
	tally.tcache[2].bytes = 900000000;
	ck_assert_uint_eq(tally_bytes(&tally), 987654321 + 96 + 1008);
}

TEST(sums_keep_the_least_and_the_most)
{
	struct tally to = { 0 }, from = { 0 };

	to.unsorted[64] = (struct tally_sizes){ 2, 2100, 1040, 1060 };
	from.unsorted[64] = (struct tally_sizes){ 1, 1024, 1024, 1024 };
	tally_add(&to, &from);
	ck_assert_uint_eq(to.unsorted[64].chunks, 3);
	ck_assert_uint_eq(to.unsorted[64].bytes, 3124);
	ck_assert_uint_eq(to.unsorted[64].least, 1024);
	ck_assert_uint_eq(to.unsorted[64].most, 1060);
	from.unsorted[64] = (struct tally_sizes){ 1, 1072, 1072, 1072 };
	tally_add(&to, &from);
	ck_assert_uint_eq(to.unsorted[64].least, 1024);
	ck_assert_uint_eq(to.unsorted[64].most, 1072);
}

/* least and most of a place where nothing was met say nothing. */
TEST(place_without_chunks_adds_nothing)
{
	struct tally to = { 0 }, from = { 0 };

	to.fast[0] = (struct tally_sizes){ 1, 32, 32, 32 };
	from.fast[0].most = 999;
	tally_add(&to, &from);
	ck_assert_uint_eq(to.fast[0].least, 32);
	ck_assert_uint_eq(to.fast[0].most, 32);
	from.fast[1] = (struct tally_sizes){ 1, 48, 48, 48 };
	to.fast[1].least = 7;
	tally_add(&to, &from);
	ck_assert_uint_eq(to.fast[1].least, 48);
}

TEST(sum_of_tallies_has_the_bytes_of_both)
{
	struct tally to = { .top = 100, .breaks = 1 },
		     from = { .unread = 11, .breaks = 2 };

	to.small[TALLY_FREE][4] = 2;
	from.small[TALLY_FREE][4] = 1;
	to.tcache[4] = (struct tally_sizes){ 1, 64, 64, 64 };
	from.tcache[4] = (struct tally_sizes){ 2, 128, 64, 64 };
	from.large[TALLY_IN_USE][3] = (struct tally_sizes){ 1, 1216, 1216, 1216 };
	tally_add(&to, &from);
	ck_assert_uint_eq(tally_bytes(&to), 100 + 11 + 3 * 64 + 1216 + 3 * 64);
	ck_assert_uint_eq(to.tcache[4].chunks, 3);
	ck_assert_uint_eq(to.breaks, 3);
}

UNIT_MAIN("walk/tally", empty_tally_has_no_bytes, every_place_counts_once,
	  sums_keep_the_least_and_the_most, place_without_chunks_adds_nothing,
	  sum_of_tallies_has_the_bytes_of_both)
