// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "fake.h"
#include "unit.h"

#define AT ((uint64_t)0x7f0000100000)

static void fill(struct fake *fake, uint64_t address, uint64_t bytes)
{
	uint8_t *at = fake_at(fake, address, bytes);

	for (uint64_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)((address + i) * 31 >> 3);
}

static void expect_filled(const uint8_t *bytes, uint64_t address, size_t length)
{
	for (size_t i = 0; i < length; i++)
		must(bytes[i] == (uint8_t)((address + i) * 31 >> 3));
}

TEST(present_pages_are_copied_in_one_piece)
{
	struct fake fake;
	struct ari_error err;
	uint8_t bytes[0x3000];

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x4000, "rw-p", "");
	fill(&fake, AT, 0x4000);
	fake_set_pages(&fake, AT + 0x1000, 1, PAGE_NOT_ALONE);
	ck_works(mem_read(&fake.mem, AT + 0x123, bytes, sizeof(bytes), &err), &err);
	expect_filled(bytes, AT + 0x123, sizeof(bytes));
	ck_assert_uint_eq(fake.copies, 1);
	fake_done(&fake);
}

TEST(absent_anonymous_page_is_zeros_and_is_not_touched)
{
	struct fake fake;
	struct ari_error err;
	uint8_t bytes[0x1000], zeros[0x1000] = { 0 };

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x2000, "rw-p", "");
	fill(&fake, AT, 0x2000);
	fake_set_pages(&fake, AT, 2, PAGE_ABSENT);
	memset(bytes, 0xee, sizeof(bytes));
	ck_works(mem_read(&fake.mem, AT + 0x800, bytes, sizeof(bytes), &err), &err);
	ck_assert_mem_eq(bytes, zeros, sizeof(bytes));
	ck_assert_uint_eq(fake.copies, 0);
	ck_assert_uint_eq(fake.files, 0);
	fake_done(&fake);
}

TEST(absent_page_of_the_heap_and_of_a_named_mapping_is_zeros)
{
	static const char *const names[] = { "[heap]", "[stack]",
					     "[anon: glibc: malloc arena]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct fake fake;
		struct ari_error err;
		uint64_t word = 1;

		fake_init(&fake, 4096);
		fake_map(&fake, AT, 0x1000, "rw-p", names[i]);
		fake_set_pages(&fake, AT, 1, PAGE_ABSENT);
		ck_works(mem_read_word(&fake.mem, AT + 8, &word, &err), &err);
		ck_assert_uint_eq(word, 0);
		ck_assert_uint_eq(fake.copies + fake.files, 0);
		fake_done(&fake);
	}
}

TEST(absent_page_of_a_file_comes_from_the_file)
{
	struct fake fake;
	struct ari_error err;
	uint64_t word;

	fake_init(&fake, 4096);
	fake.file_byte = 0x5a;
	fake_map(&fake, AT, 0x2000, "r--p", "/usr/lib/libc.so.6");
	fake_set_pages(&fake, AT, 1, PAGE_ABSENT);
	ck_works(mem_read_word(&fake.mem, AT + 8, &word, &err), &err);
	ck_assert_uint_eq(word, 0x5a5a5a5a5a5a5a5a);
	ck_assert_uint_eq(fake.copies, 0);
	ck_assert_uint_eq(fake.files, 1);
	fake_done(&fake);
}

TEST(absent_page_of_a_file_that_is_gone_is_a_fault)
{
	struct fake fake;
	struct ari_error err;
	uint64_t word;

	fake_init(&fake, 4096);
	fake.file_byte = -1;
	fake_map(&fake, AT, 0x1000, "r--p", "/usr/lib/libc.so.6 (deleted)");
	fake_set_pages(&fake, AT, 1, PAGE_ABSENT);
	ck_fails(mem_read_word(&fake.mem, AT, &word, &err), &err, ARI_FAULT);
	ck_assert(mem_is_fault(&err));
	ck_assert_uint_eq(fake.copies, 0);
	fake_done(&fake);
}

