// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "fake.h"
#include "unit.h"
#include "walk/books.h"
#include "walk/pins.h"

#define AT    ((uint64_t)0x7f0000000000)
#define PAGE  ((uint64_t)4096)
#define PAGES 64

/* One segment of 64 pages whose chunks the test tells of. */
struct ledger {
	struct fake fake;
	struct reader reader;
	struct trim_rules rules;
	struct books books;
};

static void begin(struct ledger *ledger)
{
	struct ari_error err;

	memset(ledger, 0, sizeof(*ledger));
	fake_init(&ledger->fake, PAGE);
	fake_map(&ledger->fake, AT, PAGES * PAGE, "rw-p", "");
	ck_works(reader_open(&ledger->fake.mem, &ledger->reader, &err), &err);
	reader_begin(&ledger->reader, AT, AT + PAGES * PAGE, 0, 0);
	books_begin(&ledger->books, &ledger->rules, &ledger->reader);
}

static void end(struct ledger *ledger)
{
	reader_close(&ledger->reader);
	fake_done(&ledger->fake);
}

/* A chunk of [from, to), offsets in the segment. */
static void tell(struct ledger *ledger, uint64_t from, uint64_t to, enum books_chunk kind)
{
	struct ari_error err;

	ck_works(books_chunk(&ledger->books, AT + from, AT + to, kind, false, &err),
		 &err);
}

static void top(struct ledger *ledger, uint64_t from, uint64_t to)
{
	struct ari_error err;

	ck_works(books_top(&ledger->books, AT + from, AT + to, AT + PAGES * PAGE, &err),
		 &err);
}

static const struct books_sums *sums_of(struct ledger *ledger)
{
	struct ari_error err;

	ck_works(books_close(&ledger->books, &err), &err);
	return &ledger->books.sums;
}

TEST(whole_pages_behind_the_links_of_a_free_chunk_go_back)
{
	/* from, to, and the pages that mtrim() would give to madvise() */
	static const struct {
		uint64_t from, to, pages;
	} chunks[] = {
		{ 0, PAGE + 32, 0 },	    /* too small */
		{ 0, PAGE + 48, 0 },	    /* one page more would be needed */
		{ PAGE - 48, 2 * PAGE, 1 }, /* exactly one */
		{ PAGE - 48, 2 * PAGE - 16, 0 },
		{ PAGE - 32, 3 * PAGE, 1 }, /* the links reach into the next page */
		{ 16, 10 * PAGE + 4080, 9 },
	};

	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		struct ledger ledger;

		begin(&ledger);
		tell(&ledger, chunks[i].from, chunks[i].to, BOOKS_FREE);
		ck_assert_uint_eq(sums_of(&ledger)->trimmable, chunks[i].pages * PAGE);
		ck_assert_uint_eq(sums_of(&ledger)->not_pinned, chunks[i].pages * PAGE);
		end(&ledger);
	}
}

TEST(pages_that_are_not_resident_give_nothing_back)
{
	struct ledger ledger;

	begin(&ledger);
	fake_set_pages(&ledger.fake, AT + 2 * PAGE, 2, PAGE_ABSENT);
	fake_set_pages(&ledger.fake, AT + 5 * PAGE, 1, PAGE_SWAPPED);
	fake_set_pages(&ledger.fake, AT + 7 * PAGE, 1, PAGE_ZERO);
	tell(&ledger, 16, 10 * PAGE, BOOKS_FREE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 5 * PAGE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable_swapped, PAGE);
	ck_assert_uint_eq(sums_of(&ledger)->holes_free, 4 * PAGE);
	end(&ledger);
}

TEST(chunks_of_fastbins_make_one_of_what_is_free_around_them)
{
	struct ledger ledger;

	begin(&ledger);
	tell(&ledger, 0, 2048, BOOKS_FREE);
	tell(&ledger, 2048, 2112, BOOKS_FAST);
	tell(&ledger, 2112, 4096, BOOKS_FREE);
	tell(&ledger, 4096, 4160, BOOKS_FAST);
	tell(&ledger, 4160, 4224, BOOKS_FAST);
	tell(&ledger, 4224, 2 * PAGE, BOOKS_FREE);
	tell(&ledger, 2 * PAGE, 2 * PAGE + 64, BOOKS_IN_USE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, PAGE);
	end(&ledger);
}

