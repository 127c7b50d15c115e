/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BINS_H
#define WALK_BINS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Which bin a free chunk belongs into: the same in every release since 2.10 for
 * 64-bit machines (malloc.c, largebin_index_64 and smallbin_index).
 */

#define BINS	     128 /* NBINS; 0 is no bin, 1 is unsorted, 127 stays empty */
#define BIN_UNSORTED 1
#define BINS_SMALL   64 /* bins below hold one size each: 16 times their index */
#define BIN_LAST     126
#define LARGE_FROM   ((uint64_t)1024) /* the smallest chunk of a large bin */
#define FASTBINS     10

/* The bin of a large chunk, LARGE_FROM bytes or more. */
static inline unsigned int bin_of_large(uint64_t size)
{
	if (size >> 6 <= 48)
		return 48 + (unsigned int)(size >> 6);
	if (size >> 9 <= 20)
		return 91 + (unsigned int)(size >> 9);
	if (size >> 12 <= 10)
		return 110 + (unsigned int)(size >> 12);
	if (size >> 15 <= 4)
		return 119 + (unsigned int)(size >> 15);
	if (size >> 18 <= 2)
		return 124 + (unsigned int)(size >> 18);
	return BIN_LAST;
}

static inline unsigned int bin_of(uint64_t size)
{
	return size < LARGE_FROM ? (unsigned int)(size >> 4) : bin_of_large(size);
}

/* The smallest size of a bin from 2 to 126; of the one behind the last, none. */
uint64_t bin_from(unsigned int bin);

/* The largest size of a bin; ARI_UNKNOWN for the last, which has no end. */
uint64_t bin_to(unsigned int bin);

/* Fastbin i holds chunks of exactly this size. */
static inline uint64_t fastbin_size(unsigned int i)
{
	return 32 + 16 * (uint64_t)i;
}

#endif
