// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "scratch.h"
#include "target/residency.h"
#include "unit.h"

#define PRESENT	  ((uint64_t)1 << 63)
#define SWAPPED	  ((uint64_t)1 << 62)
#define EXCLUSIVE ((uint64_t)1 << 56)

/* Pages 0 to 3: absent, exclusive, shared or zero, swapped. */
static const uint64_t entries[] = { 0, PRESENT | EXCLUSIVE, PRESENT, SWAPPED };

/* A directory as a kernel without PAGEMAP_SCAN has it; one mapping of 4 pages. */
static void open_fake(struct scratch *scratch, const char *rss, struct residency *ret)
{
	struct target target = { .pid = 1, .task = 1, .page_bytes = 4096 };
	struct ari_error err;
	char smaps[200];

	scratch_open(scratch);
	target.dir = target.task_dir = scratch->dir;
	snprintf(smaps, sizeof(smaps), "0-4000 rw-p 00000000 00:00 0\nRss: %s kB\n", rss);
	scratch_file(scratch, "pagemap", entries, sizeof(entries));
	scratch_text(scratch, "smaps", smaps);
	ck_works(residency_open(&target, ret, &err), &err);
	ck_assert(!ret->pages.can_scan);
	ck_assert(ret->has_smaps);
}

static void expect_shared_page(const char *rss, uint8_t expected)
{
	struct scratch scratch;
	struct residency residency;
	struct ari_error err;

	open_fake(&scratch, rss, &residency);
	for (int turn = 0; turn < 2; turn++) {
		uint8_t states[4];

		ck_works(residency_lookup(&residency, 0, 4, states, &err), &err);
		ck_assert_uint_eq(states[0], PAGE_ABSENT);
		ck_assert_uint_eq(states[1], PAGE_PRESENT);
		ck_assert_uint_eq(states[2], expected);
		ck_assert_uint_eq(states[3], PAGE_SWAPPED);
	}
	residency_close(&residency);
	scratch_close(&scratch);
}

TEST(shared_page_counts_where_all_present_ones_do)
{
	expect_shared_page("8", PAGE_PRESENT);
}

TEST(shared_page_is_the_zero_page_where_only_exclusive_ones_count)
{
	expect_shared_page("4", PAGE_ZERO);
}

TEST(shared_page_is_not_told_where_neither_fits)
{
	expect_shared_page("0", PAGE_NOT_ALONE);
	expect_shared_page("12", PAGE_NOT_ALONE);
}

TEST(page_outside_of_every_mapping_is_not_told)
{
	struct scratch scratch;
	struct residency residency;
	struct ari_error err;
	uint8_t state;

	open_fake(&scratch, "8", &residency);
	residency.smaps.list.at[0].end = 0x2000;
	ck_works(residency_lookup(&residency, 0x2000, 1, &state, &err), &err);
	ck_assert_uint_eq(state, PAGE_NOT_ALONE);
	residency_close(&residency);
	scratch_close(&scratch);
}

/* What is left where the page tables may not be looked at. */
static uint8_t state_by_smaps_alone(uint64_t rss, uint64_t swap)
{
	struct residency residency = { .pages = { .fd = -1, .page_bytes = 4096 },
				       .has_smaps = true,
				       .lock = PTHREAD_MUTEX_INITIALIZER };
	struct ari_error err;
	struct smap *smap = list_add(&residency.smaps.list, &err);
	uint8_t state;

	must(smap != NULL && list_add(&residency.rules, &err) != NULL);
	*smap = (struct smap){ .start = 0x1000, .end = 0x5000, .rss = rss, .swap = swap };
	ck_works(residency_lookup(&residency, 0x2000, 1, &state, &err), &err);
	residency_close(&residency);
	return state;
}

TEST(without_page_tables_a_mapping_that_is_all_resident_is_present)
{
	ck_assert_uint_eq(state_by_smaps_alone(0x4000, 0), PAGE_PRESENT);
	ck_assert_uint_eq(state_by_smaps_alone(0x3000, 0), PAGE_UNKNOWN);
	ck_assert_uint_eq(state_by_smaps_alone(0x3000, 0x1000), PAGE_UNKNOWN);
	ck_assert_uint_eq(state_by_smaps_alone(0x4000, 0x1000), PAGE_UNKNOWN);
	ck_assert_uint_eq(state_by_smaps_alone(0, 0), PAGE_UNKNOWN);
}

TEST(process_that_went_away_is_an_error)
{
	struct scratch scratch;
	struct residency residency;
	struct target target = { .pid = 1, .task = 1, .page_bytes = 4096 };
	struct ari_error err;

	scratch_open(&scratch);
	target.dir = target.task_dir = scratch.dir;
	ck_fails(residency_open(&target, &residency, &err), &err, ARI_GONE);
	scratch_close(&scratch);
}

UNIT_MAIN("target/residency", shared_page_counts_where_all_present_ones_do,
	  shared_page_is_the_zero_page_where_only_exclusive_ones_count,
	  shared_page_is_not_told_where_neither_fits,
	  page_outside_of_every_mapping_is_not_told,
	  without_page_tables_a_mapping_that_is_all_resident_is_present,
	  process_that_went_away_is_an_error)
