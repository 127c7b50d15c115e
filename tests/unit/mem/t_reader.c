// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "fake.h"
#include "mem/reader.h"
#include "unit.h"

#define AT    ((uint64_t)0x7f0000000000)
#define PAGE  ((uint64_t)4096)
#define PAGES 3000 /* more than two blocks of states */

static void begin(struct fake *fake, struct reader *reader)
{
	struct ari_error err;

	fake_init(fake, PAGE);
	fake_map(fake, AT, PAGES * PAGE, "rw-p", "");
	for (uint64_t i = 0; i < PAGES; i++)
		fake_put(fake, AT + i * PAGE, i + 1);
	ck_works(reader_open(&fake->mem, reader, &err), &err);
	reader_begin(reader, AT, AT + PAGES * PAGE, 0, 0);
}

static void end(struct fake *fake, struct reader *reader)
{
	reader_close(reader);
	fake_done(fake);
}

static uint8_t reach(struct reader *reader, uint64_t address)
{
	struct ari_error err;
	uint8_t state;

	ck_works(reader_reach(reader, address, &state, &err), &err);
	return state;
}

static uint64_t word_at(const struct reader *reader, uint64_t address)
{
	uint64_t word;

	must(reader_holds(reader, address));
	memcpy(&word, reader_at(reader, address), sizeof(word));
	return word;
}

/* What has lost its mapping since looks present then, and cannot be read. */
TEST(page_that_went_away_is_unreadable)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	fake_unmap(&fake, AT);
	fake_map(&fake, AT, 5 * PAGE, "rw-p", "");
	fake_map(&fake, AT + 6 * PAGE, (PAGES - 6) * PAGE, "rw-p", "");
	reader.mapped = true;
	reader_begin(&reader, AT, AT + PAGES * PAGE, 0, 0);
	ck_assert_uint_eq(reach(&reader, AT), PAGE_PRESENT);
	ck_assert_uint_eq(reach(&reader, AT + 5 * PAGE), PAGE_UNREADABLE);
	ck_assert_uint_eq(reach(&reader, AT + 6 * PAGE), PAGE_PRESENT);
	end(&fake, &reader);
}

TEST(every_page_is_read_in_its_turn)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	for (uint64_t i = 0; i < PAGES; i++) {
		must(reach(&reader, AT + i * PAGE + 8) == PAGE_PRESENT);
		must(word_at(&reader, AT + i * PAGE) == i + 1);
	}
	ck_assert_uint_lt(fake.copies, PAGES / 10); /* in windows, not one by one */
	end(&fake, &reader);
}

static void read_pages_of(uint64_t page)
{
	struct fake fake;
	struct reader reader;
	struct ari_error err;

	fake_init(&fake, page);
	fake_map(&fake, AT, 16 * page, "rw-p", "");
	for (uint64_t i = 0; i < 16; i++)
		fake_put(&fake, AT + i * page + page - 16, i + 1);
	ck_works(reader_open(&fake.mem, &reader, &err), &err);
	/* A range that begins and ends within pages, as a heap's may. */
	reader_begin(&reader, AT + 4096, AT + 15 * page + 4096, 0, 0);
	for (uint64_t i = 0; i < 15; i++) {
		must(reach(&reader, AT + i * page + page - 16) == PAGE_PRESENT);
		must(word_at(&reader, AT + i * page + page - 16) == i + 1);
	}
	ck_works(reader_finish(&reader, &err), &err);
	ck_assert_uint_eq(reader.all.resident, 15 * page);
	end(&fake, &reader);
}

TEST(pages_of_16_and_64_kib_are_read_whole)
{
	read_pages_of(16384);
	read_pages_of(65536);
}

static uint64_t first_read, last_read;

static void note(struct fake *fake, uint64_t address)
{
	(void)fake;
	if (address < first_read)
		first_read = address;
	if (address > last_read)
		last_read = address;
}