/* No heap at rest has it; in a heap that moves nothing must be made of it. */
TEST(free_chunks_side_by_side_are_not_merged_without_a_fastbin)
{
	struct ledger ledger;

	begin(&ledger);
	tell(&ledger, 0, 4096, BOOKS_FREE);
	tell(&ledger, 4096, 2 * PAGE, BOOKS_FREE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 0);
	end(&ledger);
}

TEST(top_of_a_thread_keeps_all_and_takes_what_is_merged_into_it)
{
	struct ledger ledger;

	begin(&ledger);
	tell(&ledger, 0, 8 * PAGE, BOOKS_FREE);
	tell(&ledger, 8 * PAGE, 8 * PAGE + 64, BOOKS_FAST);
	top(&ledger, 8 * PAGE + 64, 60 * PAGE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 0);
	ck_assert_uint_eq(sums_of(&ledger)->retained_top, PAGES * PAGE);
	ck_assert_uint_eq(sums_of(&ledger)->not_pinned, 8 * PAGE + 64);
	end(&ledger);
}

static uint64_t brk_gives(uint64_t top_bytes, uint64_t step, uint64_t beyond)
{
	struct ledger ledger;
	uint64_t gives;

	begin(&ledger);
	ledger.rules.is_main = true;
	ledger.rules.brk_end = AT + PAGES * PAGE + beyond;
	ledger.rules.step = step;
	top(&ledger, PAGES * PAGE - top_bytes, PAGES * PAGE);
	gives = sums_of(&ledger)->trimmable;
	ck_assert_uint_eq(gives + ledger.books.sums.retained_top, top_bytes);
	end(&ledger);
	return gives;
}

TEST(top_of_main_sinks_by_whole_steps_and_keeps_a_chunk)
{
	ck_assert_uint_eq(brk_gives(32, PAGE, 0), 0);
	ck_assert_uint_eq(brk_gives(PAGE + 32, PAGE, 0), 0);
	ck_assert_uint_eq(brk_gives(PAGE + 48, PAGE, 0), PAGE);
	ck_assert_uint_eq(brk_gives(33 * PAGE, PAGE, 0), 32 * PAGE);
	ck_assert_uint_eq(brk_gives(33 * PAGE, 16 * PAGE, 0), 32 * PAGE);
	ck_assert_uint_eq(brk_gives(32 * PAGE, 16 * PAGE, 0), 16 * PAGE);
	ck_assert_uint_eq(brk_gives(33 * PAGE, 64 * PAGE, 0), 0);
	/* Somebody else called sbrk behind top. */
	ck_assert_uint_eq(brk_gives(33 * PAGE, PAGE, PAGE), 0);
}

TEST(locked_mapping_ends_what_goes_back)
{
	const struct span locked[] = { { AT + 4 * PAGE, AT + 6 * PAGE },
				       { AT + 20 * PAGE, AT + 30 * PAGE } };
	struct ledger ledger;

	begin(&ledger);
	ledger.rules.locked = locked;
	ledger.rules.locked_count = 2;
	tell(&ledger, 16, 10 * PAGE, BOOKS_FREE); /* pages 1 to 3; madvise() stops */
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 3 * PAGE);
	tell(&ledger, 20 * PAGE, 28 * PAGE, BOOKS_FREE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 3 * PAGE);
	tell(&ledger, 31 * PAGE + 16, 34 * PAGE, BOOKS_FREE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 5 * PAGE);
	/* Of the first chunk pages 4 to 9, of the second 21 to 27. */
	ck_assert_uint_eq(sums_of(&ledger)->locked, 6 * PAGE + 7 * PAGE);
	end(&ledger);
}

TEST(nothing_is_held_by_locks_where_there_are_none_or_nothing_would_go)
{
	const struct span locked = { AT, AT + PAGES * PAGE };
	struct ledger ledger;

	begin(&ledger);
	tell(&ledger, 16, 10 * PAGE, BOOKS_FREE);
	ck_assert_uint_eq(sums_of(&ledger)->locked, 0);
	ledger.rules.locked = &locked;
	ledger.rules.locked_count = 1;
	tell(&ledger, 20 * PAGE + 64, 22 * PAGE - 16, BOOKS_FREE); /* no whole page */
	tell(&ledger, 30 * PAGE, 40 * PAGE, BOOKS_IN_USE);
	ck_assert_uint_eq(sums_of(&ledger)->locked, 0);
	ledger.rules.skips = true;
	tell(&ledger, 50 * PAGE, 60 * PAGE, BOOKS_FREE);
	ck_assert_uint_eq(sums_of(&ledger)->locked, 0);
	end(&ledger);
}

