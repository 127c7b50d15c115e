// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "fake.h"
#include "unit.h"
#include "walk/books.h"

#define AT    ((uint64_t)0x7f0000000000)
#define PAGE  ((uint64_t)4096)
#define PAGES 16

static const struct runs_view all_known = { true, true, false };

/* A segment whose bytes the test tells of, and what becomes of it. */
struct segment_runs {
	struct fake fake;
	struct reader reader;
	struct trim_rules rules;
	struct books books;
	struct runs runs;
	struct ari_heap heap;
};

/* A segment of `bytes` that begins so far behind a page's start. */
static void begin_at(struct segment_runs *its, uint64_t offset, uint64_t bytes)
{
	struct ari_error err;

	memset(its, 0, sizeof(*its));
	fake_init(&its->fake, PAGE);
	fake_map(&its->fake, AT, PAGES * PAGE, "rw-p", "");
	ck_works(reader_open(&its->fake.mem, &its->reader, &err), &err);
	its->reader.kept.wanted = true;
	reader_begin(&its->reader, AT + offset, AT + offset + bytes, 0, 0);
	books_begin(&its->books, &its->rules, &its->reader);
	runs_begin(&its->runs, AT + offset, PAGE);
	its->books.runs = &its->runs;
}

static void begin(struct segment_runs *its)
{
	begin_at(its, 0, PAGES * PAGE);
}

static void end(struct segment_runs *its)
{
	list_done(&its->heap.runs);
	runs_done(&its->runs);
	reader_close(&its->reader);
	fake_done(&its->fake);
}

/* Bytes [from, to), offsets in the segment's mapping. */
static void tell(struct segment_runs *its, uint64_t from, uint64_t to,
		 enum ari_page_state class)
{
	struct ari_error err;

	ck_works(runs_tell(&its->runs, AT + from, AT + to, class, &err), &err);
}

static void chunk(struct segment_runs *its, uint64_t from, uint64_t to,
		  enum books_chunk kind)
{
	struct ari_error err;

	ck_works(books_chunk(&its->books, AT + from, AT + to, kind, false, &err), &err);
}

/* "3 in-use, 1 absent" */
static void expect(struct segment_runs *its, const struct runs_view *view,
		   const char *expected)
{
	char text[512] = "";
	struct ari_error err;

	ck_works(books_close(&its->books, &err), &err);
	ck_works(reader_finish(&its->reader, &err), &err);
	ck_works(runs_fill(&its->runs, &its->reader.kept, view, &its->heap, &err), &err);
	ck_assert(its->heap.runs.known);
	for (size_t i = 0; i < its->heap.runs.count; i++) {
		const struct ari_page_run *run = &its->heap.runs.at[i];
		const char *word = ari_page_state_name(run->state);
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length, "%s%d %s",
			 i == 0 ? "" : ", ", (int)run->pages, word == NULL ? "?" : word);
	}
	ck_assert_str_eq(text, expected);
}

TEST(page_is_what_most_of_its_bytes_are)
{
	struct segment_runs its;

	begin(&its);
	tell(&its, 0, 64, ARI_PAGE_METADATA);
	tell(&its, 64, 1500, ARI_PAGE_PINNED_FREE);
	tell(&its, 1500, 3900, ARI_PAGE_CACHED);
	tell(&its, 3900, 5 * PAGE + 2048, ARI_PAGE_PINNED_FREE);
	tell(&its, 5 * PAGE + 2048, 6 * PAGE, ARI_PAGE_IN_USE); /* of equals the first */
	tell(&its, 6 * PAGE, PAGES * PAGE, ARI_PAGE_RETAINED_TOP);
	expect(&its, &all_known, "1 cached, 4 pinned-free, 1 in-use, 10 retained-top");
	end(&its);
}

TEST(bytes_that_nothing_is_told_of_are_unwalked)
{
	struct segment_runs its;

	begin(&its);
	tell(&its, 2 * PAGE, 3 * PAGE, ARI_PAGE_IN_USE);
	tell(&its, PAGE, 4 * PAGE, ARI_PAGE_CACHED); /* below 3 it is told */
	tell(&its, 6 * PAGE, 6 * PAGE + 2000, ARI_PAGE_IN_USE);
	expect(&its, &all_known,
	       "2 unwalked, 1 in-use, 1 cached, 2 unwalked, 1 in-use, 9 unwalked");
	end(&its);
}

TEST(segment_may_begin_and_end_within_a_page)
{
	struct segment_runs its;

	begin_at(&its, 16, 2 * PAGE + 100);
	tell(&its, 16, 2 * PAGE + 116, ARI_PAGE_IN_USE);
	expect(&its, &all_known, "3 in-use");
	end(&its);
}

