// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "unit.h"
#include "walk/bins.h"
#include "walk/marks.h"
#include "world.h"

#define V231	LAYOUT_RELEASE(2, 31)
#define V236	LAYOUT_RELEASE(2, 36)
#define V243	LAYOUT_RELEASE(2, 43)
#define A	(WORLD_BRK + 0x100)
#define B	(WORLD_BRK + 0x300)
#define C	(WORLD_BRK + 0x1400)
#define MANY	1000
#define NOWHERE ((uint64_t)0x123456780)

static const struct deadline never;

/* main_arena of a release, whose lists are filled by hand. */
struct lists {
	struct world world;
	struct peek peek;
	struct marks marks;
	uint64_t marks_most;
};

static void begin(struct lists *lists, unsigned int release)
{
	struct ari_error err;

	memset(lists, 0, sizeof(*lists));
	lists->marks_most = MARKS_MOST;
	world_init(&lists->world, release);
	ck_works(peek_open(&lists->world.fake.mem, &lists->peek, &err), &err);
}

static void end(struct lists *lists)
{
	marks_done(&lists->marks);
	peek_close(&lists->peek);
	world_done(&lists->world);
}

static uint64_t bins(const struct lists *lists)
{
	return lists->world.arenas[0].address +
	       lists->world.layout.members[MS_BINS].offset;
}

static void put_chunk(struct lists *lists, uint64_t at, uint64_t size, uint64_t fd)
{
	fake_put(&lists->world.fake, at + 8, size | 1);
	fake_put(&lists->world.fake, at + 16, fd);
}

static uint64_t masked(uint64_t chunk, uint64_t to)
{
	return (chunk + 16) >> 12 ^ to;
}

static void set_fastbin(struct lists *lists, unsigned int index, uint64_t chunk)
{
	uint64_t heads = lists->world.arenas[0].address +
			 lists->world.layout.members[MS_FASTBINS].offset;

	fake_put(&lists->world.fake, heads + UINT64_C(8) * index, chunk);
}

static uint64_t head(const struct lists *lists, unsigned int bin)
{
	return bins(lists) + UINT64_C(16) * (bin - 1) - 16;
}

static void set_bin(struct lists *lists, unsigned int bin, uint64_t chunk)
{
	fake_put(&lists->world.fake, head(lists, bin) + 16, chunk);
}

static void read_to(struct lists *lists, uint64_t most, bool all_bins)
{
	const struct marks_bounds bounds = { most, lists->marks_most, never };
	struct ari_error err;
	struct view state;
	struct world *world = &lists->world;

	ck_works(view_load(&state, &world->fake.mem, &world->layout, MALLOC_STATE,
			   world->arenas[0].address, &err),
		 &err);
	if (all_bins)
		ck_works(marks_read_bins(&lists->peek, &state, &bounds, &lists->marks,
					 &err),
			 &err);
	else
		ck_works(marks_read(&lists->peek, &state, &bounds, &lists->marks, &err),
			 &err);
}

static void expect_mark(const struct lists *lists, size_t i, uint64_t address,
			uint64_t bytes, enum mark_list list, unsigned int index)
{
	const struct mark *mark = &lists->marks.list.at[i];

	ck_assert_uint_lt(i, lists->marks.list.count);
	ck_assert_uint_eq(mark->address, address);
	ck_assert_uint_eq(mark->bytes, bytes);
	ck_assert_uint_eq(mark->list, list);
	ck_assert_uint_eq(mark->index, index);
}

static void expect_end(struct lists *lists, size_t count, bool cut)
{
	ck_assert_uint_eq(lists->marks.list.count, count);
	ck_assert((lists->marks.astray != 0) == cut);
	end(lists);
}

TEST(empty_lists_mark_nothing)
{
	struct lists lists;

	begin(&lists, V236);
	read_to(&lists, MANY, true);
	expect_end(&lists, 0, false);
}

