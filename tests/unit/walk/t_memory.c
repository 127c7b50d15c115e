// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "model/model.h"
#include "unit.h"
#include "walk/owners.h"
#include "world.h"

#define V236 LAYOUT_RELEASE(2, 36)
#define PAGE ((uint64_t)4096)
#define AT   ((uint64_t)0x7ffe00000000)

/* A process of which nothing is resident but what a test says. */
struct made {
	struct world world;
	struct owners owners;
};

static void map_pages(struct made *made, uint64_t at, uint64_t pages, const char *perms,
		      const char *path)
{
	fake_map(&made->world.fake, at, pages * PAGE, perms, path);
}

static void begin(struct made *made)
{
	struct ari_error err;

	*made = (struct made){ 0 };
	world_init(&made->world, V236);
	ck_works(world_walk(&made->world, &err), &err);
	made->owners.heaps_known = made->owners.chunks_known = true;
}

static void own(struct owned *owned, uint64_t start, uint64_t end)
{
	struct ari_error err;

	ck_works(owned_add(owned, start, end, &err), &err);
}

static void count(struct made *made)
{
	struct ari_error err;

	ck_works(walk_memory(&made->world.walk, &made->owners, &err), &err);
	ck_assert_uint_eq(made->world.walk.model->memory.count, 6);
}

static void end(struct made *made)
{
	owners_done(&made->owners);
	world_done(&made->world);
}

static const struct ari_memory *line(const struct made *made, enum ari_memory_kind kind)
{
	const struct ari_memory *row = &made->world.walk.model->memory.at[kind];

	ck_assert_uint_eq(row->kind, kind);
	return row;
}

static void expect(const struct made *made, enum ari_memory_kind kind, uint64_t mappings,
		   uint64_t bytes, uint64_t resident)
{
	const struct ari_memory *row = line(made, kind);

	ck_assert_uint_eq(row->mappings, mappings);
	ck_assert_uint_eq(row->virtual_bytes, bytes);
	ck_assert_uint_eq(row->resident_bytes, resident);
	ck_assert_uint_eq(row->swapped_bytes, 0);
}

/* What world.c maps: brk, of main, and libc's data. */
#define BRK  ((uint64_t)0x21000)
#define DATA ((uint64_t)0x4000)