TEST(absent_page_of_shared_memory_is_not_taken_for_zeros)
{
	struct fake fake;
	struct ari_error err;
	uint64_t word;

	fake_init(&fake, 4096);
	fake.file_byte = -1;
	fake_map(&fake, AT, 0x1000, "rw-s", "/dev/zero (deleted)");
	fake_set_pages(&fake, AT, 1, PAGE_ABSENT);
	ck_fails(mem_read_word(&fake.mem, AT, &word, &err), &err, ARI_FAULT);
	fake_done(&fake);
}

TEST(swapped_page_stays_in_swap_and_is_named)
{
	struct fake fake;
	struct ari_error err;
	uint8_t bytes[0x3000];

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x4000, "rw-p", "");
	fake_set_pages(&fake, AT + 0x2000, 1, PAGE_SWAPPED);
	ck_fails(mem_read(&fake.mem, AT + 0x10, bytes, sizeof(bytes), &err), &err,
		 ARI_SWAPPED);
	ck_assert_uint_eq(err.address, AT + 0x2000);
	ck_assert(mem_is_fault(&err));
	ck_fails(mem_read(&fake.mem, AT + 0x2345, bytes, 8, &err), &err, ARI_SWAPPED);
	ck_assert_uint_eq(err.address, AT + 0x2345);
	ck_works(mem_read(&fake.mem, AT, bytes, 0x2000, &err), &err);
	ck_works(mem_read(&fake.mem, AT + 0x3000, bytes, 0x1000, &err), &err);
	fake_done(&fake);
}

TEST(unknown_pages_are_copied)
{
	struct fake fake;
	struct ari_error err;
	uint8_t bytes[0x2000];

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x2000, "rw-p", "");
	fill(&fake, AT, 0x2000);
	fake_set_pages(&fake, AT, 2, PAGE_UNKNOWN);
	ck_works(mem_read(&fake.mem, AT, bytes, sizeof(bytes), &err), &err);
	expect_filled(bytes, AT, sizeof(bytes));
	fake_done(&fake);
}

TEST(address_that_is_not_mapped_is_a_fault)
{
	struct fake fake;
	struct ari_error err;
	uint64_t word = 77;

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x1000, "rw-p", "");
	ck_fails(mem_read_word(&fake.mem, AT - 8, &word, &err), &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, AT - 8);
	ck_fails(mem_read_word(&fake.mem, AT + 0xffc, &word, &err), &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, AT + 0x1000);
	ck_fails(mem_read_word(&fake.mem, 0, &word, &err), &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, 0);
	fake_done(&fake);
}

TEST(mapping_without_the_right_to_read_is_a_fault)
{
	struct fake fake;
	struct ari_error err;
	uint64_t word;

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x1000, "---p", "");
	fake_set_pages(&fake, AT, 1, PAGE_ABSENT);
	ck_fails(mem_read_word(&fake.mem, AT, &word, &err), &err, ARI_FAULT);
	fake_set_pages(&fake, AT, 1, PAGE_PRESENT);
	ck_fails(mem_read_word(&fake.mem, AT, &word, &err), &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, AT);
	fake_done(&fake);
}

TEST(page_that_vanished_since_it_was_looked_up_is_a_fault)
{
	struct fake fake;
	struct ari_error err;
	uint64_t word;

	fake_init(&fake, 4096);
	fake_map(&fake, AT, 0x1000, "rw-p", "");
	fake.broken = ARI_FAULT;
	ck_fails(mem_read_word(&fake.mem, AT, &word, &err), &err, ARI_FAULT);
	fake.broken = ARI_GONE;
	ck_fails(mem_read_word(&fake.mem, AT, &word, &err), &err, ARI_GONE);
	ck_assert(!mem_is_fault(&err));
	fake_done(&fake);
}

