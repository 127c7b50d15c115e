// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scratch.h"
#include "target/pages.h"
#include "unit.h"

#define PRESENT	  ((uint64_t)1 << 63)
#define SWAPPED	  ((uint64_t)1 << 62)
#define EXCLUSIVE ((uint64_t)1 << 56)

static void open_pages(struct scratch *scratch, const uint64_t *entries, size_t count,
		       uint64_t page_bytes, struct pages *ret)
{
	scratch_open(scratch);
	scratch_file(scratch, "pagemap", entries, count * sizeof(*entries));
	*ret = (struct pages){ .fd = openat(scratch->dir, "pagemap", O_RDONLY),
			       .page_bytes = page_bytes };
	ck_assert_int_ge(ret->fd, 0);
}

static void close_pages(struct scratch *scratch, struct pages *pages)
{
	pages_close(pages);
	ck_assert_int_eq(pages->fd, -1);
	scratch_close(scratch);
}

TEST(entry_of_pagemap_says_the_state)
{
	static const uint64_t entries[] = { 0, PRESENT | EXCLUSIVE, PRESENT, SWAPPED | 5,
					    0x123 };
	static const uint8_t expected[] = { PAGE_ABSENT, PAGE_PRESENT, PAGE_NOT_ALONE,
					    PAGE_SWAPPED, PAGE_ABSENT };
	struct scratch scratch;
	struct pages pages;
	struct ari_error err;
	uint8_t states[5];

	open_pages(&scratch, entries, 5, 4096, &pages);
	ck_works(pages_lookup(&pages, 0, 5, states, &err), &err);
	ck_assert_mem_eq(states, expected, 5);
	ck_works(pages_lookup(&pages, 3 * 4096, 1, states, &err), &err);
	ck_assert_uint_eq(states[0], PAGE_SWAPPED);
	close_pages(&scratch, &pages);
}

TEST(entry_is_that_of_the_page_whatever_its_size)
{
	static const uint64_t sizes[] = { 4096, 16384, 65536 };
	uint64_t entries[3000] = { 0 };

	entries[2999] = PRESENT | EXCLUSIVE;
	for (int i = 0; i < 3; i++) {
		struct scratch scratch;
		struct pages pages;
		struct ari_error err;
		uint8_t states[3000];

		open_pages(&scratch, entries, 3000, sizes[i], &pages);
		ck_works(pages_lookup(&pages, 0, 3000, states, &err), &err);
		for (int page = 0; page < 2999; page++)
			must(states[page] == PAGE_ABSENT);
		ck_assert_uint_eq(states[2999], PAGE_PRESENT);
		ck_works(pages_lookup(&pages, 2999 * sizes[i], 1, states, &err), &err);
		ck_assert_uint_eq(states[0], PAGE_PRESENT);
		close_pages(&scratch, &pages);
	}
}

TEST(beyond_the_page_tables_is_absent)
{
	static const uint64_t entries[] = { PRESENT | EXCLUSIVE };
	struct scratch scratch;
	struct pages pages;
	struct ari_error err;
	uint8_t states[3];

	open_pages(&scratch, entries, 1, 4096, &pages);
	ck_works(pages_lookup(&pages, 0, 3, states, &err), &err);
	ck_assert_uint_eq(states[0], PAGE_PRESENT);
	ck_assert_uint_eq(states[1], PAGE_ABSENT);
	ck_assert_uint_eq(states[2], PAGE_ABSENT);
	close_pages(&scratch, &pages);
}

TEST(without_page_tables_every_page_is_unknown)
{
	struct pages pages = { .fd = -1, .page_bytes = 4096 };
	struct ari_error err;
	uint8_t states[2];

	ck_works(pages_lookup(&pages, 0x1000, 2, states, &err), &err);
	ck_assert_uint_eq(states[0], PAGE_UNKNOWN);
	ck_assert_uint_eq(states[1], PAGE_UNKNOWN);
	ck_assert(!page_is_present(PAGE_UNKNOWN));
}

TEST(pages_beyond_the_address_space_are_a_fault)
{
	struct pages pages = { .fd = -1, .page_bytes = 4096 };
	struct ari_error err;
	uint8_t states[2];

	ck_fails(pages_lookup(&pages, UINT64_MAX - 4095, 2, states, &err), &err,
		 ARI_FAULT);
	ck_fails(pages_lookup(&pages, 0, SIZE_MAX, states, &err), &err, ARI_FAULT);
}

/* Our own pages: the same whichever way they are looked up. */
#define BEYOND_USERS ((uint64_t)0x6161616161616000)

