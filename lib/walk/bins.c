// SPDX-License-Identifier: Apache-2.0
#include "arenainspect.h"
#include "walk/bins.h"

/* Where the large bins of each step begin: bin, its first size, the step. */
// clang-format off
static const struct large_row {
	unsigned int bin;
	uint64_t from, step;
} large_rows[] = {
	{ 64, 1024, 64 },     { 97, 3136, 448 },     { 98, 3584, 512 },
	{ 112, 10752, 1536 }, { 113, 12288, 4096 },  { 120, 40960, 24576 },
	{ 121, 65536, 32768 }, { 124, 163840, 98304 }, { 125, 262144, 262144 },
	{ 126, 524288, 0 },
};
// clang-format on

uint64_t bin_from(unsigned int bin)
{
	const struct large_row *row = large_rows;

	if (bin < BINS_SMALL)
		return (uint64_t)bin * 16;
	for (size_t i = 0; i < sizeof(large_rows) / sizeof(*large_rows); i++)
		if (large_rows[i].bin <= bin)
			row = &large_rows[i];
	return row->from + (bin - row->bin) * row->step;
}

uint64_t bin_to(unsigned int bin)
{
	return bin >= BIN_LAST ? ARI_UNKNOWN : bin_from(bin + 1) - 16;
}
