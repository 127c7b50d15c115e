// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "walk/arenas.h"
#include "walk/mmfind.h"

#define RETRY_FOR_NS ((uint64_t)200000000) /* no new attempt later than this */
#define LISTED_MAX   1000		   /* chunks in the model */

/* How many parts have that size, and one of them. */
static size_t count_of(const struct owned *owned, uint64_t bytes, size_t *ret_at)
{
	size_t count = 0;

	for (size_t i = 0; i < owned->list.count; i++) {
		if (owned->list.at[i].end - owned->list.at[i].start != bytes)
			continue;
		*ret_at = i;
		count++;
	}
	return count;
}

/* Where only one can be meant; what lies within mappings is the first to be doubted. */
static void drop_one(struct mmfind *find, uint64_t bytes)
{
	struct owned *from = &find->strays;
	size_t at = 0, count = count_of(from, bytes, &at);

	if (count == 0) {
		from = &find->chains;
		count = count_of(from, bytes, &at);
	}
	if (count != 1)
		return;
	memmove(&from->list.at[at], &from->list.at[at + 1],
		(from->list.count - at - 1) * sizeof(*from->list.at));
	from->list.count--;
}

static void keep_one(struct owned *owned, uint64_t bytes)
{
	size_t at = 0;

	if (count_of(owned, bytes, &at) != 1)
		return;
	owned->list.at[0] = owned->list.at[at];
	owned->list.count = 1;
}

/*
 * More than malloc has: where leaving one out, or keeping but one of those found within
 * mappings, makes it add up and there is only one way to, that is what it is.
 */
static void choose(struct mmfind *find)
{
	uint64_t chains = find->chains.list.count, strays = find->strays.list.count;
	uint64_t all = find->chains_bytes + find->strays_bytes;

	if (all > find->bytes && chains + strays == find->chunks + 1)
		drop_one(find, all - find->bytes);
	else if (find->bytes > find->chains_bytes && chains + 1 == find->chunks)
		keep_one(&find->strays, find->bytes - find->chains_bytes);
	find->chains_bytes = owned_bytes(&find->chains);
	find->strays_bytes = owned_bytes(&find->strays);
}

/* ---- the search ---- */

static bool search_once(struct mmfind *find, bool *ret_known, struct ari_error *err)
{
	*ret_known = find->chunks == 0;
	if (find->chunks == 0 || find->chunks == ARI_UNKNOWN)
		return true;
	if (!mmfind_chains(find, err))
		return false;
	if (!mmfind_adds_up(find) && find->chains.list.count <= find->chunks &&
	    !mmfind_strays(find, err))
		return false;
	if (!mmfind_adds_up(find))
		choose(find);
	*ret_known = mmfind_adds_up(find);
	return true;
}

static bool count(struct mmfind *find, struct ari_error *err)
{
	const struct ari_totals *totals = &find->walk->model->totals;

	if (!walk_count_mmapped(find->walk, err))
		return false;
	find->chunks = totals->mmapped_chunks;
	find->bytes = totals->mmapped_bytes;
	return true;
}

/* What an attempt saw; the same twice is what it stays. */
struct sight {
	uint64_t chunks, bytes; /* malloc's counters */
	uint64_t found, found_bytes;
};

static struct sight sight_of(const struct mmfind *find)
{
	return (struct sight){ find->chunks, find->bytes,
			       find->chains.list.count + find->strays.list.count,
			       find->chains_bytes + find->strays_bytes };
}

/*
 * Again while anything changes.  A thread that waits in mmap(2), for us as well, has
 * counted its chunk already, or not yet: it needs time, not only another look.
 */
static bool search_all(struct mmfind *find, bool *ret_known, struct ari_error *err)
{
	struct mem *mem = find->walk->mem;
	uint64_t begun = clock_monotonic_ns();
	struct sight before = { .found = ARI_UNKNOWN };

	for (;;) {
		struct sight now;

		if (!count(find, err) || !search_once(find, ret_known, err))
			return false;
		now = sight_of(find);
		if (*ret_known || memcmp(&now, &before, sizeof(now)) == 0 ||
		    clock_monotonic_ns() - begun > RETRY_FOR_NS)
			return true;
		before = now;
		arena_pause(0);
		if (!mem->ops->refresh(mem, err))
			return false;
	}
}