TEST(state_of_the_page_comes_before_what_is_in_it)
{
	struct segment_runs its;

	begin(&its);
	fake_set_pages(&its.fake, AT + PAGE, 2, PAGE_ABSENT);
	fake_set_pages(&its.fake, AT + 3 * PAGE, 1, PAGE_SWAPPED);
	fake_set_pages(&its.fake, AT + 4 * PAGE, 1, PAGE_ZERO);
	fake_set_pages(&its.fake, AT + 5 * PAGE, 1, PAGE_UNKNOWN);
	tell(&its, 0, 8 * PAGE, ARI_PAGE_IN_USE);
	tell(&its, 8 * PAGE, PAGES * PAGE, ARI_PAGE_TRIMMABLE);
	expect(&its, &all_known,
	       "1 in-use, 2 absent, 1 swapped, 1 zero, 1 ?, 2 in-use, 8 trimmable");
	end(&its);
}

TEST(pages_of_a_pool_of_huge_pages_are_no_zeros)
{
	static const struct runs_view pool = { true, true, true };
	struct segment_runs its;

	begin(&its);
	fake_set_pages(&its.fake, AT, PAGES, PAGE_ZERO);
	tell(&its, 0, PAGES * PAGE, ARI_PAGE_IN_USE);
	expect(&its, &pool, "16 hugetlb");
	end(&its);
}

TEST(what_would_go_back_is_not_said_where_that_is_not_known)
{
	static const struct runs_view untold = { false, true, false };
	static const struct runs_view maybe_locked = { true, false, false };
	const struct runs_view *const views[] = { &untold, &maybe_locked };

	for (size_t i = 0; i < 2; i++) {
		struct segment_runs its;

		begin(&its);
		fake_set_pages(&its.fake, AT, PAGES, PAGE_NOT_ALONE);
		tell(&its, 0, PAGE, ARI_PAGE_IN_USE);
		tell(&its, PAGE, 4 * PAGE, ARI_PAGE_PINNED_FREE);
		tell(&its, 4 * PAGE, 8 * PAGE, ARI_PAGE_TRIMMABLE);
		tell(&its, 8 * PAGE, PAGES * PAGE, ARI_PAGE_RETAINED_TOP);
		expect(&its, views[i], "1 in-use, 7 free, 8 retained-top");
		end(&its);
	}
}

/* Blocks of states are of 1024 pages. */
TEST(runs_go_on_where_a_block_of_states_ends)
{
	struct segment_runs its;
	struct ari_error err;

	begin(&its);
	fake_map(&its.fake, AT + 0x10000000, 3000 * PAGE, "rw-p", "");
	reader_begin(&its.reader, AT + 0x10000000, AT + 0x10000000 + 3000 * PAGE, 0, 0);
	runs_begin(&its.runs, AT + 0x10000000, PAGE);
	tell(&its, 0x10000000, 0x10000000 + 2000 * PAGE, ARI_PAGE_IN_USE);
	tell(&its, 0x10000000 + 2000 * PAGE, 0x10000000 + 3000 * PAGE, ARI_PAGE_CACHED);
	ck_works(reader_finish(&its.reader, &err), &err);
	ck_assert_uint_eq(its.reader.kept.list.count, 1);
	expect(&its, &all_known, "2000 in-use, 1000 cached");
	end(&its);
}

/* ---- what the books tell ---- */

TEST(pages_inside_a_free_chunk_would_go_back)
{
	struct segment_runs its;

	begin(&its);
	chunk(&its, 0, 64, BOOKS_IN_USE);
	chunk(&its, 64, 5 * PAGE + 64, BOOKS_FREE);
	chunk(&its, 5 * PAGE + 64, 6 * PAGE, BOOKS_TCACHE);
	chunk(&its, 6 * PAGE, PAGES * PAGE, BOOKS_IN_USE);
	expect(&its, &all_known, "1 pinned-free, 4 trimmable, 1 cached, 10 in-use");
	ck_assert_uint_eq(its.books.sums.trimmable, 4 * PAGE);
	end(&its);
}

TEST(what_is_behind_a_locked_page_stays)
{
	static const struct span locked = { AT + 3 * PAGE, AT + 4 * PAGE };
	struct segment_runs its;

	begin(&its);
	its.rules.locked = &locked;
	its.rules.locked_count = 1;
	chunk(&its, 0, 8 * PAGE, BOOKS_FREE);
	chunk(&its, 8 * PAGE, PAGES * PAGE, BOOKS_IN_USE);
	expect(&its, &all_known, "1 pinned-free, 2 trimmable, 5 pinned-free, 8 in-use");
	end(&its);
}