TEST(corrupt_arena_is_passed_over)
{
	struct ledger ledger;

	begin(&ledger);
	ledger.rules.skips = true;
	ledger.rules.is_main = true;
	ledger.rules.brk_end = AT + PAGES * PAGE;
	ledger.rules.step = PAGE;
	tell(&ledger, 0, 8 * PAGE, BOOKS_FREE);
	tell(&ledger, 8 * PAGE, 9 * PAGE, BOOKS_FAST);
	top(&ledger, 9 * PAGE, PAGES * PAGE);
	ck_assert_uint_eq(sums_of(&ledger)->trimmable, 0);
	ck_assert_uint_eq(sums_of(&ledger)->not_pinned, 0);
	ck_assert_uint_eq(sums_of(&ledger)->retained_top, (PAGES - 9) * PAGE);
	end(&ledger);
}

/* ---- pins ---- */

static void tell_pins(struct ledger *ledger, struct pins *pins, uint64_t from,
		      uint64_t to, enum books_chunk kind)
{
	struct ari_error err;

	if (kind == BOOKS_IN_USE || kind == BOOKS_TCACHE)
		ck_works(pins_chunk(pins, &ledger->books, AT + from, AT + to,
				    kind == BOOKS_TCACHE, &err),
			 &err);
	tell(ledger, from, to, kind);
}

static void close_pins(struct ledger *ledger, struct pins *pins)
{
	struct ari_error err;

	ck_works(pins_close(pins, &ledger->books, &err), &err);
}

static void expect_pin(const struct ari_pin *pin, uint64_t at, uint64_t bytes,
		       uint64_t holds)
{
	ck_assert_uint_eq(pin->address, AT + at);
	ck_assert_uint_eq(pin->bytes, bytes);
	ck_assert_uint_eq(pin->holds_bytes, holds);
}

TEST(chunk_between_free_ones_holds_the_pages_at_the_seams)
{
	struct ledger ledger;
	struct pins pins;

	begin(&ledger);
	pins_begin(&pins, 2, AT, false);
	tell_pins(&ledger, &pins, 0, 64, BOOKS_IN_USE);
	tell_pins(&ledger, &pins, 64, 4 * PAGE + 2048, BOOKS_FREE);
	tell_pins(&ledger, &pins, 4 * PAGE + 2048, 4 * PAGE + 2112, BOOKS_IN_USE);
	tell_pins(&ledger, &pins, 4 * PAGE + 2112, 8 * PAGE, BOOKS_FREE);
	/* Its own whole pages are the application's; two more are at its seams. */
	tell_pins(&ledger, &pins, 8 * PAGE, 8 * PAGE + 64, BOOKS_IN_USE);
	tell_pins(&ledger, &pins, 8 * PAGE + 64, 8 * PAGE + 128, BOOKS_IN_USE);
	close_pins(&ledger, &pins);
	ck_assert_uint_eq(pins.count, 1);
	expect_pin(&pins.at[0], 4 * PAGE + 2048, 64, PAGE);
	end(&ledger);
}

TEST(pin_that_a_thread_caches_is_said_to_be_that)
{
	struct ledger ledger;
	struct pins pins;

	begin(&ledger);
	pins_begin(&pins, 2, AT, false);
	tell_pins(&ledger, &pins, 0, 4 * PAGE + 2048, BOOKS_FREE);
	tell_pins(&ledger, &pins, 4 * PAGE + 2048, 4 * PAGE + 2112, BOOKS_TCACHE);
	tell_pins(&ledger, &pins, 4 * PAGE + 2112, 8 * PAGE + 2048, BOOKS_FREE);
	tell_pins(&ledger, &pins, 8 * PAGE + 2048, 8 * PAGE + 2112, BOOKS_IN_USE);
	tell_pins(&ledger, &pins, 8 * PAGE + 2112, 12 * PAGE, BOOKS_FREE);
	close_pins(&ledger, &pins);
	ck_assert_uint_eq(pins.count, 2);
	expect_pin(&pins.at[0], 4 * PAGE + 2048, 64, PAGE);
	ck_assert_int_eq(pins.at[0].cached, ARI_YES);
	expect_pin(&pins.at[1], 8 * PAGE + 2048, 64, PAGE);
	ck_assert_int_eq(pins.at[1].cached, ARI_NO);
	end(&ledger);
}