TEST(both_ways_of_looking_agree)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	struct target target = { .pid = getpid(), .task = getpid(), .page_bytes = bytes };
	char *at = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ari_error err;
	struct pages pages;

	ck_assert_ptr_ne(at, MAP_FAILED);
	madvise(at, 2 * bytes, MADV_NOHUGEPAGE);
	at[bytes] = 1;
	target.task_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	ck_works(pages_open(&target, &pages, &err), &err);
	for (int turn = 0; turn < 2; turn++) {
		uint8_t states[2];

		ck_works(pages_lookup(&pages, (uint64_t)(uintptr_t)at, 2, states, &err),
			 &err);
		ck_assert_uint_eq(states[0], PAGE_ABSENT);
		ck_assert_uint_eq(states[1], PAGE_PRESENT);
		/* Where no process has memory there is none, and the process is there. */
		ck_works(pages_lookup(&pages, BEYOND_USERS, 2, states, &err), &err);
		ck_assert_uint_eq(states[0], PAGE_ABSENT);
		ck_assert_uint_eq(states[1], PAGE_ABSENT);
		pages.can_scan = false;
	}
	pages_close(&pages);
	close(target.task_dir);
}

static void expect_run(const struct page_run *run, uint64_t start, uint64_t end,
		       enum page_state state)
{
	ck_assert_uint_eq(run->start, start);
	ck_assert_uint_eq(run->end, end);
	ck_assert_uint_eq(page_state(run->state), state);
}

TEST(runs_are_pages_in_a_row_in_one_state)
{
	static const uint64_t entries[] = {
		0, PRESENT | EXCLUSIVE, PRESENT | EXCLUSIVE, PRESENT,
		0, SWAPPED | 5,		SWAPPED | 6
	};
	struct scratch scratch;
	struct pages pages;
	struct ari_error err;
	struct page_run runs[3];
	uint64_t reached;
	size_t count;

	open_pages(&scratch, entries, 7, 4096, &pages);
	ck_works(pages_runs(&pages, 0, 7 * 4096, false, runs, 3, &count, &reached, &err),
		 &err);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_ge(reached, 6 * 4096);
	expect_run(&runs[0], 4096, 3 * 4096, PAGE_PRESENT);
	expect_run(&runs[1], 3 * 4096, 4 * 4096, PAGE_NOT_ALONE);
	ck_assert_uint_eq(page_state(runs[2].state), PAGE_SWAPPED);
	/* With too little room there is a way on. */
	ck_works(pages_runs(&pages, 0, 7 * 4096, false, runs, 1, &count, &reached, &err),
		 &err);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_lt(reached, 7 * 4096);
	ck_works(pages_runs(&pages, 4096, 4096, false, runs, 1, &count, &reached, &err),
		 &err);
	ck_assert_uint_eq(count, 0);
	close_pages(&scratch, &pages);
}

TEST(look_for_runs_ends_far_from_anything)
{
	static const uint64_t entries[] = { 0 };
	struct scratch scratch;
	struct pages pages;
	struct ari_error err;
	struct page_run run;
	uint64_t reached;
	size_t count;

	open_pages(&scratch, entries, 1, 4096, &pages);
	ck_works(pages_runs(&pages, 0, (uint64_t)1 << 44, false, &run, 1, &count,
			    &reached, &err),
		 &err);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(reached, 1024 * 4096);
	close_pages(&scratch, &pages);
	pages = (struct pages){ .fd = -1, .page_bytes = 4096 };
	ck_works(pages_runs(&pages, 0, 4096, false, &run, 1, &count, &reached, &err),
		 &err);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(reached, 4096);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* All runs of our own pages, by either way. */
static size_t runs_of(const struct pages *pages, uint64_t at, uint64_t end,
		      struct page_run *runs, size_t room)
{
	struct ari_error err;
	size_t all = 0, count;

	while (at < end) {
		ck_works(pages_runs(pages, at, end, false, runs + all, room - all, &count,
				    &at, &err),
			 &err);
		all += count;
	}
	return all;
}

TEST(runs_of_either_way_are_the_same)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	struct target target = { .pid = getpid(), .task = getpid(), .page_bytes = bytes };
	char *at = mmap(NULL, 16 * bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = (uint64_t)(uintptr_t)at;
	struct ari_error err;
	struct pages pages;

	ck_assert_ptr_ne(at, MAP_FAILED);
	madvise(at, 16 * bytes, MADV_NOHUGEPAGE);
	at[bytes] = at[2 * bytes] = at[10 * bytes] = 1;
	target.task_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	ck_works(pages_open(&target, &pages, &err), &err);
	for (int turn = 0; turn < 2; turn++) {
		struct page_run runs[20];

		ck_assert_uint_eq(runs_of(&pages, start, start + 16 * bytes, runs, 20),
				  2);
		expect_run(&runs[0], start + bytes, start + 3 * bytes, PAGE_PRESENT);
		expect_run(&runs[1], start + 10 * bytes, start + 11 * bytes,
			   PAGE_PRESENT);
		ck_assert(!runs[0].of_file);
		pages.can_scan = false;
	}
	pages_close(&pages);
	close(target.task_dir);
}

/* Of what is mapped: pages without memory, with some, only read, and of a guard. */
TEST(mapped_pages_are_told_as_all_others_are)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	struct target target = { .pid = getpid(), .task = getpid(), .page_bytes = bytes };
	volatile char *at = mmap(NULL, 2000 * bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = (uint64_t)(uintptr_t)at;
	uint8_t states[2000], mapped[2000];
	struct ari_error err;
	struct pages pages;
	char read = 0;

	ck_assert_ptr_ne((void *)at, MAP_FAILED);
	madvise((void *)at, 2000 * bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 2000; i++)
		if (i % 3 == 1 || (i > 700 && i < 1500))
			at[i * bytes] = 1;
		else if (i % 3 == 2)
			read |= at[i * bytes];
	ck_assert_int_eq(read, 0);
	madvise((char *)at + 800 * bytes, 10 * bytes, MADV_GUARD_INSTALL);
	mprotect((char *)at + 900 * bytes, 10 * bytes, PROT_NONE);
	target.task_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	ck_works(pages_open(&target, &pages, &err), &err);
	for (int turn = 0; turn < 2; turn++) {
		ck_works(pages_lookup(&pages, start, 2000, states, &err), &err);
		ck_works(pages_lookup_mapped(&pages, start, 2000, mapped, &err), &err);
		ck_assert_mem_eq(states, mapped, sizeof(states));
		ck_assert_uint_eq(states[0], PAGE_ABSENT);
		ck_assert_uint_eq(states[1], PAGE_PRESENT);
		ck_assert_uint_eq(states[900], PAGE_PRESENT);
		pages.can_scan = false;
	}
	pages_close(&pages);
	close(target.task_dir);
	munmap((void *)at, 2000 * bytes);
}

/* Beyond user space nothing is mapped, whatever was thought of it. */
TEST(mapped_pages_where_no_process_has_any_are_absent)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	struct target target = { .pid = getpid(), .task = getpid(), .page_bytes = bytes };
	struct ari_error err;
	struct pages pages;
	uint8_t states[2];

	target.task_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	ck_works(pages_open(&target, &pages, &err), &err);
	ck_works(pages_lookup_mapped(&pages, BEYOND_USERS, 2, states, &err), &err);
	ck_assert_uint_eq(states[0], PAGE_ABSENT);
	ck_assert_uint_eq(states[1], PAGE_ABSENT);
	pages_close(&pages);
	close(target.task_dir);
}

