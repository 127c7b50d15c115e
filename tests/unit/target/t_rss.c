// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"
#include "scratch.h"
#include "target/rss.h"
#include "unit.h"

#define PRESENT	  ((uint64_t)1 << 63)
#define SWAPPED	  ((uint64_t)1 << 62)
#define EXCLUSIVE ((uint64_t)1 << 56)
#define PAGE	  ((uint64_t)4096)

/* A process of a kernel without PAGEMAP_SCAN: maps, smaps and pagemap of our making. */
struct old {
	struct scratch scratch;
	struct target target;
	struct residency residency;
	struct maps maps;
};

static void open_old(struct old *old, const char *maps, const char *smaps,
		     const uint64_t *entries, size_t count)
{
	struct ari_error err;

	*old = (struct old){ .target = { .pid = 1, .task = 1, .page_bytes = PAGE } };
	scratch_open(&old->scratch);
	old->target.dir = old->target.task_dir = old->scratch.dir;
	scratch_file(&old->scratch, "pagemap", entries, count * sizeof(*entries));
	scratch_text(&old->scratch, "smaps", smaps);
	old->maps = fake_maps(maps);
	ck_works(residency_open(&old->target, &old->residency, &err), &err);
	ck_assert(!old->residency.pages.can_scan);
}

static void close_old(struct old *old)
{
	residency_close(&old->residency);
	maps_done(&old->maps);
	scratch_close(&old->scratch);
}

static void count(struct old *old, struct rss_span *spans, size_t many)
{
	struct ari_error err;

	ck_works(rss_count(&old->target, &old->residency, &old->maps, spans, many, &err),
		 &err);
}

static void expect(const struct rss_span *span, uint64_t resident, uint64_t swapped)
{
	ck_assert_uint_eq(span->resident, resident);
	ck_assert_uint_eq(span->swapped, swapped);
}

static const char one[] = "0-6000 rw-p 00000000 00:00 0\n";

/* Pages 0 to 5: absent, two alone, one not alone, one in swap, absent. */
static const uint64_t six[] = {
	0, PRESENT | EXCLUSIVE, PRESENT | EXCLUSIVE, PRESENT, SWAPPED, 0
};

TEST(mapping_of_one_owner_is_what_smaps_says)
{
	struct rss_span spans[] = { { .start = 0, .end = 6 * PAGE },
				    { .start = 0x10000, .end = 0x12000 } };
	struct old old;

	/* Neither number is one that pagemap could give. */
	open_old(&old, "0-6000 rw-p 0 00:00 0\n10000-12000 r-xp 0 08:01 9 /bin/x\n",
		 "0-6000 rw-p 0 00:00 0\nRss: 20 kB\nSwap: 4 kB\n"
		 "10000-12000 r-xp 0 08:01 9 /bin/x\nRss: 8 kB\nSwap: 0 kB\n",
		 six, 6);
	count(&old, spans, 2);
	expect(&spans[0], 20 << 10, 4 << 10);
	expect(&spans[1], 8 << 10, 0);
	close_old(&old);
}

TEST(owners_of_one_mapping_share_what_smaps_says)
{
	struct rss_span spans[] = { { .start = 0, .end = 2 * PAGE },
				    { .start = 2 * PAGE, .end = 6 * PAGE } };
	struct old old;

	open_old(&old, one, "0-6000 rw-p 0 00:00 0\nRss: 12 kB\nSwap: 4 kB\n", six, 6);
	count(&old, spans, 2);
	expect(&spans[0], PAGE, 0);
	expect(&spans[1], 2 * PAGE, PAGE);
	close_old(&old);
}

TEST(owners_that_end_within_a_page_share_it)
{
	struct rss_span spans[] = { { .start = 0, .end = PAGE + 100 },
				    { .start = PAGE + 100, .end = 6 * PAGE } };
	struct old old;

	open_old(&old, one, "0-6000 rw-p 0 00:00 0\nRss: 12 kB\nSwap: 4 kB\n", six, 6);
	count(&old, spans, 2);
	expect(&spans[0], 100, 0);
	expect(&spans[1], 3 * PAGE - 100, PAGE);
	close_old(&old);
}

TEST(share_is_unknown_where_the_page_tables_do_not_tell)
{
	struct rss_span spans[] = { { .start = 0, .end = 2 * PAGE },
				    { .start = 2 * PAGE, .end = 4 * PAGE },
				    { .start = 4 * PAGE, .end = 6 * PAGE },
				    { .start = 0x10000, .end = 0x11000 } };
	struct old old;

	/* Present but not alone: one page, and smaps fits neither way of counting it. */
	open_old(&old, "0-6000 rw-p 0 00:00 0\n10000-11000 rw-p 0 00:00 0\n",
		 "0-6000 rw-p 0 00:00 0\nRss: 4 kB\nSwap: 4 kB\n"
		 "10000-11000 rw-p 0 00:00 0\nRss: 4 kB\n",
		 six, 6);
	count(&old, spans, 4);
	expect(&spans[0], ARI_UNKNOWN, ARI_UNKNOWN); /* the rest */
	expect(&spans[1], ARI_UNKNOWN, ARI_UNKNOWN);
	expect(&spans[2], 0, PAGE);
	expect(&spans[3], PAGE, 0);
	close_old(&old);
}

TEST(part_of_a_mapping_alone_is_looked_up)
{
	struct rss_span span = { .start = PAGE, .end = 3 * PAGE };
	struct old old;

	open_old(&old, one, "0-6000 rw-p 0 00:00 0\nRss: 12 kB\nSwap: 4 kB\n", six, 6);
	count(&old, &span, 1);
	expect(&span, 2 * PAGE, 0);
	close_old(&old);
}