TEST(pins_that_hold_most_come_first_and_no_more_than_wanted)
{
	struct ledger ledger;
	struct pins pins;

	begin(&ledger);
	pins_begin(&pins, 2, AT, false);
	for (uint64_t at = 0; at < 12 * PAGE; at += 4 * PAGE) {
		uint64_t pin =
			at + 2 * PAGE - at / 4 / 2; /* further from the page's end */

		tell_pins(&ledger, &pins, at, pin, BOOKS_FREE);
		tell_pins(&ledger, &pins, pin, pin + 64, BOOKS_IN_USE);
		tell_pins(&ledger, &pins, pin + 64, at + 4 * PAGE - 64, BOOKS_FREE);
		tell_pins(&ledger, &pins, at + 4 * PAGE - 64, at + 4 * PAGE,
			  BOOKS_IN_USE);
	}
	close_pins(&ledger, &pins);
	ck_assert_uint_eq(pins.count, 2);
	ck_assert_uint_ge(pins.at[0].holds_bytes, pins.at[1].holds_bytes);
	ck_assert_uint_gt(pins.at[1].holds_bytes, 0);
	end(&ledger);
}

/*
 * What the last live chunk in front of top holds, all below it being free; `behind`
 * pages of the segment are not its heap's any more.
 */
static uint64_t lid_holds(const struct trim_rules *rules, bool unmaps, uint64_t behind)
{
	struct ledger ledger;
	struct pins pins;
	struct ari_error err;

	begin(&ledger);
	ledger.rules = *rules;
	pins_begin(&pins, 4, AT, unmaps);
	tell_pins(&ledger, &pins, 0, 32 * PAGE, BOOKS_FREE);
	tell_pins(&ledger, &pins, 32 * PAGE, 32 * PAGE + 64, BOOKS_IN_USE);
	ck_works(pins_top(&pins, &ledger.books, AT + 32 * PAGE + 64,
			  AT + (PAGES - behind) * PAGE, AT + PAGES * PAGE, &err),
		 &err);
	ck_assert_uint_le(pins.count, 1);
	end(&ledger);
	return pins.count == 0 ? 0 : pins.at[0].holds_bytes;
}

TEST(last_chunk_holds_what_free_would_give_back_of_top)
{
	struct trim_rules thread = { .threshold = 128 * 1024,
				     .top_pad = 128 * 1024,
				     .step = PAGE };
	struct trim_rules high = { .threshold = 1 << 30, .step = PAGE };
	struct trim_rules brk = { .is_main = true,
				  .brk_end = AT + PAGES * PAGE,
				  .step = PAGE };

	/* Top is 64 pages then and keeps 32 and one; 31 pages below went anyway. */
	ck_assert_uint_eq(lid_holds(&thread, false, 0), 0);
	ck_assert_uint_eq(lid_holds(&high, false, 0), 0);
	ck_assert_uint_eq(lid_holds(&high, false, 4), 0);
	/* The heap as a whole, but for what malloc_trim gives back of it now. */
	ck_assert_uint_eq(lid_holds(&high, true, 0), PAGES * PAGE - 31 * PAGE);
	/* Brk sinks to the first page: the lid's and the first free one's besides. */
	ck_assert_uint_eq(lid_holds(&brk, false, 0), PAGE);
}

UNIT_MAIN("walk/books", whole_pages_behind_the_links_of_a_free_chunk_go_back,
	  pages_that_are_not_resident_give_nothing_back,
	  chunks_of_fastbins_make_one_of_what_is_free_around_them,
	  free_chunks_side_by_side_are_not_merged_without_a_fastbin,
	  top_of_a_thread_keeps_all_and_takes_what_is_merged_into_it,
	  top_of_main_sinks_by_whole_steps_and_keeps_a_chunk,
	  locked_mapping_ends_what_goes_back,
	  nothing_is_held_by_locks_where_there_are_none_or_nothing_would_go,
	  corrupt_arena_is_passed_over,
	  chunk_between_free_ones_holds_the_pages_at_the_seams,
	  pin_that_a_thread_caches_is_said_to_be_that,
	  pins_that_hold_most_come_first_and_no_more_than_wanted,
	  last_chunk_holds_what_free_would_give_back_of_top)