TEST(what_is_jumped_over_is_not_read)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	ck_assert_uint_eq(reach(&reader, AT), PAGE_PRESENT);
	first_read = UINT64_MAX;
	last_read = 0;
	fake.before_copy = note;
	ck_assert_uint_eq(reach(&reader, AT + 2500 * PAGE), PAGE_PRESENT);
	ck_assert_uint_eq(word_at(&reader, AT + 2500 * PAGE), 2501);
	ck_assert_uint_eq(first_read, AT + 2500 * PAGE);
	ck_assert_uint_lt(last_read, AT + 2564 * PAGE);
	end(&fake, &reader);
}

/* fake_done() sees that pages that are not present are not read. */
TEST(page_that_is_not_present_says_so_and_shows_zeros_to_its_neighbours)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	fake_set_pages(&fake, AT + 3 * PAGE, 1, PAGE_ABSENT);
	fake_set_pages(&fake, AT + 4 * PAGE, 1, PAGE_SWAPPED);
	for (uint64_t i = 0; i < 8; i++) {
		uint8_t state = reach(&reader, AT + i * PAGE);

		ck_assert_uint_eq(state, i == 3	  ? PAGE_ABSENT
					 : i == 4 ? PAGE_SWAPPED
						  : PAGE_PRESENT);
		if (reader_holds(&reader, AT + i * PAGE))
			ck_assert_uint_eq(word_at(&reader, AT + i * PAGE),
					  i == 3 || i == 4 ? 0 : i + 1);
	}
	end(&fake, &reader);
}

TEST(page_of_zeros_and_shared_page_are_read)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	fake_set_pages(&fake, AT, 1, PAGE_ZERO);
	fake_set_pages(&fake, AT + PAGE, 1, PAGE_NOT_ALONE);
	ck_assert_uint_eq(reach(&reader, AT), PAGE_PRESENT);
	ck_assert_uint_eq(reach(&reader, AT + PAGE), PAGE_PRESENT);
	ck_assert_uint_eq(word_at(&reader, AT + PAGE), 2);
	end(&fake, &reader);
}

TEST(pages_are_counted_by_their_states)
{
	struct fake fake;
	struct reader reader;
	struct ari_error err;

	begin(&fake, &reader);
	fake_set_pages(&fake, AT, 10, PAGE_ABSENT);
	fake_set_pages(&fake, AT + 1020 * PAGE, 20, PAGE_SWAPPED);
	fake_set_pages(&fake, AT + 2000 * PAGE, 5, PAGE_ZERO);
	fake_set_pages(&fake, AT + 2100 * PAGE, 2, PAGE_NOT_ALONE);
	fake_set_pages(&fake, AT + 2200 * PAGE, 512,
		       (enum page_state)(PAGE_PRESENT | PAGE_IS_HUGE));
	reader_begin(&reader, AT, AT + PAGES * PAGE, AT + 2990 * PAGE + 100,
		     AT + PAGES * PAGE);
	ck_assert_uint_eq(reach(&reader, AT + 1500 * PAGE), PAGE_PRESENT);
	ck_assert_uint_eq(reach(&reader, AT + 11 * PAGE), PAGE_PRESENT); /* back again */
	ck_works(reader_finish(&reader, &err), &err);
	ck_works(reader_finish(&reader, &err), &err);
	ck_assert_uint_eq(reader.all.resident, (PAGES - 10 - 20 - 5 - 2) * PAGE);
	ck_assert_uint_eq(reader.all.swapped, 20 * PAGE);
	ck_assert_uint_eq(reader.all.huge, 512 * PAGE);
	ck_assert_uint_eq(reader.all.untold, 2 * PAGE);
	ck_assert_uint_eq(reader.top.resident, 10 * PAGE - 100);
	end(&fake, &reader);
}

