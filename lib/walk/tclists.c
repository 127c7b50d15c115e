// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "mem/peek.h"
#include "mem/states.h"
#include "mem/view.h"
#include "walk/chunk.h"
#include "walk/tclists.h"

#define SMALL_CLASSES 64	 /* TCACHE_SMALL_BINS; of one size each */
#define LARGE_LOG     10	 /* the class behind them holds sizes below 1 << 11 */
#define COUNT_MAX     UINT16_MAX /* MAX_TCACHE_COUNT */
#define TRIES	      3
#define AT_ONCE	      1024 /* lists; the kernel takes no more ranges in one call */
/* What a thousand threads may hold that fill their caches. */
#define CHUNKS_MAX ((uint64_t)1 << 20)

/* Where the walk of one list stands. */
struct cursor {
	uint64_t entry; /* a user pointer: the chunk to be looked at next */
	uint32_t left;	/* entries that the counter speaks of */
	uint16_t index; /* of the list in its cache */
	uint16_t cache;
	uint64_t words[2]; /* the chunk's size and link */
	bool ok;
};

struct tclists {
	struct mem *mem;
	const struct layout *layout;
	struct peek peek;
	struct deadline deadline;
	uint64_t most;	/* entries that a list may have: mp_.tcache_count */
	uint64_t left;	/* chunks that may still be followed */
	uint32_t lists; /* of a cache */
	struct view view;
	struct tclists_cache *caches;
	struct marks *marks;
	struct cursor cursors[AT_ONCE];
	size_t count;
	struct mem_range ranges[AT_ONCE];
	struct cursor *of_range[AT_ONCE];
	struct states states;
};

bool tclists_open(const struct walk *walk, struct tclists **ret, struct ari_error *err)
{
	uint64_t most = walk->model->settings.tcache_count;
	struct tclists *lists = calloc(1, sizeof(*lists));

	if (lists == NULL)
		return fail_memory(err);
	lists->mem = walk->mem;
	lists->layout = walk->layout;
	lists->deadline = walk->deadline;
	lists->most = most < COUNT_MAX ? most : COUNT_MAX;
	lists->left = CHUNKS_MAX;
	lists->lists = walk->layout->members[TC_ENTRIES].count;
	if (lists->lists > AT_ONCE)
		lists->lists = AT_ONCE;
	if (!peek_open(walk->mem, &lists->peek, err) ||
	    !states_open(walk->mem, &lists->states, err)) {
		tclists_close(lists);
		return false;
	}
	*ret = lists;
	return true;
}

void tclists_close(struct tclists *lists)
{
	if (lists == NULL)
		return;
	peek_close(&lists->peek);
	states_close(&lists->states);
	free(lists);
}

size_t tclists_room(const struct tclists *lists)
{
	return AT_ONCE / lists->lists;
}

static uint64_t offset_of(const struct tclists *lists, enum layout_member member)
{
	return lists->layout->members[member].offset;
}

static bool is_aligned(const struct tclists *lists, uint64_t address)
{
	return address % CHUNK_ALIGN == 0 && address != 0 &&
	       address >> lists->layout->arch->address_bits == 0;
}

/* ---- the struct of a cache ---- */

/* Reads it whole, when a chunk that has room for it is there. */
static bool load_cache(struct tclists *lists, uint64_t address, bool *ret_ok,
		       struct ari_error *err)
{
	uint64_t chunk = address - offset_of(lists, MC_FD), word;
	uint32_t bytes = lists->layout->bytes[TCACHE];

	lists->view.layout = lists->layout;
	lists->view.type = TCACHE;
	lists->view.address = address;
	*ret_ok = is_aligned(lists, address);
	if (!*ret_ok)
		return true;
	if (!peek_word(&lists->peek, chunk + offset_of(lists, MC_SIZE), &word, ret_ok,
		       err))
		return false;
	*ret_ok = *ret_ok && (word & ~(uint64_t)CHUNK_FLAGS) >= bytes;
	for (uint32_t at = 0; *ret_ok && at + sizeof(word) <= bytes; at += sizeof(word)) {
		if (!peek_word(&lists->peek, address + at, &word, ret_ok, err))
			return false;
		memcpy(lists->view.bytes + at, &word, sizeof(word));
	}
	return true;
}

