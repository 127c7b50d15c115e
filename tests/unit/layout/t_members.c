// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "layout/members.h"
#include "unit.h"
#include "world.h"

TEST(every_member_has_a_row_and_a_struct)
{
	for (int id = 0; id < LAYOUT_MEMBERS; id++) {
		ck_assert_msg(layout_struct_of((enum layout_member)id) < LAYOUT_STRUCTS,
			      "member %d has no row in members.def", id);
		ck_assert_str_ne(layout_member_name((enum layout_member)id), "?");
	}
}

/* Ids are declared in the order of the rows, which is that of the structs. */
TEST(rows_are_in_order_of_declaration)
{
	for (size_t i = 1; i < member_rows_count; i++) {
		const struct member_row *row = &member_rows[i], *before = row - 1;

		ck_assert_msg(before->in <= row->in, "%s", row->name);
		ck_assert_msg(before->id <= row->id, "%s", row->name);
		ck_assert_msg(before->id != row->id || before->until <= row->since,
			      "the rows of %s are not in order of release", row->name);
	}
}

TEST(rows_of_one_member_are_in_one_struct)
{
	for (size_t i = 0; i < member_rows_count; i++)
		ck_assert_int_eq(layout_struct_of(member_rows[i].id), member_rows[i].in);
}

static bool has_row(const struct member_row *row, unsigned int release)
{
	return row->since <= release && release < row->until;
}

TEST(no_release_has_two_rows_of_one_member)
{
	for (unsigned int minor = 0; minor < 100; minor++)
		for (size_t i = 0; i < member_rows_count; i++)
			for (size_t j = i + 1; j < member_rows_count; j++)
				if (member_rows[i].id == member_rows[j].id &&
				    has_row(&member_rows[i], LAYOUT_RELEASE(2, minor)) &&
				    has_row(&member_rows[j], LAYOUT_RELEASE(2, minor)))
					ck_abort_msg("%s in 2.%u", member_rows[i].name,
						     minor);
}

TEST(spans_are_not_empty)
{
	for (size_t i = 0; i < member_rows_count; i++) {
		ck_assert_uint_lt(member_rows[i].since, member_rows[i].until);
		ck_assert_uint_gt(member_rows[i].count, 0);
	}
}

#define NONE UINT32_MAX