TEST(mapping_alone_says_what_it_is)
{
	static const struct {
		const char *perms, *path;
		enum ari_memory_kind kind;
	} rows[] = {
		{ "rw-p", "", ARI_MEMORY_ANONYMOUS },
		{ "---p", "", ARI_MEMORY_ANONYMOUS },
		{ "rw-p", "[anon: glibc: malloc]", ARI_MEMORY_ANONYMOUS },
		{ "rw-p", "[heap]", ARI_MEMORY_ANONYMOUS },
		{ "rw-p", "/dev/zero", ARI_MEMORY_ANONYMOUS },
		{ "rw-p", "/anon_hugepage (deleted)", ARI_MEMORY_ANONYMOUS },
		{ "rw-p", "[stack]", ARI_MEMORY_STACKS },
		{ "rw-p", "[stack:4711]", ARI_MEMORY_STACKS },
		{ "r-xp", "/usr/bin/x", ARI_MEMORY_FILES },
		{ "rw-p", "/memfd:x (deleted)", ARI_MEMORY_FILES },
		{ "r-xp", "[vdso]", ARI_MEMORY_FILES },
		{ "r--p", "[vvar]", ARI_MEMORY_FILES },
		{ "r--p", "[vvar_vclock]", ARI_MEMORY_FILES },
		{ "rw-s", "", ARI_MEMORY_SHARED },
		{ "rw-s", "/dev/zero (deleted)", ARI_MEMORY_SHARED },
		{ "rw-s", "/SYSV00000000 (deleted)", ARI_MEMORY_SHARED },
		{ "r--s", "/usr/lib/gconv/cache", ARI_MEMORY_SHARED },
		{ "rw-s", "[anon_shmem:x]", ARI_MEMORY_SHARED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct made made;
		struct ari_memory without;

		begin(&made);
		count(&made);
		without = *line(&made, rows[i].kind);
		end(&made);
		begin(&made);
		map_pages(&made, AT, 10, rows[i].perms, rows[i].path);
		fake_set_pages(&made.world.fake, AT, 3, PAGE_ABSENT);
		fake_set_pages(&made.world.fake, AT + 3 * PAGE, 2, PAGE_SWAPPED);
		fake_set_pages(&made.world.fake, AT + 5 * PAGE, 1, PAGE_ZERO);
		count(&made);
		ck_assert_msg(line(&made, rows[i].kind)->mappings == without.mappings + 1,
			      "%s", rows[i].path);
		ck_assert_uint_eq(line(&made, rows[i].kind)->virtual_bytes,
				  without.virtual_bytes + 10 * PAGE);
		ck_assert_uint_eq(line(&made, rows[i].kind)->resident_bytes,
				  without.resident_bytes + 4 * PAGE);
		ck_assert_uint_eq(line(&made, rows[i].kind)->swapped_bytes, 2 * PAGE);
		end(&made);
	}
}

TEST(heaps_are_of_malloc_and_what_they_reserve_is_too)
{
	struct world_arena *arena;
	struct made made;
	struct ari_error err;

	begin(&made);
	arena = world_add_arena(&made.world, 1);
	/* The rest of its span: nobody may use it, but for what somebody mapped there. */
	map_pages(&made, arena->heap[0] + BRK, 100, "---p", "");
	map_pages(&made, arena->heap[0] + BRK + 100 * PAGE, 10, "rw-p", "");
	fake_set_pages(&made.world.fake, arena->heap[0] + BRK, 100, PAGE_ABSENT);
	ck_works(world_walk(&made.world, &err), &err);
	ck_works(owners_take_heaps(&made.world.walk, &made.owners, &err), &err);
	count(&made);
	expect(&made, ARI_MEMORY_MALLOC_HEAPS, 3, 2 * BRK + 100 * PAGE, 2 * BRK);
	expect(&made, ARI_MEMORY_ANONYMOUS, 1, 10 * PAGE, 10 * PAGE);
	expect(&made, ARI_MEMORY_FILES, 1, DATA, DATA);
	end(&made);
}

/* A program linked statically has its TLS in brk, in front of malloc's memory. */
TEST(page_is_shared_by_the_byte)
{
	struct made made;

	begin(&made);
	own(&made.owners.heaps, WORLD_BRK + 0x2c0, WORLD_BRK + BRK);
	count(&made);
	expect(&made, ARI_MEMORY_MALLOC_HEAPS, 1, BRK - 0x2c0, BRK - 0x2c0);
	expect(&made, ARI_MEMORY_ANONYMOUS, 1, 0x2c0, 0x2c0);
	end(&made);
}

TEST(owners_of_one_mapping_are_told_apart)
{
	struct made made;

	begin(&made);
	own(&made.owners.heaps, WORLD_BRK, WORLD_BRK + BRK);
	map_pages(&made, AT, 100, "rw-p", "");
	fake_set_pages(&made.world.fake, AT, 5, PAGE_ABSENT);
	own(&made.owners.chunks, AT + 10 * PAGE, AT + 20 * PAGE);
	own(&made.owners.chunks, AT + 20 * PAGE, AT + 25 * PAGE);
	own(&made.owners.stacks, AT + 90 * PAGE, AT + 100 * PAGE);
	count(&made);
	expect(&made, ARI_MEMORY_MALLOC_MMAPPED, 1, 15 * PAGE, 15 * PAGE);
	expect(&made, ARI_MEMORY_STACKS, 1, 10 * PAGE, 10 * PAGE);
	expect(&made, ARI_MEMORY_ANONYMOUS, 1, 75 * PAGE, 70 * PAGE);
	end(&made);
}

TEST(stack_within_a_chunk_is_the_chunk_s)
{
	struct made made;

	begin(&made);
	own(&made.owners.heaps, WORLD_BRK, WORLD_BRK + BRK);
	map_pages(&made, AT, 100, "rw-p", "");
	own(&made.owners.chunks, AT, AT + 50 * PAGE);
	own(&made.owners.stacks, AT + 16, AT + 60 * PAGE);
	count(&made);
	expect(&made, ARI_MEMORY_MALLOC_MMAPPED, 1, 50 * PAGE, 50 * PAGE);
	expect(&made, ARI_MEMORY_STACKS, 1, 10 * PAGE, 10 * PAGE);
	expect(&made, ARI_MEMORY_ANONYMOUS, 1, 40 * PAGE, 40 * PAGE);
	end(&made);
}

TEST(chunk_over_several_mappings_is_whole)
{
	struct ari_mmapped *mmapped;
	struct made made;
	struct ari_error err;

	begin(&made);
	own(&made.owners.heaps, WORLD_BRK, WORLD_BRK + BRK);
	map_pages(&made, AT, 10, "rw-p", "");
	map_pages(&made, AT + 10 * PAGE, 5, "---p", "");
	map_pages(&made, AT + 15 * PAGE, 30, "rw-p", "");
	fake_set_pages(&made.world.fake, AT + 10 * PAGE, 5, PAGE_ABSENT);
	own(&made.owners.chunks, AT, AT + 20 * PAGE);
	own(&made.owners.chunks, AT + 20 * PAGE, AT + 40 * PAGE);
	mmapped = &made.world.walk.model->mmapped;
	for (int i = 0; i < 2; i++) {
		must(list_add(&mmapped->listed, &err) != NULL);
		mmapped->listed.at[i].resident_bytes = ARI_UNKNOWN;
		ck_works(set_add(&made.owners.listed, made.owners.chunks.list.at[i].start,
				 (uint64_t)i + 1, &err),
			 &err);
	}
	count(&made);
	ck_assert_uint_eq(mmapped->listed.at[0].resident_bytes, 15 * PAGE);
	ck_assert_uint_eq(mmapped->listed.at[1].resident_bytes, 20 * PAGE);
	expect(&made, ARI_MEMORY_MALLOC_MMAPPED, 3, 40 * PAGE, 35 * PAGE);
	expect(&made, ARI_MEMORY_ANONYMOUS, 1, 5 * PAGE, 5 * PAGE);
	end(&made);
}

TEST(difference_to_the_kernel_s_number_is_signed)
{
	for (int turn = 0; turn < 2; turn++) {
		struct made made;

		begin(&made);
		made.world.walk.model->process.rss_bytes =
			BRK + DATA + (turn == 0 ? PAGE : 0 - PAGE);
		count(&made);
		ck_assert_int_eq(made.world.walk.model->quality.rss_difference_bytes,
				 turn == 0 ? -4096 : 4096);
		end(&made);
	}
}

TEST(what_cannot_be_told_is_unknown_and_not_less)
{
	struct made made;

	begin(&made);
	own(&made.owners.heaps, WORLD_BRK, WORLD_BRK + BRK);
	made.world.walk.model->process.rss_bytes = 0;
	fake_set_pages(&made.world.fake, WORLD_BRK + 3 * PAGE, 1, PAGE_NOT_ALONE);
	count(&made);
	ck_assert_uint_eq(line(&made, ARI_MEMORY_MALLOC_HEAPS)->virtual_bytes, BRK);
	ck_assert_uint_eq(line(&made, ARI_MEMORY_MALLOC_HEAPS)->resident_bytes,
			  ARI_UNKNOWN);
	expect(&made, ARI_MEMORY_FILES, 1, DATA, DATA);
	ck_assert_int_eq(made.world.walk.model->quality.rss_difference_bytes, INT64_MIN);
	end(&made);
}

static void expect_forgotten(const struct made *made, enum ari_memory_kind kind)
{
	const struct ari_memory *row = line(made, kind);

	ck_assert_uint_eq(row->mappings, ARI_UNKNOWN);
	ck_assert_uint_eq(row->virtual_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(row->resident_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(row->swapped_bytes, ARI_UNKNOWN);
}

/* What the arenas had when they were walked; the sum is of the same pages then. */
TEST(arenas_that_moved_have_one_number)
{
	struct made made;

	begin(&made);
	own(&made.owners.heaps, WORLD_BRK, WORLD_BRK + BRK);
	made.world.walk.model->process.rss_bytes = BRK + DATA;
	made.world.walk.model->totals.resident.total_bytes = BRK - 2 * PAGE;
	count(&made);
	ck_assert_uint_eq(line(&made, ARI_MEMORY_MALLOC_HEAPS)->resident_bytes,
			  BRK - 2 * PAGE);
	ck_assert_int_eq(made.world.walk.model->quality.rss_difference_bytes,
			 -2 * (int64_t)PAGE);
	end(&made);
}

/* Their sum is known all the same. */
TEST(lines_that_may_hold_parts_of_each_other_are_empty)
{
	for (int turn = 0; turn < 2; turn++) {
		struct made made;

		begin(&made);
		made.world.walk.model->process.rss_bytes = BRK + DATA;
		if (turn == 0)
			made.world.walk.model->totals.resident.total_bytes = BRK;
		made.owners.heaps_known = turn != 0;
		made.owners.chunks_known = turn != 1;
		count(&made);
		expect_forgotten(&made, turn == 0 ? ARI_MEMORY_MALLOC_HEAPS
						  : ARI_MEMORY_MALLOC_MMAPPED);
		expect_forgotten(&made, ARI_MEMORY_ANONYMOUS);
		expect(&made,
		       turn == 1 ? ARI_MEMORY_MALLOC_HEAPS : ARI_MEMORY_MALLOC_MMAPPED, 0,
		       0, 0);
		expect(&made, ARI_MEMORY_FILES, 1, DATA, DATA);
		ck_assert_int_eq(made.world.walk.model->quality.rss_difference_bytes, 0);
		end(&made);
	}
}

TEST(kernel_s_half_is_no_part_of_the_process)
{
	struct made made;

	begin(&made);
	map_pages(&made, 0xffffffffff600000, 1, "--xp", "[vsyscall]");
	count(&made);
	expect(&made, ARI_MEMORY_FILES, 1, DATA, DATA);
	end(&made);
}

TEST(time_that_is_over_leaves_the_lines_unknown)
{
	struct made made;
	struct ari_error err;

	begin(&made);
	made.world.walk.deadline.at_ns = 1;
	ck_fails(walk_memory(&made.world.walk, &made.owners, &err), &err, ARI_TIMED_OUT);
	ck_assert(!made.world.walk.model->memory.known);
	end(&made);
}

UNIT_MAIN("walk/memory", mapping_alone_says_what_it_is,
	  heaps_are_of_malloc_and_what_they_reserve_is_too, page_is_shared_by_the_byte,
	  owners_of_one_mapping_are_told_apart, stack_within_a_chunk_is_the_chunk_s,
	  chunk_over_several_mappings_is_whole,
	  difference_to_the_kernel_s_number_is_signed,
	  what_cannot_be_told_is_unknown_and_not_less, arenas_that_moved_have_one_number,
	  lines_that_may_hold_parts_of_each_other_are_empty,
	  kernel_s_half_is_no_part_of_the_process,
	  time_that_is_over_leaves_the_lines_unknown)
