// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "model/model.h"
#include "unit.h"
#include "walk/owners.h"
#include "world.h"

#define V236 LAYOUT_RELEASE(2, 36)
#define V243 LAYOUT_RELEASE(2, 43)
#define PAGE ((uint64_t)4096)
#define AT   ((uint64_t)0x7ffe00000000)

/* A process with mmapped chunks, as malloc counts them. */
struct made {
	struct world world;
	struct owners owners;
	uint64_t chunks, bytes;
	bool is_short;
};

static void begin(struct made *made, unsigned int release)
{
	*made = (struct made){ .is_short = release >= V243 };
	world_init(&made->world, release);
}

static void put_header(struct made *made, uint64_t at, uint64_t padding, uint64_t mapping)
{
	uint64_t size = mapping - (padding & ~(uint64_t)1) - (made->is_short ? 16 : 0);

	fake_put(&made->world.fake, at, padding);
	fake_put(&made->world.fake, at + 8, size | 2);
}

/* One of `pages` pages at `at`, which is mapped; the caller wrote to the first. */
static void put_chunk(struct made *made, uint64_t at, uint64_t pages)
{
	put_header(made, at, 0, pages * PAGE);
	fake_put(&made->world.fake, at + 16, 0x1122334455667788);
	made->chunks++;
	made->bytes += pages * PAGE;
}

/*
 * Aligned: its header `padding` bytes on.  What sysmalloc() wrote at the start says how
 * long the mapping was then.
 */
static void put_aligned(struct made *made, uint64_t at, uint64_t pages, uint64_t padding,
			uint64_t pages_then)
{
	put_header(made, at, 0, pages_then * PAGE);
	put_header(made, at + padding, padding, pages * PAGE);
	fake_put(&made->world.fake, at + padding + 16, 0x1122334455667788);
	made->chunks++;
	made->bytes += pages * PAGE;
}

static void map_pages(struct made *made, uint64_t at, uint64_t pages)
{
	fake_map(&made->world.fake, at, pages * PAGE, "rw-p", "");
}

static bool search(struct made *made, struct ari_error *err)
{
	struct world *world = &made->world;
	uint64_t mp = world->symbols.address[SYM_MP];

	world_set(world, mp, MP_N_MMAPS, made->chunks);
	world_set(world, mp, MP_MMAPPED_MEM, made->bytes);
	return world_walk(world, err) &&
	       owners_take_heaps(&world->walk, &made->owners, err) &&
	       walk_mmapped(&world->walk, &made->owners, err);
}

static void find(struct made *made)
{
	struct ari_error err;

	ck_works(search(made, &err), &err);
}

static void end(struct made *made)
{
	owners_done(&made->owners);
	world_done(&made->world);
}

static const struct ari_mmapped *listed(const struct made *made)
{
	return &made->world.walk.model->mmapped;
}

static bool lists(const struct made *made, uint64_t chunk, uint64_t pages)
{
	const struct ari_mmapped *mmapped = listed(made);

	for (size_t i = 0; i < mmapped->listed.count; i++)
		if (mmapped->listed.at[i].address == chunk)
			return mmapped->listed.at[i].bytes == pages * PAGE;
	return false;
}

/* All of them, and nothing else. */
static void expect_all(const struct made *made)
{
	const struct ari_mmapped *mmapped = listed(made);
	uint64_t bytes = 0;

	ck_assert(made->owners.chunks_known);
	ck_assert_uint_eq(made->world.walk.model->quality.notes.count, 0);
	ck_assert(mmapped->listed.known);
	ck_assert_uint_eq(mmapped->listed.count, made->chunks);
	ck_assert_uint_eq(mmapped->more_chunks, 0);
	ck_assert_uint_eq(mmapped->more_bytes, 0);
	for (size_t i = 0; i < mmapped->listed.count; i++)
		bytes += mmapped->listed.at[i].bytes;
	ck_assert_uint_eq(bytes, owned_bytes(&made->owners.chunks));
	ck_assert_uint_eq(made->owners.chunks.list.count, made->chunks);
}

static void expect_note(const struct made *made)
{
	ck_assert(!made->owners.chunks_known);
	ck_assert_uint_eq(made->world.walk.model->quality.notes.count, 1);
	ck_assert_ptr_nonnull(
		strstr(made->world.walk.model->quality.notes.at[0], "mmapped chunks"));
}

