// SPDX-License-Identifier: Apache-2.0
#include "fake.h"
#include "mem/peek.h"
#include "unit.h"

#define AT ((uint64_t)0x7f0000000000)

static void begin(struct fake *fake, struct peek *peek)
{
	struct ari_error err;

	fake_init(fake, 4096);
	fake_map(fake, AT, 0x100000, "rw-p", "");
	ck_works(peek_open(&fake->mem, peek, &err), &err);
}

static void end(struct fake *fake, struct peek *peek)
{
	peek_close(peek);
	fake_done(fake);
}

static bool look(struct peek *peek, uint64_t address, uint64_t *ret)
{
	struct ari_error err;
	bool ok;

	ck_works(peek_word(peek, address, ret, &ok, &err), &err);
	return ok;
}

TEST(word_is_read_and_its_page_kept)
{
	struct fake fake;
	struct peek peek;
	uint64_t word;

	begin(&fake, &peek);
	fake_put(&fake, AT + 0x10, 42);
	fake_put(&fake, AT + 0xff8, 43);
	ck_assert(look(&peek, AT + 0x10, &word));
	ck_assert_uint_eq(word, 42);
	ck_assert(look(&peek, AT + 0xff8, &word));
	ck_assert_uint_eq(word, 43);
	ck_assert_uint_eq(fake.copies, 1);
	end(&fake, &peek);
}

TEST(what_is_kept_is_old_until_it_is_forgotten)
{
	struct fake fake;
	struct peek peek;
	uint64_t word;

	begin(&fake, &peek);
	ck_assert(look(&peek, AT, &word));
	fake_put(&fake, AT, 7);
	ck_assert(look(&peek, AT, &word));
	ck_assert_uint_eq(word, 0);
	peek_forget(&peek);
	ck_assert(look(&peek, AT, &word));
	ck_assert_uint_eq(word, 7);
	end(&fake, &peek);
}

/* Two pages that share a slot take turns in it. */
TEST(pages_of_one_slot_are_not_confused)
{
	struct fake fake;
	struct peek peek;
	uint64_t word, other = AT + PEEK_PAGES * UINT64_C(4096);

	begin(&fake, &peek);
	fake_put(&fake, AT, 1);
	fake_put(&fake, other, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert(look(&peek, AT, &word));
		ck_assert_uint_eq(word, 1);
		ck_assert(look(&peek, other, &word));
		ck_assert_uint_eq(word, 2);
	}
	end(&fake, &peek);
}

/* A look at the page tables costs as much as reading a page. */
TEST(pages_near_each_other_are_looked_up_at_once)
{
	struct fake fake;
	struct peek peek;
	uint64_t word;

	begin(&fake, &peek);
	for (uint64_t i = 0; i < 0x100; i++)
		ck_assert(look(&peek, AT + i * 0x1000, &word));
	ck_assert_uint_eq(fake.lookups, 1);
	fake_set_pages(&fake, AT, 1, PAGE_SWAPPED);
	peek_forget(&peek);
	ck_assert(!look(&peek, AT, &word));
	end(&fake, &peek);
}

/* However long a list is, what was given back meanwhile is not brought in. */
TEST(page_states_are_looked_up_anew_after_a_while)
{
	struct fake fake;
	struct peek peek;
	uint64_t word, loads = 0;

	begin(&fake, &peek);
	ck_assert(look(&peek, AT, &word));
	fake_set_pages(&fake, AT + 0x40000, 1, PAGE_ABSENT);
	/* Two pages of one slot, so that each look loads one. */
	for (; loads <= PEEK_LOADS; loads++)
		ck_assert(look(&peek, loads % 2 == 0 ? AT + 0x80000 : AT, &word));
	ck_assert(!look(&peek, AT + 0x40000, &word));
	ck_assert_uint_eq(fake.disturbed, 0);
	end(&fake, &peek);
}

TEST(page_that_is_not_present_is_left_alone)
{
	static const enum page_state states[] = { PAGE_ABSENT, PAGE_SWAPPED };

	for (int i = 0; i < 2; i++) {
		struct fake fake;
		struct peek peek;
		uint64_t word;

		begin(&fake, &peek);
		fake_set_pages(&fake, AT, 1, states[i]);
		ck_assert(!look(&peek, AT + 8, &word));
		ck_assert_uint_eq(fake.copies, 0);
		end(&fake, &peek);
	}
}

TEST(address_without_memory_shows_nothing)
{
	static const uint64_t places[] = { 0, 0x1000, AT + 0x100000, UINT64_MAX - 4095 };

	for (int i = 0; i < 4; i++) {
		struct fake fake;
		struct peek peek;
		uint64_t word;

		begin(&fake, &peek);
		ck_assert(!look(&peek, places[i], &word));
		end(&fake, &peek);
	}
}

TEST(word_across_two_pages_shows_nothing)
{
	struct fake fake;
	struct peek peek;
	uint64_t word;

	begin(&fake, &peek);
	ck_assert(!look(&peek, AT + 0xffc, &word));
	ck_assert(!look(&peek, UINT64_MAX, &word));
	end(&fake, &peek);
}

TEST(page_that_may_not_be_read_shows_nothing_and_is_not_kept)
{
	struct fake fake;
	struct peek peek;
	uint64_t word;

	begin(&fake, &peek);
	fake_protect(&fake, AT, "---p");
	ck_assert(!look(&peek, AT, &word));
	fake_protect(&fake, AT, "rw-p");
	ck_assert(look(&peek, AT, &word));
	end(&fake, &peek);
}

TEST(process_that_went_away_is_an_error)
{
	struct fake fake;
	struct peek peek;
	struct ari_error err;
	uint64_t word;
	bool ok;

	begin(&fake, &peek);
	fake.broken = ARI_GONE;
	ck_fails(peek_word(&peek, AT, &word, &ok, &err), &err, ARI_GONE);
	end(&fake, &peek);
}

UNIT_MAIN("mem/peek", word_is_read_and_its_page_kept,
	  what_is_kept_is_old_until_it_is_forgotten, pages_of_one_slot_are_not_confused,
	  pages_near_each_other_are_looked_up_at_once,
	  page_states_are_looked_up_anew_after_a_while,
	  page_that_is_not_present_is_left_alone, address_without_memory_shows_nothing,
	  word_across_two_pages_shows_nothing,
	  page_that_may_not_be_read_shows_nothing_and_is_not_kept,
	  process_that_went_away_is_an_error)
