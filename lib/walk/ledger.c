// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "walk/ledger.h"

/* Chunks of one size class, however the tally keeps them. */
static struct tally_sizes sizes_of(const struct tally *tally, int state, unsigned int bin)
{
	uint64_t chunks;

	if (bin >= BINS_SMALL)
		return tally->large[state][bin - BINS_SMALL];
	chunks = tally->small[state][bin];
	return (struct tally_sizes){ chunks, chunks * bin_from(bin), bin_from(bin),
				     bin_from(bin) };
}

static void add(struct ari_chunks *to, const struct tally_sizes *sizes)
{
	to->chunks += sizes->chunks;
	to->bytes += sizes->bytes;
}

static bool add_bin(struct ari_arena *arena, enum ari_bin_kind kind, unsigned int index,
		    const struct tally_sizes *sizes, struct ari_error *err)
{
	struct ari_bin *bin;

	if (sizes->chunks == 0)
		return true;
	bin = list_add(&arena->bins, err);
	if (bin == NULL)
		return false;
	*bin = (struct ari_bin){ kind,	      index,	     sizes->least,
				 sizes->most, sizes->chunks, sizes->bytes };
	return true;
}

static bool fill_fast(struct ari_arena *arena, const struct tally *tally,
		      struct ari_error *err)
{
	arena->fast = (struct ari_chunks){ 0 };
	for (unsigned int i = 0; i < FASTBINS; i++) {
		add(&arena->fast, &tally->fast[i]);
		if (!add_bin(arena, ARI_BIN_FAST, i, &tally->fast[i], err))
			return false;
	}
	return true;
}

static void join(struct tally_sizes *to, const struct tally_sizes *from)
{
	if (from->chunks == 0)
		return;
	if (to->chunks == 0 || from->least < to->least)
		to->least = from->least;
	if (to->chunks == 0 || from->most > to->most)
		to->most = from->most;
	to->chunks += from->chunks;
	to->bytes += from->bytes;
}

static bool fill_unsorted(struct ari_arena *arena, const struct tally *tally,
			  struct ari_error *err)
{
	struct tally_sizes all = { 0 };

	for (unsigned int bin = 2; bin < BINS; bin++)
		join(&all, &tally->unsorted[bin]);
	arena->unsorted = (struct ari_chunks){ all.chunks, all.bytes };
	return add_bin(arena, ARI_BIN_UNSORTED, BIN_UNSORTED, &all, err);
}

static bool fill_bins(struct ari_arena *arena, const struct tally *tally,
		      struct ari_error *err)
{
	arena->bins.known = true;
	arena->small = arena->large = (struct ari_chunks){ 0 };
	if (!fill_fast(arena, tally, err) || !fill_unsorted(arena, tally, err))
		return false;
	for (unsigned int bin = 2; bin <= BIN_LAST; bin++) {
		struct tally_sizes sizes = sizes_of(tally, TALLY_FREE, bin);
		bool is_small = bin < BINS_SMALL;

		add(is_small ? &arena->small : &arena->large, &sizes);
		if (!add_bin(arena, is_small ? ARI_BIN_SMALL : ARI_BIN_LARGE, bin, &sizes,
			     err))
			return false;
	}
	return true;
}

/* Free is what malloc may hand out again, fastbins included. */
static struct tally_sizes free_of(const struct tally *tally, unsigned int bin)
{
	struct tally_sizes sizes = sizes_of(tally, TALLY_FREE, bin);

	join(&sizes, &tally->unsorted[bin]);
	if (bin >= 2 && bin - 2 < FASTBINS)
		join(&sizes, &tally->fast[bin - 2]);
	return sizes;
}