/* ---- into the model ---- */

static bool list_chunk(struct mmfind *find, const struct span *span,
		       struct owners *owners, struct ari_error *err)
{
	struct ari_mmapped *mmapped = &find->walk->model->mmapped;
	struct ari_mmapped_chunk *row = list_add(&mmapped->listed, err);
	struct mmchunk chunk;
	bool still;

	if (row == NULL ||
	    !mmchunk_at(&find->reader, span->start, span->end, &chunk, &still, err))
		return false;
	*row = (struct ari_mmapped_chunk){ still ? chunk.chunk : span->start,
					   span->end - span->start, ARI_UNKNOWN };
	return set_add(&owners->listed, span->start, mmapped->listed.count, err);
}

static bool list_largest(struct mmfind *find, struct owners *owners,
			 struct ari_error *err)
{
	struct ari_mmapped *mmapped = &find->walk->model->mmapped;
	struct owned *all = &owners->chunks;
	size_t left = all->list.count;

	mmapped->listed.known = true;
	mmchunk_begin(&find->reader);
	owned_order_by_size(all);
	while (left > 0 && mmapped->listed.count < LISTED_MAX)
		if (!list_chunk(find, &all->list.at[--left], owners, err))
			return false;
	return true;
}

static size_t found(const struct mmfind *find)
{
	return find->chains.list.count + find->strays.list.count;
}

static bool note_unknown(const struct mmfind *find, struct ari_error *err)
{
	struct ari_model *model = find->walk->model;

	if (find->chunks == ARI_UNKNOWN)
		return model_add_note(model, err,
				      "mmapped chunks: malloc's own counters of them "
				      "cannot be");
	if (found(find) > find->chunks)
		return model_add_note(model, err,
				      "mmapped chunks: malloc counts %" PRIu64
				      ", and %zu mappings look like one: which are "
				      "malloc's cannot be told",
				      find->chunks, found(find));
	return model_add_note(model, err,
			      "mmapped chunks: of %" PRIu64 " with %" PRIu64
			      " bytes, as malloc counts them, %zu with %" PRIu64
			      " bytes were found; where headers are in swap or cannot "
			      "be read, they are not",
			      find->chunks, find->bytes, found(find),
			      find->chains_bytes + find->strays_bytes);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a == ARI_UNKNOWN || a < b ? ARI_UNKNOWN : a - b;
}

static bool fill(struct mmfind *find, struct owners *owners, struct ari_error *err)
{
	struct ari_mmapped *mmapped = &find->walk->model->mmapped;
	struct owned *all = &owners->chunks;
	uint64_t chunks = find->chunks, bytes = find->bytes, listed = 0;

	if (!owners->chunks_known && !note_unknown(find, err))
		return false;
	if (chunks == ARI_UNKNOWN || found(find) > chunks)
		return true;
	if (!owned_add_all(all, &find->chains, err) ||
	    !owned_add_all(all, &find->strays, err) || !list_largest(find, owners, err))
		return false;
	if (owners->chunks_known)
		bytes = owned_bytes(all);
	owned_order(all);
	for (size_t i = 0; i < mmapped->listed.count; i++)
		listed += mmapped->listed.at[i].bytes;
	mmapped->more_chunks = less(chunks, mmapped->listed.count);
	mmapped->more_bytes = less(bytes, listed);
	return true;
}

bool walk_mmapped(struct walk *walk, struct owners *owners, struct ari_error *err)
{
	struct mmfind find;
	bool done;

	done = mmfind_open(walk, owners, &find, err) &&
	       search_all(&find, &owners->chunks_known, err) && fill(&find, owners, err);
	mmfind_close(&find);
	return done;
}