TEST(chunks_of_fastbins_are_free_with_what_is_around_them)
{
	struct segment_runs its;

	begin(&its);
	chunk(&its, 0, PAGE - 64, BOOKS_FREE);
	chunk(&its, PAGE - 64, PAGE, BOOKS_FAST);
	chunk(&its, PAGE, 4 * PAGE, BOOKS_FREE);
	chunk(&its, 4 * PAGE, PAGES * PAGE, BOOKS_IN_USE);
	expect(&its, &all_known, "1 pinned-free, 3 trimmable, 12 in-use");
	end(&its);
}

TEST(top_takes_what_is_merged_into_it)
{
	struct segment_runs its;
	struct ari_error err;

	begin(&its);
	chunk(&its, 0, 4 * PAGE, BOOKS_FREE);
	chunk(&its, 4 * PAGE, 4 * PAGE + 64, BOOKS_FAST);
	ck_works(books_top(&its.books, AT + 4 * PAGE + 64, AT + 10 * PAGE,
			   AT + PAGES * PAGE, &err),
		 &err);
	expect(&its, &all_known, "16 retained-top");
	end(&its);
}

TEST(top_of_main_gives_back_all_but_its_first_page)
{
	struct segment_runs its;
	struct ari_error err;

	begin(&its);
	its.rules = (struct trim_rules){ .is_main = true,
					 .brk_end = AT + PAGES * PAGE,
					 .step = PAGE };
	chunk(&its, 0, 4 * PAGE, BOOKS_IN_USE);
	ck_works(books_top(&its.books, AT + 4 * PAGE, AT + PAGES * PAGE,
			   AT + PAGES * PAGE, &err),
		 &err);
	expect(&its, &all_known, "4 in-use, 1 retained-top, 11 trimmable");
	ck_assert_uint_eq(its.books.sums.trimmable, 11 * PAGE);
	end(&its);
}

/* Pins look at what lies behind a chunk before it is told. */
TEST(measuring_tells_nothing)
{
	struct segment_runs its;
	uint64_t resident = 0;
	struct books_run run;
	struct ari_error err;

	begin(&its);
	chunk(&its, 0, PAGE, BOOKS_IN_USE);
	ck_works(
		books_resident(&its.books, AT + 4 * PAGE, AT + 8 * PAGE, &resident, &err),
		&err);
	ck_works(books_measure(&its.books, AT + PAGE, AT + 9 * PAGE, &run, &err), &err);
	ck_assert_uint_eq(resident, 4 * PAGE);
	chunk(&its, PAGE, PAGES * PAGE, BOOKS_TCACHE);
	expect(&its, &all_known, "1 in-use, 15 cached");
	end(&its);
}

TEST(what_is_no_chunk_has_the_class_of_its_sum)
{
	struct segment_runs its;
	struct ari_error err;

	begin(&its);
	ck_works(books_other(&its.books, AT, AT + PAGE, &its.books.sums.metadata, &err),
		 &err);
	ck_works(books_other(&its.books, AT + PAGE, AT + 2 * PAGE,
			     &its.books.sums.unwalked, &err),
		 &err);
	ck_works(books_other(&its.books, AT + 2 * PAGE, AT + PAGES * PAGE,
			     &its.books.sums.retained_top, &err),
		 &err);
	expect(&its, &all_known, "1 metadata, 1 unwalked, 14 retained-top");
	end(&its);
}

TEST(where_there_are_too_many_there_are_none)
{
	struct segment_runs its;
	struct ari_error err;

	begin(&its);
	tell(&its, 0, PAGES * PAGE, ARI_PAGE_IN_USE);
	ck_works(reader_finish(&its.reader, &err), &err);
	its.reader.kept.over = true;
	ck_works(runs_fill(&its.runs, &its.reader.kept, &all_known, &its.heap, &err),
		 &err);
	ck_assert(!its.heap.runs.known);
	ck_assert_uint_eq(its.heap.runs.count, 0);
	end(&its);
}

UNIT_MAIN("walk/runs", page_is_what_most_of_its_bytes_are,
	  bytes_that_nothing_is_told_of_are_unwalked,
	  segment_may_begin_and_end_within_a_page,
	  state_of_the_page_comes_before_what_is_in_it,
	  pages_of_a_pool_of_huge_pages_are_no_zeros,
	  what_would_go_back_is_not_said_where_that_is_not_known,
	  runs_go_on_where_a_block_of_states_ends,
	  pages_inside_a_free_chunk_would_go_back, what_is_behind_a_locked_page_stays,
	  chunks_of_fastbins_are_free_with_what_is_around_them,
	  top_takes_what_is_merged_into_it, top_of_main_gives_back_all_but_its_first_page,
	  measuring_tells_nothing, what_is_no_chunk_has_the_class_of_its_sum,
	  where_there_are_too_many_there_are_none)