TEST(members_of_a_fastbin_are_marked_by_address)
{
	struct lists lists;

	begin(&lists, V236);
	set_fastbin(&lists, 1, B);
	put_chunk(&lists, B, 48, masked(B, C));
	put_chunk(&lists, C, 48, masked(C, A));
	put_chunk(&lists, A, 48, masked(A, 0));
	read_to(&lists, MANY, false);
	expect_mark(&lists, 0, A, 48, MARK_FAST, 1);
	expect_mark(&lists, 1, B, 48, MARK_FAST, 1);
	expect_mark(&lists, 2, C, 48, MARK_FAST, 1);
	expect_end(&lists, 3, false);
}

TEST(links_before_safe_linking_are_plain)
{
	struct lists lists;

	begin(&lists, V231);
	set_fastbin(&lists, 0, B);
	put_chunk(&lists, B, 32, A);
	put_chunk(&lists, A, 32, 0);
	read_to(&lists, MANY, false);
	expect_mark(&lists, 0, A, 32, MARK_FAST, 0);
	expect_mark(&lists, 1, B, 32, MARK_FAST, 0);
	expect_end(&lists, 2, false);
}

TEST(plain_link_where_links_are_masked_is_given_up)
{
	struct lists lists;

	begin(&lists, V236);
	set_fastbin(&lists, 0, B);
	put_chunk(&lists, B, 32, A);
	put_chunk(&lists, A, 32, 0);
	read_to(&lists, MANY, false);
	expect_end(&lists, 1, true);
}

TEST(members_of_the_unsorted_bin_are_marked_whatever_their_size)
{
	struct lists lists;

	begin(&lists, V236);
	set_bin(&lists, BIN_UNSORTED, B);
	put_chunk(&lists, B, 0x150, A);
	put_chunk(&lists, A, 0x80, head(&lists, BIN_UNSORTED));
	read_to(&lists, MANY, false);
	expect_mark(&lists, 0, A, 0x80, MARK_UNSORTED, BIN_UNSORTED);
	expect_mark(&lists, 1, B, 0x150, MARK_UNSORTED, BIN_UNSORTED);
	expect_end(&lists, 2, false);
}

TEST(other_bins_are_read_only_when_asked_for)
{
	for (int all = 0; all < 2; all++) {
		struct lists lists;

		begin(&lists, V236);
		set_bin(&lists, 8, A);
		put_chunk(&lists, A, 0x80, head(&lists, 8));
		set_bin(&lists, 126, C);
		put_chunk(&lists, C, 0x90000, head(&lists, 126));
		read_to(&lists, MANY, all == 1);
		if (all == 1) {
			expect_mark(&lists, 0, A, 0x80, MARK_BINNED, 8);
			expect_mark(&lists, 1, C, 0x90000, MARK_BINNED, 126);
		}
		expect_end(&lists, all == 1 ? 2 : 0, false);
	}
}

TEST(release_without_fastbins_has_the_other_lists)
{
	struct lists lists;

	begin(&lists, V243);
	set_bin(&lists, BIN_UNSORTED, A);
	put_chunk(&lists, A, 0x80, head(&lists, BIN_UNSORTED));
	read_to(&lists, MANY, false);
	expect_mark(&lists, 0, A, 0x80, MARK_UNSORTED, BIN_UNSORTED);
	expect_end(&lists, 1, false);
}

TEST(fastbin_that_loops_marks_each_member_once)
{
	struct lists lists;

	begin(&lists, V236);
	set_fastbin(&lists, 0, A);
	put_chunk(&lists, A, 32, masked(A, B));
	put_chunk(&lists, B, 32, masked(B, A));
	read_to(&lists, MANY, false);
	expect_end(&lists, 2, true);
}

TEST(bin_that_loops_marks_each_member_once)
{
	struct lists lists;

	begin(&lists, V236);
	set_bin(&lists, BIN_UNSORTED, A);
	put_chunk(&lists, A, 0x80, A);
	read_to(&lists, MANY, false);
	expect_end(&lists, 1, true);
}

TEST(links_astray_are_given_up)
{
	static const uint64_t places[] = { NOWHERE, A + 8, (uint64_t)1 << 60,
					   UINT64_MAX - 15 };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct lists lists;

		begin(&lists, V236);
		set_fastbin(&lists, 0, B);
		put_chunk(&lists, B, 32, masked(B, places[i]));
		set_bin(&lists, BIN_UNSORTED, C);
		put_chunk(&lists, C, 0x80, places[i]);
		read_to(&lists, MANY, false);
		expect_end(&lists, 2, true);
	}
}

