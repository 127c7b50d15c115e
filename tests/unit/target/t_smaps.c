// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "target/smaps.h"
#include "unit.h"

static struct smaps read_text(const char *text)
{
	struct smaps smaps = { 0 };
	struct ari_error err;
	FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	must(stream != NULL);
	ck_works(smaps_read(stream, &smaps, &err), &err);
	fclose(stream);
	return smaps;
}

static const char two[] =
	"7f5c00000000-7f5c00021000 rw-p 00000000 00:00 0 \n"
	"Size:                132 kB\n"
	"Rss:                   8 kB\n"
	"Pss:                   7 kB\n"
	"AnonHugePages:         0 kB\n"
	"Swap:                 12 kB\n"
	"SwapPss:              99 kB\n"
	"VmFlags: rd wr mr mw me nr sd\n"
	"7f5c00021000-7f5c04000000 ---p 00000000 00:00 0 [anon: Rss: 5 kB]\n"
	"Rss:                2048 kB\n"
	"AnonHugePages:      2048 kB\n"
	"Swap:                  0 kB\n"
	"Locked:                0 kB\n"
	"VmFlags: mr mw me lo nr\n";

TEST(counts_are_those_of_their_mapping)
{
	struct smaps smaps = read_text(two);
	const struct smap *first = &smaps.list.at[0], *second = &smaps.list.at[1];

	ck_assert_uint_eq(smaps.list.count, 2);
	ck_assert_uint_eq(first->start, 0x7f5c00000000);
	ck_assert_uint_eq(first->end, 0x7f5c00021000);
	ck_assert_uint_eq(first->rss, 8 << 10);
	ck_assert_uint_eq(first->swap, 12 << 10);
	ck_assert(!first->locked);
	ck_assert_uint_eq(second->rss, 2 << 20);
	ck_assert(second->locked);
	smaps_done(&smaps);
}

TEST(mapping_is_found_by_its_addresses)
{
	struct smaps smaps = read_text(two);

	ck_assert_ptr_null(smaps_find(&smaps, 0x7f5bffffffff));
	ck_assert_ptr_eq(smaps_find(&smaps, 0x7f5c00000000), &smaps.list.at[0]);
	ck_assert_ptr_eq(smaps_find(&smaps, 0x7f5c00020fff), &smaps.list.at[0]);
	ck_assert_ptr_eq(smaps_find(&smaps, 0x7f5c00021000), &smaps.list.at[1]);
	ck_assert_ptr_null(smaps_find(&smaps, 0x7f5c04000000));
	ck_assert_ptr_null(smaps_find(&smaps, UINT64_MAX));
	smaps_done(&smaps);
}

TEST(lines_without_a_mapping_are_left_out)
{
	struct smaps smaps = read_text("Rss: 5 kB\nVmFlags: lo\n\n");

	ck_assert_uint_eq(smaps.list.count, 0);
	ck_assert_ptr_null(smaps_find(&smaps, 0));
	smaps_done(&smaps);
	smaps = read_text("");
	ck_assert_uint_eq(smaps.list.count, 0);
	smaps_done(&smaps);
}

TEST(pool_of_huge_pages_is_told_by_its_flag)
{
	struct smaps smaps = read_text("1000-2000 rw-p 0 00:00 0\n"
				       "VmFlags: rd wr mr mw me de ht sd\n"
				       "2000-3000 rw-p 0 00:00 0\n"
				       "VmFlags: rd wr mr mw me ac hg\n");

	ck_assert(smaps.list.at[0].hugetlb);
	ck_assert(!smaps.list.at[1].hugetlb);
	smaps_done(&smaps);
}

/* "Anon…" begins like a hexadecimal number. */
TEST(line_that_begins_like_an_address_starts_no_mapping)
{
	struct smaps smaps = read_text("1000-2000 rw-p 00000000 00:00 0\n"
				       "Anonymous: 4 kB\n"
				       "FilePmdMapped: 0 kB\n"
				       "Rss: 4 kB\n");

	ck_assert_uint_eq(smaps.list.count, 1);
	ck_assert_uint_eq(smaps.list.at[0].rss, 4096);
	smaps_done(&smaps);
}

UNIT_MAIN("target/smaps", counts_are_those_of_their_mapping,
	  mapping_is_found_by_its_addresses, lines_without_a_mapping_are_left_out,
	  pool_of_huge_pages_is_told_by_its_flag,
	  line_that_begins_like_an_address_starts_no_mapping)