/* Bytes of a page outside of the range are another's. */
TEST(range_within_pages_counts_its_own_bytes)
{
	struct fake fake;
	struct reader reader;
	struct ari_error err;

	begin(&fake, &reader);
	reader_begin(&reader, AT + 100, AT + PAGE + 50, 0, 0);
	ck_works(reader_finish(&reader, &err), &err);
	ck_assert_uint_eq(reader.all.resident, PAGE - 50);
	end(&fake, &reader);
}

TEST(page_that_cannot_be_read_is_told_and_its_neighbours_are_read)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	fake_unmap(&fake, AT);
	fake_map(&fake, AT, 4 * PAGE, "rw-p", "");
	fake_map(&fake, AT + 4 * PAGE, PAGE, "---p", "");
	fake_map(&fake, AT + 5 * PAGE, 4 * PAGE, "rw-p", "");
	fake_put(&fake, AT + 5 * PAGE, 6);
	for (uint64_t i = 0; i < 9; i++)
		ck_assert_uint_eq(reach(&reader, AT + i * PAGE),
				  i == 4 ? PAGE_UNREADABLE : PAGE_PRESENT);
	ck_assert_uint_eq(reach(&reader, AT + 5 * PAGE), PAGE_PRESENT);
	ck_assert_uint_eq(word_at(&reader, AT + 5 * PAGE), 6);
	end(&fake, &reader);
}

TEST(process_that_went_away_is_an_error)
{
	struct fake fake;
	struct reader reader;
	struct ari_error err;
	uint8_t state;

	begin(&fake, &reader);
	fake.broken = ARI_GONE;
	ck_fails(reader_reach(&reader, AT, &state, &err), &err, ARI_GONE);
	end(&fake, &reader);
}

TEST(reader_serves_one_range_after_the_other)
{
	struct fake fake;
	struct reader reader;

	begin(&fake, &reader);
	ck_assert_uint_eq(reach(&reader, AT + 5 * PAGE), PAGE_PRESENT);
	fake_put(&fake, AT + 5 * PAGE, 99);
	reader_begin(&reader, AT + 5 * PAGE, AT + 6 * PAGE, 0, 0);
	ck_assert(!reader_holds(&reader, AT + 5 * PAGE));
	ck_assert_uint_eq(reach(&reader, AT + 5 * PAGE), PAGE_PRESENT);
	ck_assert_uint_eq(word_at(&reader, AT + 5 * PAGE), 99);
	end(&fake, &reader);
}

static void begin_two(struct fake *fake, struct reader readers[2])
{
	struct ari_error err;

	begin(fake, &readers[0]);
	ck_works(reader_open(&fake->mem, &readers[1], &err), &err);
	reader_begin(&readers[1], AT, AT + PAGES * PAGE, 0, 0);
}

static void end_two(struct fake *fake, struct reader readers[2])
{
	reader_close(&readers[1]);
	end(fake, &readers[0]);
}

static void reach_two(struct reader readers[2], uint64_t page, uint64_t other_page)
{
	struct ari_error err;

	ck_works(reader_reach_two(&readers[0], AT + page * PAGE, &readers[1],
				  AT + other_page * PAGE, &err),
		 &err);
}

TEST(two_readers_reach_in_one_call)
{
	struct fake fake;
	struct reader readers[2];
	unsigned int calls;
	uint64_t last;

	begin_two(&fake, readers);
	fake_set_pages(&fake, AT + 1502 * PAGE, 1, PAGE_ABSENT);
	for (uint64_t i = 0; i < 8; i++) {
		calls = fake.calls;
		reach_two(readers, readers[0].end == 0 ? 0 : (readers[0].end - AT) / PAGE,
			  readers[1].end == 0 ? 1500 : (readers[1].end - AT) / PAGE);
		ck_assert_uint_eq(fake.calls, calls + 1);
		must(word_at(&readers[0], readers[0].start) ==
		     (readers[0].start - AT) / PAGE + 1);
		last = (readers[1].end - AT) / PAGE;
		must(word_at(&readers[1], readers[1].end - PAGE) ==
		     (last == 1503 ? 0 : last));
	}
	end_two(&fake, readers);
}