/* malloc's own pointers carry no tag: one that does comes from user data. */
TEST(pointer_with_a_tag_is_no_chunk)
{
	struct lists lists;

	begin(&lists, V236);
	set_bin(&lists, BIN_UNSORTED, A | (uint64_t)5 << 56);
	put_chunk(&lists, A, 4096, head(&lists, BIN_UNSORTED));
	read_to(&lists, MANY, false);
	expect_end(&lists, 0, true);
}

TEST(member_of_another_size_ends_a_fastbin)
{
	struct lists lists;

	begin(&lists, V236);
	set_fastbin(&lists, 0, A);
	put_chunk(&lists, A, 48, masked(A, 0));
	read_to(&lists, MANY, false);
	expect_end(&lists, 0, true);
}

TEST(member_of_another_bin_ends_a_bin)
{
	struct lists lists;

	begin(&lists, V236);
	set_bin(&lists, 8, A);
	put_chunk(&lists, A, 0x90, head(&lists, 8));
	read_to(&lists, MANY, true);
	expect_end(&lists, 0, true);
}

TEST(chunk_in_two_lists_is_marked_once)
{
	struct lists lists;

	begin(&lists, V236);
	set_fastbin(&lists, 0, A);
	put_chunk(&lists, A, 32, masked(A, 0));
	set_bin(&lists, BIN_UNSORTED, A);
	read_to(&lists, MANY, false);
	expect_end(&lists, 1, true);
}

TEST(no_more_chunks_are_followed_than_there_can_be)
{
	struct lists lists;

	begin(&lists, V236);
	set_bin(&lists, BIN_UNSORTED, A);
	put_chunk(&lists, A, 0x80, B);
	put_chunk(&lists, B, 0x80, C);
	put_chunk(&lists, C, 0x80, head(&lists, BIN_UNSORTED));
	read_to(&lists, 2, false);
	expect_end(&lists, 2, true);
}

static void add_to(struct marks *marks, uint64_t address, enum mark_list list,
		   unsigned int index)
{
	struct ari_error err;
	struct mark *mark = list_add(&marks->list, &err);

	must(mark != NULL);
	*mark = (struct mark){ .address = address, .list = list, .index = index };
}

TEST(marks_of_two_sources_are_merged_by_address_and_ones_own_win)
{
	static const struct mark expected[] = {
		{ .address = A, .list = MARK_TCACHE, .index = 1 },
		{ .address = B, .list = MARK_FAST, .index = 2 },
		{ .address = C, .list = MARK_UNSORTED, .index = 1 },
		{ .address = C + 64, .list = MARK_TCACHE, .index = 3 },
	};
	struct marks own = { .astray = 7 }, more = { 0 };
	struct ari_error err;

	add_to(&own, B, MARK_FAST, 2);
	add_to(&own, C, MARK_UNSORTED, 1);
	add_to(&more, A, MARK_TCACHE, 1);
	add_to(&more, B, MARK_TCACHE, 2);
	add_to(&more, C + 64, MARK_TCACHE, 3);
	ck_works(marks_merge(&own, more.list.at, 0, &err), &err);
	ck_assert_uint_eq(own.list.count, 2);
	ck_works(marks_merge(&own, more.list.at, more.list.count, &err), &err);
	ck_assert_uint_eq(own.list.count, 4);
	ck_assert_uint_eq(own.astray, 7);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(own.list.at[i].address, expected[i].address);
		ck_assert_uint_eq(own.list.at[i].list, expected[i].list);
		ck_assert_uint_eq(own.list.at[i].index, expected[i].index);
	}
	marks_done(&own);
	ck_works(marks_merge(&own, more.list.at, more.list.count, &err), &err);
	ck_assert_uint_eq(own.list.count, 3);
	marks_done(&own);
	marks_done(&more);
}