/* How many entries a list has, as the cache counts them; ARI_UNKNOWN: it lies. */
static uint64_t count_of(const struct tclists *lists, size_t index)
{
	bool counts_down = view_has(&lists->view, TC_NUM_SLOTS);
	uint64_t count =
		view_at(&lists->view, counts_down ? TC_NUM_SLOTS : TC_COUNTS, index);

	if (count > lists->most)
		return ARI_UNKNOWN;
	return counts_down ? lists->most - count : count;
}

static bool begin_cache(struct tclists *lists, size_t i, struct ari_error *err)
{
	struct tclists_cache *cache = &lists->caches[i];

	if (!load_cache(lists, cache->address, &cache->read, err))
		return false;
	cache->whole = cache->read;
	for (uint32_t index = 0; index < lists->lists && cache->read; index++) {
		uint64_t entry = view_at(&lists->view, TC_ENTRIES, index);
		uint64_t count = count_of(lists, index);

		if (count == 0 || count == ARI_UNKNOWN)
			cache->whole &= count == 0 && entry == 0;
		else
			lists->cursors[lists->count++] =
				(struct cursor){ .entry = entry,
						 .left = (uint32_t)count,
						 .index = (uint16_t)index,
						 .cache = (uint16_t)i };
	}
	return true;
}

/* ---- one entry of every list ---- */

static int by_entry(const void *a, const void *b)
{
	uint64_t left = ((const struct cursor *)a)->entry;
	uint64_t right = ((const struct cursor *)b)->entry;

	return left < right ? -1 : left > right;
}

static bool is_present(struct tclists *lists, uint64_t address, bool *ret,
		       struct ari_error *err)
{
	uint8_t state;

	if (!states_get(&lists->states, address, &state, err))
		return false;
	*ret = page_is_present(state);
	return true;
}

/* The size and the link stand side by side, maybe on two pages. */
static bool may_read(struct tclists *lists, uint64_t entry, bool *ret,
		     struct ari_error *err)
{
	*ret = is_aligned(lists, entry) && lists->left > 0;
	if (!*ret)
		return true;
	lists->left--;
	return is_present(lists,
			  entry - offset_of(lists, MC_FD) + offset_of(lists, MC_SIZE),
			  ret, err) &&
	       (!*ret || is_present(lists, entry, ret, err));
}

static bool plan(struct tclists *lists, size_t *ret_ranges, struct ari_error *err)
{
	size_t ranges = 0;

	qsort(lists->cursors, lists->count, sizeof(*lists->cursors), by_entry);
	for (size_t i = 0; i < lists->count; i++) {
		struct cursor *cursor = &lists->cursors[i];
		uint64_t chunk = cursor->entry - offset_of(lists, MC_FD);

		if (!may_read(lists, cursor->entry, &cursor->ok, err))
			return false;
		if (!cursor->ok)
			continue;
		lists->of_range[ranges] = cursor;
		lists->ranges[ranges++] =
			(struct mem_range){ chunk + offset_of(lists, MC_SIZE),
					    cursor->words, sizeof(cursor->words) };
	}
	*ret_ranges = ranges;
	return true;
}

/* A range that cannot be read, since its page has gone, is passed. */
static bool fetch(struct tclists *lists, size_t ranges, struct ari_error *err)
{
	for (size_t at = 0; at < ranges; at++) {
		size_t done = 0;

		if (lists->mem->ops->copy(lists->mem, lists->ranges + at, ranges - at,
					  &done, err))
			return true;
		if (!mem_is_fault(err))
			return false;
		at += done;
		if (at < ranges)
			lists->of_range[at]->ok = false;
	}
	return true;
}

/* Large classes hold the sizes of one power of two; the first lacks the small ones'. */
static bool fits_class(uint64_t bytes, size_t index)
{
	uint64_t small_to = CHUNK_MIN + 16 * (SMALL_CLASSES - 1);

	if (index < SMALL_CLASSES)
		return bytes == CHUNK_MIN + 16 * index;
	return bytes > small_to && bytes % CHUNK_ALIGN == 0 &&
	       bytes >> (index - SMALL_CLASSES + LARGE_LOG) == 1;
}