TEST(end_of_the_address_space_is_a_fault)
{
	struct fake fake;
	struct ari_error err;
	uint8_t bytes[0x2000];

	fake_init(&fake, 4096);
	fake_map(&fake, UINT64_MAX - 0x1fff, 0x1000, "rw-p", "");
	ck_works(mem_read(&fake.mem, UINT64_MAX - 0x1fff, bytes, 0x1000, &err), &err);
	ck_fails(mem_read(&fake.mem, UINT64_MAX - 0x1fff, bytes, 0x1001, &err), &err,
		 ARI_FAULT);
	ck_fails(mem_read(&fake.mem, UINT64_MAX, bytes, 1, &err), &err, ARI_FAULT);
	ck_fails(mem_read(&fake.mem, UINT64_MAX - 7, bytes, 8, &err), &err, ARI_FAULT);
	ck_fails(mem_read(&fake.mem, UINT64_MAX - 6, bytes, 8, &err), &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, UINT64_MAX - 6);
	ck_fails(mem_read(&fake.mem, 16, bytes, SIZE_MAX, &err), &err, ARI_FAULT);
	fake_done(&fake);
}

TEST(nothing_can_be_read_anywhere)
{
	struct fake fake;
	struct ari_error err;

	fake_init(&fake, 4096);
	ck_works(mem_read(&fake.mem, 0x1234, NULL, 0, &err), &err);
	fake_done(&fake);
}

/* What a byte must be, by the state of its page. */
static uint8_t expected_byte(uint64_t address, uint8_t state, bool is_file)
{
	if (state == PAGE_ABSENT)
		return is_file ? 0x5a : 0;
	return (uint8_t)(address * 31 >> 3);
}

static void check_mixed(uint64_t page_bytes, uint64_t *seed)
{
	static const uint8_t kinds[] = { PAGE_ABSENT, PAGE_PRESENT, PAGE_ZERO,
					 PAGE_NOT_ALONE, PAGE_UNKNOWN };
	static uint8_t bytes[(size_t)200 << 16];
	uint8_t states[200];
	struct fake fake;
	struct ari_error err;

	fake_init(&fake, page_bytes);
	fake.file_byte = 0x5a;
	fake_map(&fake, AT, 100 * page_bytes, "rw-p", "");
	fake_map(&fake, AT + 100 * page_bytes, 100 * page_bytes, "r--p", "/lib/x");
	fill(&fake, AT, 100 * page_bytes);
	fill(&fake, AT + 100 * page_bytes, 100 * page_bytes);
	for (uint64_t i = 0; i < 200; i++) {
		states[i] = kinds[unit_random(seed) % sizeof(kinds)];
		fake_set_pages(&fake, AT + i * page_bytes, 1, states[i]);
	}
	for (int turn = 0; turn < 20; turn++) {
		uint64_t from = unit_random(seed) % (190 * page_bytes);
		uint64_t length = unit_random(seed) % (200 * page_bytes - from) + 1;

		ck_works(mem_read(&fake.mem, AT + from, bytes, length, &err), &err);
		for (uint64_t i = 0; i < length; i += 61) {
			uint64_t page = (from + i) / page_bytes;

			must(bytes[i] ==
			     expected_byte(AT + from + i, states[page], page >= 100));
		}
	}
	fake_done(&fake);
}

TEST(pages_of_different_states_are_each_read_their_own_way)
{
	uint64_t seed = 1;

	for (int turn = 0; turn < 3; turn++)
		check_mixed(4096, &seed);
}

TEST(large_pages_are_read_the_same_way)
{
	uint64_t seed = 2;

	check_mixed(16384, &seed);
	check_mixed(65536, &seed);
}

UNIT_MAIN("mem/mem", present_pages_are_copied_in_one_piece,
	  absent_anonymous_page_is_zeros_and_is_not_touched,
	  absent_page_of_the_heap_and_of_a_named_mapping_is_zeros,
	  absent_page_of_a_file_comes_from_the_file,
	  absent_page_of_a_file_that_is_gone_is_a_fault,
	  absent_page_of_shared_memory_is_not_taken_for_zeros,
	  swapped_page_stays_in_swap_and_is_named, unknown_pages_are_copied,
	  address_that_is_not_mapped_is_a_fault,
	  mapping_without_the_right_to_read_is_a_fault,
	  page_that_vanished_since_it_was_looked_up_is_a_fault,
	  end_of_the_address_space_is_a_fault, nothing_can_be_read_anywhere,
	  pages_of_different_states_are_each_read_their_own_way,
	  large_pages_are_read_the_same_way)