static bool fill_sizes(struct ari_arena *arena, const struct tally *tally,
		       bool knows_caches, struct ari_error *err)
{
	uint64_t in_use_bytes = 0;

	arena->sizes.known = true;
	for (unsigned int bin = 2; bin <= BIN_LAST; bin++) {
		struct tally_sizes in_use = sizes_of(tally, TALLY_IN_USE, bin);
		struct tally_sizes free_sizes = free_of(tally, bin);
		const struct tally_sizes *tcache = &tally->tcache[bin];
		struct ari_size *size;

		in_use_bytes += in_use.bytes;
		if (in_use.chunks + free_sizes.chunks + tcache->chunks == 0)
			continue;
		size = list_add(&arena->sizes, err);
		if (size == NULL)
			return false;
		*size = (struct ari_size){
			.from_bytes = bin_from(bin),
			.to_bytes = bin_to(bin),
			.in_use_chunks = in_use.chunks,
			.in_use_bytes = in_use.bytes,
			.free_chunks = free_sizes.chunks,
			.free_bytes = free_sizes.bytes,
			.tcache_chunks = knows_caches ? tcache->chunks : ARI_UNKNOWN,
			.tcache_bytes = knows_caches ? tcache->bytes : ARI_UNKNOWN,
		};
	}
	arena->in_use_bytes = in_use_bytes;
	return true;
}

static void fill_tcache(struct ari_arena *arena, const struct tally *tally)
{
	arena->tcache = (struct ari_chunks){ 0 };
	for (unsigned int bin = 2; bin < BINS; bin++)
		add(&arena->tcache, &tally->tcache[bin]);
}

bool ledger_fill(struct ari_arena *arena, const struct tally *tally, bool knows_caches,
		 struct ari_error *err)
{
	if (!fill_bins(arena, tally, err) || !fill_sizes(arena, tally, knows_caches, err))
		return false;
	if (knows_caches)
		fill_tcache(arena, tally);
	arena->free_bytes =
		arena->unsorted.bytes + arena->small.bytes + arena->large.bytes;
	arena->top.bytes = tally->top;
	arena->overhead_bytes = tally->overhead;
	arena->unread_bytes = tally->unread;
	arena->unwalked_bytes = tally->unwalked;
	return true;
}

/* *at -= bytes; false when there are not so many. */
static bool take(uint64_t *at, uint64_t bytes)
{
	return !__builtin_sub_overflow(*at, bytes, at);
}

static uint64_t swapped_of(const struct ari_arena *arena)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < arena->heaps.count; i++)
		sum += arena->heaps.at[i].swapped_bytes;
	return sum;
}

void ledger_fill_resident(struct ari_arena *arena, const struct tally *tally)
{
	const struct books_sums *sums = &tally->resident;
	uint64_t total = arena->resident.total_bytes;
	uint64_t in_use = arena->in_use_bytes;
	uint64_t pinned = arena->free_bytes + arena->fast.bytes;
	bool knows_caches = arena->tcache.bytes != ARI_UNKNOWN;
	uint64_t tcache = knows_caches ? arena->tcache.bytes : 0;
	uint64_t rest = total;

	/* Pages may come and go between two looks: no class may wrap around. */
	if (total == ARI_UNKNOWN || !take(&in_use, sums->holes_in_use) ||
	    !take(&tcache, sums->holes_tcache) || !take(&pinned, sums->holes_free) ||
	    !take(&pinned, sums->not_pinned) || !take(&rest, in_use) ||
	    !take(&rest, tcache) || !take(&rest, pinned) ||
	    !take(&rest, sums->trimmable) || !take(&rest, sums->retained_top) ||
	    !take(&rest, sums->metadata) || !take(&rest, sums->unwalked) || rest != 0)
		return;
	arena->resident.in_use_bytes = in_use;
	if (knows_caches)
		arena->resident.tcache_bytes = tcache;
	arena->resident.pinned_free_bytes = pinned;
	arena->resident.trimmable_bytes = sums->trimmable;
	arena->resident.retained_top_bytes = sums->retained_top;
	arena->resident.metadata_bytes = sums->metadata;
	arena->resident.unwalked_bytes = sums->unwalked;
	arena->locked_free_bytes = sums->locked;
	if (sums->trimmable_swapped <= swapped_of(arena))
		arena->trimmable_swapped_bytes = sums->trimmable_swapped;
}