static bool add_mark(struct tclists *lists, const struct cursor *cursor, uint64_t bytes,
		     struct ari_error *err)
{
	struct mark *mark = list_add(&lists->marks->list, err);

	if (mark == NULL)
		return false;
	*mark = (struct mark){ .address = cursor->entry - offset_of(lists, MC_FD),
			       .bytes = bytes,
			       .list = MARK_TCACHE,
			       .index = lists->caches[cursor->cache].row };
	return true;
}

static bool advance(struct tclists *lists, struct cursor *cursor, struct ari_error *err)
{
	uint64_t bytes = cursor->words[0] & ~(uint64_t)CHUNK_FLAGS;

	cursor->ok = cursor->ok && fits_class(bytes, cursor->index);
	if (!cursor->ok)
		return true;
	/* Since 2.42 an mmapped chunk may be cached, too: it is in no arena. */
	if ((cursor->words[0] & CHUNK_MMAPPED) == 0 &&
	    !add_mark(lists, cursor, bytes, err))
		return false;
	/* Safe-linking: a link is stored xored with the page number of its place. */
	if (lists->layout->traits[TRAIT_SAFE_LINKING])
		cursor->words[1] ^= cursor->entry >> 12;
	cursor->entry = cursor->words[1];
	cursor->left--;
	return true;
}

/* Lists that have come to their end, or lead astray, are followed no further. */
static void drop_ended(struct tclists *lists)
{
	size_t kept = 0;

	for (size_t i = 0; i < lists->count; i++) {
		const struct cursor *cursor = &lists->cursors[i];

		if (cursor->ok && cursor->left > 0) {
			lists->cursors[kept++] = *cursor;
			continue;
		}
		lists->caches[cursor->cache].whole &= cursor->ok && cursor->entry == 0;
	}
	lists->count = kept;
}

static bool follow(struct tclists *lists, struct ari_error *err)
{
	while (lists->count > 0) {
		size_t ranges;

		if (!deadline_ok(lists->deadline, err) || !plan(lists, &ranges, err) ||
		    !fetch(lists, ranges, err))
			return false;
		for (size_t i = 0; i < lists->count; i++)
			if (!advance(lists, &lists->cursors[i], err))
				return false;
		drop_ended(lists);
	}
	return true;
}

/* ---- again, while they move ---- */

/* Those that are not whole yet; how many remain so. */
static bool read_once(struct tclists *lists, size_t count, size_t *ret_left,
		      struct ari_error *err)
{
	lists->count = 0;
	peek_forget(&lists->peek);
	states_forget(&lists->states);
	for (size_t i = 0; i < count; i++)
		if (!lists->caches[i].whole && !begin_cache(lists, i, err))
			return false;
	if (!follow(lists, err))
		return false;
	*ret_left = 0;
	for (size_t i = 0; i < count; i++)
		*ret_left += !lists->caches[i].whole;
	return true;
}

static bool is_whole(const struct tclists *lists, size_t count, unsigned int row)
{
	for (size_t i = 0; i < count; i++)
		if (lists->caches[i].row == row)
			return lists->caches[i].whole;
	return false;
}

static void forget_partial(struct tclists *lists, size_t count, size_t from)
{
	struct mark *at = lists->marks->list.at;
	size_t kept = from;

	for (size_t i = from; i < lists->marks->list.count; i++)
		if (is_whole(lists, count, at[i].index))
			at[kept++] = at[i];
	lists->marks->list.count = kept;
}

bool tclists_read(struct tclists *lists, struct tclists_cache *caches, size_t count,
		  struct marks *marks, struct ari_error *err)
{
	size_t before = marks->list.count, left = count;

	lists->caches = caches;
	lists->marks = marks;
	for (size_t i = 0; i < count; i++)
		caches[i].read = caches[i].whole = false;
	for (unsigned int i = 0; i < TRIES && left > 0; i++) {
		if (i > 0)
			forget_partial(lists, count, before);
		if (!read_once(lists, count, &left, err))
			return false;
		if (lists->left == 0)
			break;
	}
	return true;
}