TEST(chunks_of_one_mapping_and_of_their_own_are_found)
{
	static const unsigned int releases[] = { LAYOUT_RELEASE(2, 17), V236, V243 };

	for (int i = 0; i < 3; i++) {
		struct made made;

		begin(&made, releases[i]);
		map_pages(&made, AT, 100);
		put_chunk(&made, AT, 40);
		put_chunk(&made, AT + 40 * PAGE, 59);
		put_chunk(&made, AT + 99 * PAGE, 1);
		map_pages(&made, AT + 200 * PAGE, 33);
		put_chunk(&made, AT + 200 * PAGE, 33);
		find(&made);
		expect_all(&made);
		ck_assert(lists(&made, AT, 40));
		ck_assert(lists(&made, AT + 40 * PAGE, 59));
		ck_assert(lists(&made, AT + 99 * PAGE, 1));
		ck_assert(lists(&made, AT + 200 * PAGE, 33));
		ck_assert_uint_eq(listed(&made)->listed.at[0].bytes, 59 * PAGE);
		end(&made);
	}
}

/* Pages of others in front, between, behind; some of them absent. */
TEST(chunks_between_pages_of_others_are_found)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 200);
	memset(fake_at(&made.world.fake, AT, 7 * PAGE), 0x5a, 7 * PAGE);
	put_chunk(&made, AT + 7 * PAGE, 40);
	put_chunk(&made, AT + 47 * PAGE, 10);
	fake_set_pages(&made.world.fake, AT + 57 * PAGE, 60, PAGE_ABSENT);
	put_chunk(&made, AT + 117 * PAGE, 33);
	memset(fake_at(&made.world.fake, AT + 150 * PAGE, PAGE), 0x5a, PAGE);
	find(&made);
	expect_all(&made);
	ck_assert(lists(&made, AT + 7 * PAGE, 40));
	ck_assert(lists(&made, AT + 117 * PAGE, 33));
	end(&made);
}

TEST(process_without_them_is_not_searched)
{
	struct made made;
	unsigned int copies;
	struct ari_error err;

	begin(&made, V236);
	map_pages(&made, AT, 100);
	put_chunk(&made, AT, 100); /* as it looks */
	made.chunks = made.bytes = 0;
	ck_works(world_walk(&made.world, &err), &err);
	copies = made.world.fake.copies;
	find(&made);
	expect_all(&made);
	ck_assert_uint_le(made.world.fake.copies - copies, copies + 2);
	end(&made);
}

TEST(aligned_chunks_have_their_header_further_on)
{
	static const uint64_t paddings[] = { 48,
					     112,
					     240,
					     2032,
					     4080,
					     8192 - 16,
					     65536 - 16,
					     13 * 4096 - 16,
					     700 * 4096 - 16 };
	static const unsigned int releases[] = { V236, V243 };

	for (size_t i = 0; i < 2 * sizeof(paddings) / sizeof(*paddings); i++) {
		uint64_t padding = paddings[i / 2];
		struct made made;

		begin(&made, releases[i % 2]);
		map_pages(&made, AT, 1000);
		put_aligned(&made, AT, 950, padding, 950);
		put_chunk(&made, AT + 950 * PAGE, 50);
		find(&made);
		expect_all(&made);
		ck_assert(lists(&made, AT + padding, 950));
		ck_assert(lists(&made, AT + 950 * PAGE, 50));
		end(&made);
	}
}

/* What is at their start is what they were before mremap(2). */
TEST(aligned_chunks_that_grew_or_shrank_are_as_long_as_they_say)
{
	static const uint64_t then[] = { 20, 60, 1000 };
	static const uint64_t paddings[] = { 48, 4080, 8 * 4096 - 16 };

	for (int i = 0; i < 9; i++) {
		struct made made;

		begin(&made, V236);
		map_pages(&made, AT, 100);
		put_aligned(&made, AT, 50, paddings[i % 3], then[i / 3]);
		fake_set_pages(&made.world.fake, AT + PAGE, 6, PAGE_ABSENT);
		put_chunk(&made, AT + 50 * PAGE, 50);
		find(&made);
		expect_all(&made);
		ck_assert(lists(&made, AT + paddings[i % 3], 50));
		end(&made);
	}
}

TEST(page_filled_with_one_byte_is_as_good_as_untouched)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 50);
	memset(fake_at(&made.world.fake, AT, 50 * PAGE), 0xa5, 50 * PAGE);
	put_aligned(&made, AT, 50, 16 * PAGE - 16, 20);
	find(&made);
	expect_all(&made);
	ck_assert(lists(&made, AT + 16 * PAGE - 16, 50));
	end(&made);
}