/* Where gdb and the compiler put them, x86_64 and aarch64 alike. */
static const struct known {
	unsigned int first, last; /* minor releases */
	enum layout_struct in;
	uint32_t bytes;
	struct {
		enum layout_member id;
		uint32_t offset;
	} at[12];
} known[] = {
	// clang-format off
	{ 15, 22, MALLOC_STATE, 2184, { { MS_FLAGS, 4 }, { MS_HAVE_FASTCHUNKS, NONE },
	  { MS_FASTBINS, 8 }, { MS_TOP, 88 }, { MS_LAST_REMAINDER, 96 }, { MS_BINS, 104 },
	  { MS_BINMAP, 2136 }, { MS_NEXT, 2152 }, { MS_NEXT_FREE, 2160 },
	  { MS_ATTACHED_THREADS, NONE }, { MS_SYSTEM_MEM, 2168 },
	  { MS_MAX_SYSTEM_MEM, 2176 } } },
	{ 23, 26, MALLOC_STATE, 2192, { { MS_FLAGS, 4 }, { MS_HAVE_FASTCHUNKS, NONE },
	  { MS_FASTBINS, 8 }, { MS_TOP, 88 }, { MS_LAST_REMAINDER, 96 }, { MS_BINS, 104 },
	  { MS_BINMAP, 2136 }, { MS_NEXT, 2152 }, { MS_NEXT_FREE, 2160 },
	  { MS_ATTACHED_THREADS, 2168 }, { MS_SYSTEM_MEM, 2176 },
	  { MS_MAX_SYSTEM_MEM, 2184 } } },
	{ 27, 42, MALLOC_STATE, 2200, { { MS_FLAGS, 4 }, { MS_HAVE_FASTCHUNKS, 8 },
	  { MS_FASTBINS, 16 }, { MS_TOP, 96 }, { MS_LAST_REMAINDER, 104 },
	  { MS_BINS, 112 }, { MS_BINMAP, 2144 }, { MS_NEXT, 2160 },
	  { MS_NEXT_FREE, 2168 }, { MS_ATTACHED_THREADS, 2176 },
	  { MS_SYSTEM_MEM, 2184 }, { MS_MAX_SYSTEM_MEM, 2192 } } },
	{ 43, 44, MALLOC_STATE, 2112, { { MS_FLAGS, 4 }, { MS_HAVE_FASTCHUNKS, NONE },
	  { MS_FASTBINS, NONE }, { MS_TOP, 8 }, { MS_LAST_REMAINDER, 16 },
	  { MS_BINS, 24 }, { MS_BINMAP, 2056 }, { MS_NEXT, 2072 },
	  { MS_NEXT_FREE, 2080 }, { MS_ATTACHED_THREADS, 2088 },
	  { MS_SYSTEM_MEM, 2096 }, { MS_MAX_SYSTEM_MEM, 2104 } } },
	{ 15, 23, MALLOC_PAR, 88, { { MP_TRIM_THRESHOLD, 0 }, { MP_ARENA_TEST, 24 },
	  { MP_ARENA_MAX, 32 }, { MP_HP_PAGESIZE, NONE }, { MP_N_MMAPS, 40 },
	  { MP_N_MMAPS_MAX, 44 }, { MP_NO_DYN_THRESHOLD, 52 }, { MP_MMAPPED_MEM, 56 },
	  { MP_MAX_TOTAL_MEM, 72 }, { MP_SBRK_BASE, 80 }, { MP_TCACHE_COUNT, NONE },
	  { MP_THP_PAGESIZE, NONE } } },
	{ 24, 25, MALLOC_PAR, 80, { { MP_TRIM_THRESHOLD, 0 }, { MP_ARENA_TEST, 24 },
	  { MP_ARENA_MAX, 32 }, { MP_HP_PAGESIZE, NONE }, { MP_N_MMAPS, 40 },
	  { MP_N_MMAPS_MAX, 44 }, { MP_NO_DYN_THRESHOLD, 52 }, { MP_MMAPPED_MEM, 56 },
	  { MP_MAX_TOTAL_MEM, NONE }, { MP_SBRK_BASE, 72 }, { MP_TCACHE_COUNT, NONE },
	  { MP_THP_PAGESIZE, NONE } } },
	{ 26, 34, MALLOC_PAR, 112, { { MP_ARENA_TEST, 24 }, { MP_ARENA_MAX, 32 },
	  { MP_HP_PAGESIZE, NONE }, { MP_N_MMAPS, 40 }, { MP_N_MMAPS_MAX, 44 },
	  { MP_NO_DYN_THRESHOLD, 52 }, { MP_MMAPPED_MEM, 56 }, { MP_SBRK_BASE, 72 },
	  { MP_TCACHE_BINS, 80 }, { MP_TCACHE_MAX_BYTES, 88 }, { MP_TCACHE_COUNT, 96 },
	  { MP_TCACHE_UNSORTED_LIMIT, 104 } } },
	{ 35, 42, MALLOC_PAR, 136, { { MP_THP_PAGESIZE, 40 }, { MP_HP_PAGESIZE, 48 },
	  { MP_HP_FLAGS, 56 }, { MP_N_MMAPS, 60 }, { MP_N_MMAPS_MAX, 64 },
	  { MP_MAX_N_MMAPS, 68 }, { MP_NO_DYN_THRESHOLD, 72 }, { MP_MMAPPED_MEM, 80 },
	  { MP_SBRK_BASE, 96 }, { MP_TCACHE_BINS, 104 }, { MP_TCACHE_MAX_BYTES, 112 },
	  { MP_TCACHE_COUNT, 120 } } },
	{ 43, 44, MALLOC_PAR, 144, { { MP_THP_MODE, 40 }, { MP_THP_PAGESIZE, 48 },
	  { MP_HP_PAGESIZE, 56 }, { MP_HP_FLAGS, 64 }, { MP_N_MMAPS, 68 },
	  { MP_N_MMAPS_MAX, 72 }, { MP_NO_DYN_THRESHOLD, 80 }, { MP_MMAPPED_MEM, 88 },
	  { MP_MAX_MMAPPED_MEM, 96 }, { MP_SBRK_BASE, 104 },
	  { MP_TCACHE_MAX_BYTES, 120 }, { MP_TCACHE_COUNT, 128 } } },
	{ 15, 34, HEAP_INFO, 32, { { HI_AR_PTR, 0 }, { HI_PREV, 8 }, { HI_SIZE, 16 },
	  { HI_MPROTECT_SIZE, 24 }, { HI_PAGESIZE, NONE } } },
	{ 35, 44, HEAP_INFO, 48, { { HI_AR_PTR, 0 }, { HI_PREV, 8 }, { HI_SIZE, 16 },
	  { HI_MPROTECT_SIZE, 24 }, { HI_PAGESIZE, 32 } } },
	{ 15, 44, MALLOC_CHUNK, 48, { { MC_PREV_SIZE, 0 }, { MC_SIZE, 8 }, { MC_FD, 16 },
	  { MC_BK, 24 }, { MC_FD_NEXTSIZE, 32 }, { MC_BK_NEXTSIZE, 40 } } },
	{ 26, 29, TCACHE, 576, { { TC_COUNTS, 0 }, { TC_NUM_SLOTS, NONE },
	  { TC_ENTRIES, 64 } } },
	{ 30, 41, TCACHE, 640, { { TC_COUNTS, 0 }, { TC_NUM_SLOTS, NONE },
	  { TC_ENTRIES, 128 } } },
	{ 42, 44, TCACHE, 760, { { TC_COUNTS, NONE }, { TC_NUM_SLOTS, 0 },
	  { TC_ENTRIES, 152 } } },
	// clang-format on
};

static void expect_known(const struct known *row, unsigned int minor)
{
	struct layout layout;

	world_layout(&layout, LAYOUT_RELEASE(2, minor));
	ck_assert_msg(layout.bytes[row->in] == row->bytes, "2.%u: struct %s has %u bytes",
		      minor, layout_struct_name(row->in), layout.bytes[row->in]);
	for (size_t i = 0; i < 12 && (i == 0 || row->at[i].id != 0); i++) {
		const struct layout_place *place = &layout.members[row->at[i].id];
		uint32_t offset = place->size == 0 ? NONE : place->offset;

		ck_assert_msg(offset == row->at[i].offset, "2.%u: %s is at %d", minor,
			      layout_member_name(row->at[i].id), (int)offset);
	}
}

TEST(members_placed_in_order_lie_where_the_compiler_puts_them)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		for (unsigned int minor = known[i].first; minor <= known[i].last; minor++)
			expect_known(&known[i], minor);
}

UNIT_MAIN("layout/members", every_member_has_a_row_and_a_struct,
	  rows_are_in_order_of_declaration, rows_of_one_member_are_in_one_struct,
	  no_release_has_two_rows_of_one_member, spans_are_not_empty,
	  members_placed_in_order_lie_where_the_compiler_puts_them)