TEST(where_one_of_two_readers_needs_nothing_nothing_is_read)
{
	struct fake fake;
	struct reader readers[2];

	begin_two(&fake, readers);
	fake_set_pages(&fake, AT + 7 * PAGE, 1, PAGE_SWAPPED);
	reach_two(readers, 0, 7);
	ck_assert_uint_eq(fake.calls, 0);
	ck_assert_uint_eq(reach(&readers[0], AT), PAGE_PRESENT);
	reach_two(readers, 0, 8);
	ck_assert_uint_eq(fake.calls, 1);
	ck_assert(!reader_holds(&readers[1], AT + 8 * PAGE));
	end_two(&fake, readers);
}

TEST(page_of_one_of_two_that_cannot_be_read_is_left_to_itself)
{
	struct fake fake;
	struct reader readers[2];
	struct ari_error err;

	begin_two(&fake, readers);
	fake_protect(&fake, AT, "---p");
	reach_two(readers, 0, 1);
	ck_assert(!reader_holds(&readers[0], AT) &&
		  !reader_holds(&readers[1], AT + PAGE));
	ck_assert_uint_eq(reach(&readers[0], AT), PAGE_UNREADABLE);
	fake_protect(&fake, AT, "rw-p");
	ck_assert_uint_eq(reach(&readers[1], AT + PAGE), PAGE_PRESENT);
	ck_assert_uint_eq(word_at(&readers[1], AT + PAGE), 2);
	fake.broken = ARI_GONE;
	ck_fails(reader_reach_two(&readers[0], AT + 20 * PAGE, &readers[1],
				  AT + 40 * PAGE, &err),
		 &err, ARI_GONE);
	end_two(&fake, readers);
}

/* ---- much that is not there ---- */

#define FAR   ((uint64_t)1 << 40)
#define BLOCK (READER_BLOCK * PAGE)

static struct reader_below below(struct reader *reader, uint64_t address)
{
	struct reader_below below;
	struct ari_error err;

	ck_works(reader_below(reader, address, &below, &err), &err);
	return below;
}

/* Eight pages at the start of the range, and one nearly at its end. */
static void begin_far(struct fake *fake, struct reader *reader, uint64_t bytes)
{
	struct ari_error err;

	fake_init(fake, PAGE);
	fake_map(fake, AT, 8 * PAGE, "rw-p", "");
	fake_map(fake, AT + bytes - 100 * PAGE, PAGE, "rw-p", "");
	ck_works(reader_open(&fake->mem, reader, &err), &err);
	reader_begin(reader, AT, AT + bytes, 0, 0);
}

static void expect_far(struct reader *reader, uint64_t bytes)
{
	uint64_t last = AT + bytes - 100 * PAGE;

	ck_assert_uint_eq(below(reader, AT + 3 * PAGE + 1).resident, 3 * PAGE + 1);
	ck_assert_uint_eq(below(reader, AT + BLOCK).resident, 8 * PAGE);
	ck_assert_uint_eq(below(reader, AT + bytes / 2).resident, 8 * PAGE);
	ck_assert_uint_eq(below(reader, last).resident, 8 * PAGE);
	ck_assert_uint_eq(below(reader, last + 16).resident, 8 * PAGE + 16);
	ck_assert_uint_eq(below(reader, AT + bytes).resident, 9 * PAGE);
	ck_assert_uint_eq(below(reader, AT + bytes / 2 + BLOCK).resident, 8 * PAGE);
}