TEST(bit_for_huge_pages_is_no_padding)
{
	struct made made;

	begin(&made, V243);
	map_pages(&made, AT, 512);
	put_header(&made, AT, 1, 512 * PAGE);
	made.chunks = 1;
	made.bytes = 512 * PAGE;
	find(&made);
	expect_all(&made);
	end(&made);
	/* It was none before. */
	begin(&made, V236);
	map_pages(&made, AT, 512);
	put_header(&made, AT, 1, 512 * PAGE);
	made.chunks = 1;
	made.bytes = 512 * PAGE;
	find(&made);
	expect_note(&made);
	end(&made);
}

/* 2.43 adds 16 with every mremap(2). */
TEST(sum_that_drifts_is_not_asked_for)
{
	struct made made;

	begin(&made, V243);
	map_pages(&made, AT, 100);
	put_chunk(&made, AT, 40);
	put_chunk(&made, AT + 40 * PAGE, 60);
	made.bytes += 5 * 16;
	find(&made);
	expect_all(&made);
	end(&made);
	begin(&made, V236);
	map_pages(&made, AT, 100);
	put_chunk(&made, AT, 100);
	made.bytes += 4096;
	find(&made);
	expect_note(&made);
	end(&made);
}

/* Others split its mapping: a guard of theirs, pages they made read-only. */
TEST(chunk_goes_on_over_mappings_side_by_side)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 10);
	fake_map(&made.world.fake, AT + 10 * PAGE, PAGE, "---p", "");
	map_pages(&made, AT + 11 * PAGE, 20);
	fake_map(&made.world.fake, AT + 31 * PAGE, 9 * PAGE, "r--p", "");
	put_chunk(&made, AT, 40);
	find(&made);
	expect_all(&made);
	end(&made);
}

/* ---- what cannot be read ---- */

TEST(header_on_a_page_that_is_not_there_is_missed_and_said)
{
	static const enum page_state states[] = { PAGE_SWAPPED, PAGE_ABSENT, PAGE_UNKNOWN,
						  PAGE_UNREADABLE };

	for (int i = 0; i < 4; i++) {
		struct made made;

		begin(&made, V236);
		map_pages(&made, AT, 100);
		put_chunk(&made, AT, 40);
		put_chunk(&made, AT + 40 * PAGE, 60);
		fake_set_pages(&made.world.fake, AT, 40, states[i]);
		find(&made);
		expect_note(&made);
		ck_assert_uint_eq(listed(&made)->listed.count, 1);
		ck_assert(lists(&made, AT + 40 * PAGE, 60));
		ck_assert_uint_eq(listed(&made)->more_chunks, 1);
		ck_assert_uint_eq(listed(&made)->more_bytes, 40 * PAGE);
		end(&made); /* fails when such a page was read */
	}
}

TEST(header_in_memory_without_rights_is_missed)
{
	static const char *const rights[] = { "---p", "r--p", "r-xp", "-w-p" };

	for (int i = 0; i < 4; i++) {
		struct made made;

		begin(&made, V236);
		map_pages(&made, AT, 40);
		put_chunk(&made, AT, 40);
		fake_protect(&made.world.fake, AT, rights[i]);
		find(&made);
		expect_note(&made);
		ck_assert_uint_eq(listed(&made)->listed.count, 0);
		end(&made);
	}
}

TEST(counters_that_cannot_be_leave_all_unknown)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	put_chunk(&made, AT, 40);
	made.bytes = (uint64_t)1 << 60;
	find(&made);
	expect_note(&made);
	ck_assert(!listed(&made)->listed.known);
	ck_assert_uint_eq(listed(&made)->more_chunks, ARI_UNKNOWN);
	end(&made);
}

/* ---- what only looks like one ---- */

