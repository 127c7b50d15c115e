// SPDX-License-Identifier: Apache-2.0
#include "arenainspect.h"
#include "unit.h"
#include "walk/bins.h"

TEST(small_bins_hold_one_size_each)
{
	for (unsigned int bin = 2; bin < BINS_SMALL; bin++) {
		ck_assert_uint_eq(bin_from(bin), UINT64_C(16) * bin);
		ck_assert_uint_eq(bin_to(bin), UINT64_C(16) * bin);
		ck_assert_uint_eq(bin_of(UINT64_C(16) * bin), bin);
	}
}

TEST(large_bins_begin_where_malloc_has_them)
{
	static const struct {
		unsigned int bin;
		uint64_t from, to;
	} rows[] = {
		{ 64, 1024, 1072 },	 { 65, 1088, 1136 },	  { 96, 3072, 3120 },
		{ 97, 3136, 3568 },	 { 98, 3584, 4080 },	  { 99, 4096, 4592 },
		{ 111, 10240, 10736 },	 { 112, 10752, 12272 },	  { 113, 12288, 16368 },
		{ 119, 36864, 40944 },	 { 120, 40960, 65520 },	  { 121, 65536, 98288 },
		{ 122, 98304, 131056 },	 { 123, 131072, 163824 }, { 124, 163840, 262128 },
		{ 125, 262144, 524272 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_uint_eq(bin_from(rows[i].bin), rows[i].from);
		ck_assert_uint_eq(bin_to(rows[i].bin), rows[i].to);
		ck_assert_uint_eq(bin_of(rows[i].from), rows[i].bin);
		ck_assert_uint_eq(bin_of(rows[i].to), rows[i].bin);
	}
}

TEST(last_bin_has_no_end)
{
	ck_assert_uint_eq(bin_from(BIN_LAST), 524288);
	ck_assert_uint_eq(bin_to(BIN_LAST), ARI_UNKNOWN);
	ck_assert_uint_eq(bin_of(524288), BIN_LAST);
	ck_assert_uint_eq(bin_of(UINT64_MAX - 15), BIN_LAST);
}

TEST(every_size_is_within_its_bin)
{
	for (uint64_t size = 32; size < 600000; size += 16) {
		unsigned int bin = bin_of(size);

		must(bin >= 2 && bin <= BIN_LAST);
		must(bin_from(bin) <= size);
		must(size <= bin_to(bin));
	}
}

TEST(bins_leave_no_gap)
{
	for (unsigned int bin = 2; bin < BIN_LAST; bin++)
		ck_assert_uint_eq(bin_to(bin) + 16, bin_from(bin + 1));
}

TEST(fastbins_begin_with_the_smallest_chunk)
{
	ck_assert_uint_eq(fastbin_size(0), 32);
	ck_assert_uint_eq(fastbin_size(FASTBINS - 1), 176);
}

UNIT_MAIN("walk/bins", small_bins_hold_one_size_each,
	  large_bins_begin_where_malloc_has_them, last_bin_has_no_end,
	  every_size_is_within_its_bin, bins_leave_no_gap,
	  fastbins_begin_with_the_smallest_chunk)