TEST(pool_of_huge_pages_is_not_resident)
{
	struct rss_span span = { .start = 0, .end = 6 * PAGE };
	struct old old;

	open_old(&old, one,
		 "0-6000 rw-p 0 00:00 0\nRss: 24 kB\nSwap: 4 kB\nVmFlags: rd wr ht\n",
		 six, 6);
	count(&old, &span, 1);
	expect(&span, 0, 0);
	close_old(&old);
}

/* smaps counts what the file has in swap, which no page table knows. */
TEST(swap_of_a_shared_mapping_is_not_the_process_s)
{
	struct rss_span span = { .start = 0, .end = 6 * PAGE };
	struct old old;

	open_old(&old, "0-6000 rw-s 0 00:01 5 /dev/shm/x\n",
		 "0-6000 rw-s 0 00:01 5 /dev/shm/x\nRss: 8 kB\nSwap: 16 kB\n", six, 6);
	count(&old, &span, 1);
	expect(&span, 8 << 10, 0);
	close_old(&old);
}

TEST(mappings_that_went_away_or_merged_are_counted_once)
{
	struct rss_span spans[] = { { .start = 0, .end = 2 * PAGE },
				    { .start = 2 * PAGE, .end = 4 * PAGE },
				    { .start = 0x10000, .end = 0x11000 } };
	struct old old;

	open_old(&old,
		 "0-2000 rw-p 0 00:00 0\n2000-4000 r--p 0 00:00 0\n"
		 "10000-11000 rw-p 0 00:00 0\n",
		 "0-6000 rw-p 0 00:00 0\nRss: 12 kB\nSwap: 4 kB\n", six, 6);
	count(&old, spans, 3);
	expect(&spans[0], 12 << 10, 4 << 10);
	expect(&spans[1], 0, 0);
	expect(&spans[2], 0, 0);
	close_old(&old);
}

/* ---- our own process, by either way ---- */

static void open_own(struct old *own, bool scan)
{
	struct ari_error err;

	ck_works(target_open(getpid(), &own->target, &err), &err);
	ck_works(target_maps(&own->target, &own->maps, &err), &err);
	ck_works(residency_open(&own->target, &own->residency, &err), &err);
	if (!scan)
		own->residency.pages.can_scan = false;
}

static void close_own(struct old *own)
{
	residency_close(&own->residency);
	maps_done(&own->maps);
	target_close(&own->target);
}

/* A mapping of 64 pages: 10 written, 10 only read, and one of a file besides. */
TEST(either_way_counts_what_is_resident)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, 64 * bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *shared = mmap(NULL, 8 * bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t start = (uint64_t)(uintptr_t)at;
	uint64_t shared_start = (uint64_t)(uintptr_t)shared;

	must(at != NULL && at != MAP_FAILED && shared != NULL && shared != MAP_FAILED);
	madvise(at, 64 * bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 10; i++) {
		at[i * bytes] = 1;
		(void)((volatile char *)at)[(i + 20) * bytes];
	}
	memset(shared, 1, 3 * bytes);
	for (int scan = 0; scan < 2; scan++) {
		struct rss_span spans[] = {
			{ .start = start, .end = start + 64 * bytes },
			{ .start = shared_start, .end = shared_start + 8 * bytes },
		};
		bool swap = spans[1].start < spans[0].start;
		struct rss_span ordered[] = { spans[swap], spans[!swap] };
		struct old own;
		struct ari_error err;

		open_own(&own, scan);
		ck_works(rss_count(&own.target, &own.residency, &own.maps, ordered, 2,
				   &err),
			 &err);
		expect(&ordered[swap], 10 * bytes, 0);
		expect(&ordered[!swap], 3 * bytes, 0);
		close_own(&own);
	}
}

/* What smaps gives for all mappings together, both ways give for spans of all of them. */
TEST(either_way_adds_up_to_the_same)
{
	uint64_t sums[2] = { 0 };

	for (int scan = 0; scan < 2; scan++) {
		static struct rss_span spans[1000];
		struct ari_error err;
		struct old own;
		size_t many;

		open_own(&own, scan);
		many = own.maps.list.count;
		must(many <= 1000);
		for (size_t i = 0; i < many; i++)
			spans[i] = (struct rss_span){ .start = own.maps.list.at[i].start,
						      .end = own.maps.list.at[i].end };
		ck_works(rss_count(&own.target, &own.residency, &own.maps, spans, many,
				   &err),
			 &err);
		for (size_t i = 0; i < many; i++)
			sums[scan] += spans[i].resident;
		close_own(&own);
	}
	/* Reading and counting is done by this very process: it may grow a little. */
	ck_assert_uint_gt(sums[0], 500000);
	ck_assert_uint_lt(sums[0] > sums[1] ? sums[0] - sums[1] : sums[1] - sums[0],
			  300000);
}

UNIT_MAIN("target/rss", mapping_of_one_owner_is_what_smaps_says,
	  owners_of_one_mapping_share_what_smaps_says,
	  owners_that_end_within_a_page_share_it,
	  share_is_unknown_where_the_page_tables_do_not_tell,
	  part_of_a_mapping_alone_is_looked_up, pool_of_huge_pages_is_not_resident,
	  swap_of_a_shared_mapping_is_not_the_process_s,
	  mappings_that_went_away_or_merged_are_counted_once,
	  either_way_counts_what_is_resident, either_way_adds_up_to_the_same)