/* Each would be as large as a chunk that is one, so that both cannot be told apart. */
TEST(header_that_says_what_cannot_be_is_none)
{
	static const uint64_t words[][2] = {
		{ 0, 40 * 4096 | 3 },	      /* PREV_INUSE */
		{ 0, 40 * 4096 | 6 },	      /* NON_MAIN_ARENA */
		{ 0, 40 * 4096 },	      /* not IS_MMAPPED */
		{ 16, (40 * 4096 - 16) | 2 }, /* a padding that is not there */
		{ 0, (40 * 4096 + 16) | 2 },  /* no whole pages */
		{ 0, 41 * 4096 | 2 },	      /* beyond the mapping */
		{ 0, 2 },		      /* nothing */
		{ 0, UINT64_MAX - 5 },
		{ UINT64_MAX - 4095, 4096 | 2 },
		{ 0, (uint64_t)1 << 63 | 2 },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct made made;

		begin(&made, V236);
		map_pages(&made, AT, 40);
		fake_put(&made.world.fake, AT, words[i][0]);
		fake_put(&made.world.fake, AT + 8, words[i][1]);
		map_pages(&made, AT + 100 * PAGE, 40);
		put_chunk(&made, AT + 100 * PAGE, 40);
		map_pages(&made, AT + 200 * PAGE, 41);
		put_chunk(&made, AT + 200 * PAGE, 41);
		find(&made);
		expect_all(&made);
		ck_assert(lists(&made, AT + 100 * PAGE, 40));
		ck_assert(lists(&made, AT + 200 * PAGE, 41));
		end(&made);
	}
}

TEST(look_alike_is_left_out_where_only_it_can_be_meant)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	put_chunk(&made, AT, 40);
	map_pages(&made, AT + 100 * PAGE, 33);
	put_chunk(&made, AT + 100 * PAGE, 33);
	made.chunks--;
	made.bytes -= 33 * PAGE;
	find(&made);
	expect_all(&made);
	ck_assert(lists(&made, AT, 40));
	end(&made);
}

TEST(look_alike_as_large_as_a_chunk_cannot_be_told)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	put_chunk(&made, AT, 40);
	map_pages(&made, AT + 100 * PAGE, 40);
	put_chunk(&made, AT + 100 * PAGE, 40);
	made.chunks--;
	made.bytes -= 40 * PAGE;
	find(&made);
	expect_note(&made);
	ck_assert(!listed(&made)->listed.known);
	ck_assert_uint_eq(made.owners.chunks.list.count, 0);
	end(&made);
}

/* What is found within a mapping is doubted first, even when both are as large. */
TEST(chain_from_the_start_of_a_mapping_is_preferred)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	put_chunk(&made, AT, 40);
	map_pages(&made, AT + 100 * PAGE, 100);
	fake_put(&made.world.fake, AT + 100 * PAGE, 1);
	put_chunk(&made, AT + 110 * PAGE, 40); /* looks like it */
	put_chunk(&made, AT + 160 * PAGE, 30);
	made.chunks--;
	made.bytes -= 40 * PAGE;
	find(&made);
	expect_all(&made);
	ck_assert(lists(&made, AT, 40));
	ck_assert(lists(&made, AT + 160 * PAGE, 30));
	end(&made);
}

TEST(heaps_and_stacks_hold_none)
{
	struct made made;
	struct world_arena *arena;
	struct ari_error err;

	begin(&made, V236);
	arena = world_add_arena(&made.world, 1);
	put_chunk(&made, arena->heap[0] + 0x4000, 10);
	map_pages(&made, AT, 100);
	fake_map(&made.world.fake, AT + 100 * PAGE, 5 * PAGE, "rw-p", "");
	put_chunk(&made, AT + 100 * PAGE, 5); /* on a stack */
	put_chunk(&made, AT, 5);
	made.chunks = 1;
	made.bytes = 5 * PAGE;
	ck_works(owned_add(&made.owners.stacks, AT + 5 * PAGE, AT + 105 * PAGE, &err),
		 &err);
	find(&made);
	expect_all(&made);
	ck_assert(lists(&made, AT, 5));
	end(&made);
	/* Looked for in vain, they are not found there either. */
	begin(&made, V236);
	map_pages(&made, AT, 100);
	put_chunk(&made, AT + 10 * PAGE, 10);
	ck_works(owned_add(&made.owners.stacks, AT + 5 * PAGE, AT + 100 * PAGE, &err),
		 &err);
	find(&made);
	expect_note(&made);
	ck_assert_uint_eq(listed(&made)->listed.count, 0);
	end(&made);
}

TEST(stack_may_be_a_chunk)
{
	struct made made;
	struct ari_error err;

	begin(&made, V236);
	map_pages(&made, AT, 100);
	put_chunk(&made, AT, 100);
	ck_works(owned_add(&made.owners.stacks, AT + 16, AT + 90 * PAGE, &err), &err);
	find(&made);
	expect_all(&made);
	end(&made);
}

