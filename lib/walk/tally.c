// SPDX-License-Identifier: Apache-2.0
#include "walk/chunks.h"

static void add_sizes(struct tally_sizes *to, const struct tally_sizes *from,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (from[i].chunks == 0)
			continue;
		if (to[i].chunks == 0 || from[i].least < to[i].least)
			to[i].least = from[i].least;
		if (to[i].chunks == 0 || from[i].most > to[i].most)
			to[i].most = from[i].most;
		to[i].chunks += from[i].chunks;
		to[i].bytes += from[i].bytes;
	}
}

void tally_add(struct tally *to, const struct tally *from)
{
	for (int state = 0; state < 2; state++) {
		for (size_t i = 0; i < BINS_SMALL; i++)
			to->small[state][i] += from->small[state][i];
		add_sizes(to->large[state], from->large[state], BINS - BINS_SMALL);
	}
	add_sizes(to->fast, from->fast, FASTBINS);
	add_sizes(to->unsorted, from->unsorted, BINS);
	add_sizes(to->tcache, from->tcache, BINS);
	to->top += from->top;
	to->overhead += from->overhead;
	to->unread += from->unread;
	to->unwalked += from->unwalked;
	to->breaks += from->breaks;
	books_add(&to->resident, &from->resident);
}

static uint64_t sum_bytes(const struct tally_sizes *sizes, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += sizes[i].bytes;
	return sum;
}

uint64_t tally_bytes(const struct tally *tally)
{
	uint64_t sum = tally->top + tally->overhead + tally->unread + tally->unwalked;

	for (int state = 0; state < 2; state++) {
		for (size_t i = 0; i < BINS_SMALL; i++)
			sum += tally->small[state][i] * 16 * i;
		sum += sum_bytes(tally->large[state], BINS - BINS_SMALL);
	}
	return sum + sum_bytes(tally->fast, FASTBINS) + sum_bytes(tally->unsorted, BINS) +
	       sum_bytes(tally->tcache, BINS);
}