/* Without PAGEMAP_SCAN nothing tells, and nothing is said. */
TEST(whose_page_it_is_is_told_when_asked_for)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	struct target target = { .pid = getpid(), .task = getpid(), .page_bytes = bytes };
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	uint64_t start = (uint64_t)(uintptr_t)at, reached;
	struct ari_error err;
	struct pages pages;

	ck_assert_ptr_ne(at, MAP_FAILED);
	*at = 1;
	target.task_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	ck_works(pages_open(&target, &pages, &err), &err);
	for (int asked = 0; asked < 2; asked++) {
		struct page_run run;
		size_t count;

		ck_works(pages_runs(&pages, start, start + bytes, asked, &run, 1, &count,
				    &reached, &err),
			 &err);
		ck_assert_uint_eq(count, 1);
		ck_assert_int_eq(run.of_file, asked && pages.can_scan);
	}
	pages_close(&pages);
	close(target.task_dir);
	munmap(at, bytes);
}

TEST(guard_is_no_page_in_swap)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	struct target target = { .pid = getpid(), .task = getpid(), .page_bytes = bytes };
	char *at = mmap(NULL, 4 * bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = (uint64_t)(uintptr_t)at;
	struct page_run runs[4];
	struct ari_error err;
	struct pages pages;
	uint8_t states[4];

	target.task_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	ck_works(pages_open(&target, &pages, &err), &err);
	at[0] = 1;
	if (pages.can_tell_guards &&
	    madvise(at + bytes, bytes, MADV_GUARD_INSTALL) == 0) {
		ck_assert_uint_eq(runs_of(&pages, start, start + 4 * bytes, runs, 4), 1);
		ck_works(pages_lookup(&pages, start, 4, states, &err), &err);
		ck_assert_uint_eq(page_state(states[0]), PAGE_PRESENT);
		ck_assert_uint_eq(page_state(states[1]), PAGE_ABSENT);
	}
	pages_close(&pages);
	close(target.task_dir);
	munmap(at, 4 * bytes);
}

UNIT_MAIN("target/pages", entry_of_pagemap_says_the_state,
	  entry_is_that_of_the_page_whatever_its_size, beyond_the_page_tables_is_absent,
	  without_page_tables_every_page_is_unknown,
	  pages_beyond_the_address_space_are_a_fault, both_ways_of_looking_agree,
	  runs_are_pages_in_a_row_in_one_state, look_for_runs_ends_far_from_anything,
	  runs_of_either_way_are_the_same, whose_page_it_is_is_told_when_asked_for,
	  mapped_pages_are_told_as_all_others_are,
	  mapped_pages_where_no_process_has_any_are_absent, guard_is_no_page_in_swap)