TEST(files_shared_memory_and_the_kernel_s_own_are_not_searched)
{
	static const char *const rows[][2] = { { "rw-p", "/a/file" },
					       { "rw-s", "" },
					       { "rw-p", "[heap]" },
					       { "rw-p", "[stack]" },
					       { "rw-p", "[vvar]" } };

	for (int i = 0; i < 5; i++) {
		struct made made;

		begin(&made, V236);
		fake_map(&made.world.fake, AT, 40 * PAGE, rows[i][0], rows[i][1]);
		put_chunk(&made, AT, 40);
		find(&made);
		expect_note(&made);
		ck_assert_uint_eq(listed(&made)->listed.count, 0);
		end(&made);
	}
}

TEST(names_of_memory_and_huge_pages_hide_nothing)
{
	static const char *const paths[] = { "[anon: glibc: malloc]", "[anon:x]",
					     "/dev/zero", "/anon_hugepage (deleted)" };

	for (int i = 0; i < 4; i++) {
		struct made made;

		begin(&made, V236);
		fake_map(&made.world.fake, AT, 40 * PAGE, "rw-p", paths[i]);
		put_chunk(&made, AT, 40);
		find(&made);
		expect_all(&made);
		end(&made);
	}
}

/* ---- many, and moving ---- */

TEST(largest_thousand_are_listed_and_the_rest_is_counted)
{
	struct made made;
	uint64_t at = AT, smallest = UINT64_MAX, bytes = 0;

	begin(&made, V236);
	map_pages(&made, AT, 6 * 1500 / 2 + 1500);
	for (uint64_t i = 0; i < 1500; i++) {
		uint64_t pages = 1 + i * 7 % 5;

		put_chunk(&made, at, pages);
		at += pages * PAGE;
	}
	find(&made);
	ck_assert(made.owners.chunks_known);
	ck_assert_uint_eq(listed(&made)->listed.count, 1000);
	ck_assert_uint_eq(listed(&made)->more_chunks, 500);
	for (size_t i = 0; i < 1000; i++) {
		uint64_t is = listed(&made)->listed.at[i].bytes;

		must(is <= smallest);
		smallest = is;
		bytes += is;
	}
	ck_assert_uint_eq(smallest, 2 * PAGE);
	ck_assert_uint_eq(listed(&made)->more_bytes, made.bytes - bytes);
	end(&made);
}

/* The first look comes while a chunk is being made. */
static void grow(struct fake *fake, uint64_t address)
{
	struct made *made = fake->data;

	if (address != AT)
		return;
	fake->before_copy = NULL;
	world_set(&made->world, made->world.symbols.address[SYM_MP], MP_N_MMAPS, 2);
	world_set(&made->world, made->world.symbols.address[SYM_MP], MP_MMAPPED_MEM,
		  90 * PAGE);
	fake_put(fake, AT + 200 * PAGE + 8, 50 * PAGE | 2);
}

TEST(search_begins_anew_when_the_counters_change)
{
	struct made made;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	put_chunk(&made, AT, 40);
	map_pages(&made, AT + 200 * PAGE, 50);
	made.bytes = 30 * PAGE;
	made.world.fake.data = &made;
	made.world.fake.before_copy = grow;
	find(&made);
	made.chunks = 2;
	expect_all(&made);
	ck_assert_uint_eq(made.world.walk.model->totals.mmapped_chunks, 2);
	ck_assert_uint_eq(made.world.walk.model->totals.mmapped_bytes, 90 * PAGE);
	ck_assert_uint_ge(made.world.fake.refreshes, 1);
	end(&made);
}

TEST(time_that_is_over_ends_the_search)
{
	struct made made;
	struct ari_error err;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	memset(fake_at(&made.world.fake, AT, 40 * PAGE), 0x5a, 40 * PAGE);
	made.chunks = 1;
	made.bytes = 40 * PAGE;
	world_set(&made.world, made.world.symbols.address[SYM_MP], MP_N_MMAPS, 1);
	world_set(&made.world, made.world.symbols.address[SYM_MP], MP_MMAPPED_MEM, PAGE);
	ck_works(world_walk(&made.world, &err), &err);
	made.world.walk.deadline.at_ns = 1;
	ck_fails(walk_mmapped(&made.world.walk, &made.owners, &err), &err, ARI_TIMED_OUT);
	end(&made);
}

TEST(process_that_went_away_is_an_error)
{
	struct made made;
	struct ari_error err;

	begin(&made, V236);
	map_pages(&made, AT, 40);
	put_chunk(&made, AT, 40);
	find(&made);
	owners_done(&made.owners);
	made.owners = (struct owners){ 0 };
	made.world.fake.broken = ARI_GONE;
	ck_fails(walk_mmapped(&made.world.walk, &made.owners, &err), &err, ARI_GONE);
	made.world.fake.broken = ARI_OK;
	end(&made);
}