TEST(what_is_not_there_costs_neither_looks_nor_memory)
{
	for (int passes = 0; passes < 2; passes++) {
		uint64_t bytes = passes == 1 ? FAR : 500 * BLOCK;
		struct fake fake;
		struct reader reader;
		struct ari_error err;

		begin_far(&fake, &reader, bytes);
		fake.mem.tells_huge = passes == 1;
		ck_works(reader_finish(&reader, &err), &err);
		ck_assert_uint_eq(reader.all.resident, 9 * PAGE);
		if (passes == 1)
			ck_assert_uint_lt(fake.lookups, 100);
		else
			ck_assert_uint_eq(fake.lookups, 500);
		ck_assert_uint_le(reader.sums.count, 2);
		expect_far(&reader, bytes);
		reader.kept.wanted = true;
		reader_begin(&reader, AT, AT + bytes, 0, 0);
		expect_far(&reader, bytes);
		ck_works(reader_finish(&reader, &err), &err);
		ck_assert_uint_eq(reader.all.resident, 9 * PAGE);
		ck_assert_uint_eq(reader.kept.list.count, 4);
		ck_assert_uint_eq(reader.kept.list.at[0].pages, 8);
		ck_assert_uint_eq(reader.kept.list.at[1].pages, bytes / PAGE - 108);
		ck_assert_uint_eq(reader.kept.list.at[1].state, PAGE_ABSENT);
		ck_assert_uint_eq(reader.kept.list.at[3].pages, 99);
		end(&fake, &reader);
	}
}

TEST(sums_over_blocks_are_those_of_their_pages)
{
	struct fake fake;
	struct reader reader;
	uint64_t resident = 0, swapped = 0;

	fake_init(&fake, PAGE);
	fake_map(&fake, AT, 20 * BLOCK, "rw-p", "");
	fake_set_pages(&fake, AT + 2 * BLOCK, 3 * READER_BLOCK, PAGE_ABSENT);
	fake_set_pages(&fake, AT + 6 * BLOCK, 2 * READER_BLOCK, PAGE_SWAPPED);
	fake_set_pages(&fake, AT + 9 * BLOCK + 7 * PAGE, 9 * READER_BLOCK, PAGE_ABSENT);
	must(reader_open(&fake.mem, &reader, &(struct ari_error){ 0 }));
	reader_begin(&reader, AT, AT + 20 * BLOCK, 0, 0);
	for (uint64_t page = 0; page < 20 * READER_BLOCK; page++) {
		uint64_t block = page / READER_BLOCK;
		bool absent =
			(block >= 2 && block < 5) ||
			(page >= 9 * READER_BLOCK + 7 && page < 18 * READER_BLOCK + 7);
		struct reader_below here = below(&reader, AT + page * PAGE);

		must(here.resident == resident && here.swapped == swapped);
		if (block == 6 || block == 7)
			swapped += PAGE;
		else if (!absent)
			resident += PAGE;
	}
	end(&fake, &reader);
}

TEST(time_that_is_over_ends_the_counting)
{
	struct fake fake;
	struct reader reader;
	struct ari_error err;
	uint8_t state;

	begin(&fake, &reader);
	reader.deadline = (struct deadline){ 1 };
	ck_fails(reader_finish(&reader, &err), &err, ARI_TIMED_OUT);
	ck_fails(reader_reach(&reader, AT, &state, &err), &err, ARI_TIMED_OUT);
	end(&fake, &reader);
}

UNIT_MAIN("mem/reader", page_that_went_away_is_unreadable, every_page_is_read_in_its_turn,
	  pages_of_16_and_64_kib_are_read_whole, what_is_jumped_over_is_not_read,
	  page_that_is_not_present_says_so_and_shows_zeros_to_its_neighbours,
	  page_of_zeros_and_shared_page_are_read, pages_are_counted_by_their_states,
	  range_within_pages_counts_its_own_bytes,
	  page_that_cannot_be_read_is_told_and_its_neighbours_are_read,
	  process_that_went_away_is_an_error, reader_serves_one_range_after_the_other,
	  two_readers_reach_in_one_call,
	  where_one_of_two_readers_needs_nothing_nothing_is_read,
	  page_of_one_of_two_that_cannot_be_read_is_left_to_itself,
	  what_is_not_there_costs_neither_looks_nor_memory,
	  sums_over_blocks_are_those_of_their_pages, time_that_is_over_ends_the_counting)