/* world_done() sees that no such page was read. */
TEST(member_on_a_page_that_is_not_there_is_not_read)
{
	static const enum page_state states[] = { PAGE_SWAPPED, PAGE_ABSENT };

	for (int i = 0; i < 2; i++) {
		struct lists lists;

		begin(&lists, V236);
		set_bin(&lists, BIN_UNSORTED, A);
		put_chunk(&lists, A, 0x80, C);
		put_chunk(&lists, C, 0x80, head(&lists, BIN_UNSORTED));
		fake_set_pages(&lists.world.fake, C, 1, states[i]);
		read_to(&lists, MANY, false);
		ck_assert_uint_eq(lists.marks.list.count, 1);
		expect_mark(&lists, 0, A, 0x80, MARK_UNSORTED, BIN_UNSORTED);
		end(&lists);
	}
}

TEST(process_that_goes_away_is_an_error)
{
	const struct marks_bounds bounds = { MANY, MARKS_MOST, never };
	struct lists lists;
	struct ari_error err;
	struct view state;

	begin(&lists, V236);
	set_bin(&lists, BIN_UNSORTED, A);
	ck_works(view_load(&state, &lists.world.fake.mem, &lists.world.layout,
			   MALLOC_STATE, lists.world.arenas[0].address, &err),
		 &err);
	lists.world.fake.broken = ARI_GONE;
	ck_fails(marks_read(&lists.peek, &state, &bounds, &lists.marks, &err), &err,
		 ARI_GONE);
	end(&lists);
}

/* An honest program may have that many: the list is none the worse for it. */
TEST(lists_of_more_than_are_kept_are_cut)
{
	const uint64_t at = 0x400000000000, most = 1000, count = most + 10;
	struct lists lists;

	begin(&lists, V231);
	lists.marks_most = most;
	fake_map(&lists.world.fake, at, count * 32 / 4096 * 4096 + 4096, "rw-p", "");
	for (uint64_t i = 0; i < count; i++)
		put_chunk(&lists, at + 32 * i, 32, i + 1 < count ? at + 32 * i + 32 : 0);
	set_fastbin(&lists, 0, at);
	set_bin(&lists, BIN_UNSORTED, A);
	put_chunk(&lists, A, 0x80, head(&lists, BIN_UNSORTED));
	read_to(&lists, 2 * count, false);
	ck_assert(lists.marks.cut && !lists.marks.unread);
	expect_end(&lists, most, false);
}

TEST(time_that_is_over_ends_the_reading)
{
	const struct marks_bounds bounds = { MANY, MARKS_MOST, { 1 } };
	struct lists lists;
	struct ari_error err;
	struct view state;

	begin(&lists, V236);
	set_bin(&lists, BIN_UNSORTED, A);
	put_chunk(&lists, A, 0x80, head(&lists, BIN_UNSORTED));
	ck_works(view_load(&state, &lists.world.fake.mem, &lists.world.layout,
			   MALLOC_STATE, lists.world.arenas[0].address, &err),
		 &err);
	ck_fails(marks_read(&lists.peek, &state, &bounds, &lists.marks, &err), &err,
		 ARI_TIMED_OUT);
	ck_fails(marks_read_bins(&lists.peek, &state, &bounds, &lists.marks, &err), &err,
		 ARI_TIMED_OUT);
	end(&lists);
}

UNIT_MAIN("walk/marks", empty_lists_mark_nothing,
	  members_of_a_fastbin_are_marked_by_address, links_before_safe_linking_are_plain,
	  plain_link_where_links_are_masked_is_given_up,
	  members_of_the_unsorted_bin_are_marked_whatever_their_size,
	  other_bins_are_read_only_when_asked_for,
	  release_without_fastbins_has_the_other_lists,
	  fastbin_that_loops_marks_each_member_once,
	  bin_that_loops_marks_each_member_once, links_astray_are_given_up,
	  pointer_with_a_tag_is_no_chunk, member_of_another_size_ends_a_fastbin,
	  member_of_another_bin_ends_a_bin, chunk_in_two_lists_is_marked_once,
	  no_more_chunks_are_followed_than_there_can_be,
	  marks_of_two_sources_are_merged_by_address_and_ones_own_win,
	  member_on_a_page_that_is_not_there_is_not_read,
	  process_that_goes_away_is_an_error, lists_of_more_than_are_kept_are_cut,
	  time_that_is_over_ends_the_reading)