static unsigned int looks;

/* As page tables in which every page differs from the next. */
static bool run_of_one_page(struct mem *mem, uint64_t start, uint64_t end,
			    struct page_run *runs, size_t room, size_t *ret_count,
			    uint64_t *ret_reached, struct ari_error *err)
{
	(void)end, (void)room, (void)err;
	looks++;
	*runs = (struct page_run){ start, start + mem->page_bytes, PAGE_PRESENT, false };
	*ret_count = 1;
	*ret_reached = start + mem->page_bytes;
	return true;
}

/* Each attempt has its own, and the second sees what the first saw. */
TEST(page_tables_are_not_looked_at_without_end)
{
	struct made made;
	struct mem_ops ops;

	begin(&made, V236);
	for (uint64_t i = 0; i < 3; i++)
		map_pages(&made, AT + i * 50000 * PAGE, 40000);
	ops = *made.world.fake.mem.ops;
	ops.runs = run_of_one_page;
	made.world.fake.mem.ops = &ops;
	made.chunks = 1;
	made.bytes = 7 * PAGE;
	looks = 0;
	find(&made);
	ck_assert_uint_gt(looks, 0);
	ck_assert_uint_le(looks, 2u << 15);
	end(&made);
}

/* Whatever the bytes are: it ends, and what it says is possible. */
TEST(random_memory_ends)
{
	uint64_t seed = 4711;

	for (int turn = 0; turn < 300; turn++) {
		struct made made;

		begin(&made, turn % 2 == 0 ? V236 : V243);
		for (int i = 0; i < 3; i++)
			map_pages(&made, AT + (uint64_t)i * 40 * PAGE,
				  i == 1 ? 40 : unit_random(&seed) % 39 + 1);
		for (int i = 0; i < 60; i++) {
			uint64_t at = AT + unit_random(&seed) % 80 * PAGE;
			const struct map *map = maps_find(&made.world.fake.maps, at);

			if (map == NULL)
				continue;
			fake_put(&made.world.fake, at, unit_random(&seed) % 3 * 16);
			fake_put(&made.world.fake, at + 8,
				 (unit_random(&seed) % 50 * PAGE -
				  unit_random(&seed) % 3 * 16) |
					 2);
			fake_set_pages(&made.world.fake, at, 1,
				       unit_random(&seed) % 5 == 0 ? PAGE_SWAPPED
								   : PAGE_PRESENT);
		}
		made.chunks = unit_random(&seed) % 12;
		made.bytes = unit_random(&seed) % 100 * PAGE;
		find(&made);
		for (size_t i = 1; i < made.owners.chunks.list.count; i++)
			must(made.owners.chunks.list.at[i - 1].end <=
			     made.owners.chunks.list.at[i].start);
		must(!made.owners.chunks_known ||
		     made.owners.chunks.list.count == made.chunks);
		end(&made);
	}
}

UNIT_MAIN("walk/mmapped", chunks_of_one_mapping_and_of_their_own_are_found,
	  chunks_between_pages_of_others_are_found, process_without_them_is_not_searched,
	  aligned_chunks_have_their_header_further_on,
	  aligned_chunks_that_grew_or_shrank_are_as_long_as_they_say,
	  page_filled_with_one_byte_is_as_good_as_untouched,
	  bit_for_huge_pages_is_no_padding, sum_that_drifts_is_not_asked_for,
	  chunk_goes_on_over_mappings_side_by_side,
	  header_on_a_page_that_is_not_there_is_missed_and_said,
	  header_in_memory_without_rights_is_missed,
	  counters_that_cannot_be_leave_all_unknown,
	  header_that_says_what_cannot_be_is_none,
	  look_alike_is_left_out_where_only_it_can_be_meant,
	  look_alike_as_large_as_a_chunk_cannot_be_told,
	  chain_from_the_start_of_a_mapping_is_preferred, heaps_and_stacks_hold_none,
	  stack_may_be_a_chunk, files_shared_memory_and_the_kernel_s_own_are_not_searched,
	  names_of_memory_and_huge_pages_hide_nothing,
	  largest_thousand_are_listed_and_the_rest_is_counted,
	  search_begins_anew_when_the_counters_change, time_that_is_over_ends_the_search,
	  process_that_went_away_is_an_error, page_tables_are_not_looked_at_without_end,
	  random_memory_ends)
