// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "walk/chunk.h"
#include "walk/mmchunk.h"

#define MMAP_HP		1u		  /* in prev_size since 2.43: of huge pages */
#define HEADER_BYTES	16u		  /* prev_size and size */
#define LEAST_ALIGNMENT 32u		  /* that malloc does not give anyway */
#define PAGES_MAX	((size_t)1 << 20) /* whose ends are read, for all chunks together */
#define LOOK_COST	16  /* of asking which pages are present, in such pages */
#define TAILS		256 /* ends of pages that are read at once */

bool mmchunk_open(struct walk *walk, struct mmchunk_reader *ret, struct ari_error *err)
{
	*ret = (struct mmchunk_reader){ walk, malloc(walk->mem->page_bytes), 0 };
	mmchunk_begin(ret);
	return ret->page != NULL || fail_memory(err);
}

void mmchunk_begin(struct mmchunk_reader *reader)
{
	reader->pages_left = PAGES_MAX;
}

void mmchunk_close(struct mmchunk_reader *reader)
{
	free(reader->page);
	reader->page = NULL;
}

uint64_t mmchunk_bytes(const struct walk *walk, const uint64_t words[2], uint64_t offset)
{
	bool is_short = walk->layout->traits[TRAIT_MMAPPED_SHORT];
	uint64_t padding = words[0] & ~(uint64_t)(is_short ? MMAP_HP : 0);
	uint64_t size = words[1] & ~(uint64_t)CHUNK_FLAGS, bytes;

	if ((words[1] & CHUNK_FLAGS) != CHUNK_MMAPPED || padding != offset ||
	    size < 2u * HEADER_BYTES || __builtin_add_overflow(size, offset, &bytes) ||
	    __builtin_add_overflow(bytes, is_short ? HEADER_BYTES : 0, &bytes) ||
	    bytes % walk->mem->page_bytes != 0)
		return 0;
	return bytes;
}

static bool fits(const struct walk *walk, const uint8_t *at, uint64_t offset,
		 uint64_t start, uint64_t limit, struct mmchunk *ret)
{
	uint64_t words[2], bytes;

	memcpy(words, at, sizeof(words));
	bytes = mmchunk_bytes(walk, words, offset);
	if (bytes == 0 || bytes <= offset + HEADER_BYTES || bytes > limit - start)
		return false;
	*ret = (struct mmchunk){ start, start + bytes, start + offset };
	return true;
}

/* *ret_ok: the page was present, and was read. */
static bool read_page(struct mmchunk_reader *reader, uint64_t address, bool *ret_ok,
		      struct ari_error *err)
{
	struct mem *mem = reader->walk->mem;
	struct mem_range range = { address, reader->page, mem->page_bytes };
	uint8_t state;
	size_t done;

	*ret_ok = false;
	if (!mem->ops->pages(mem, address, 1, &state, err))
		return mem_is_fault(err);
	if (!page_is_present(state))
		return true;
	*ret_ok = mem->ops->copy(mem, &range, 1, &done, err);
	return *ret_ok || mem_is_fault(err);
}

/*
 * An aligned chunk whose header is in the first page: what the caller got begins at a
 * power of two within the page, or at the next.
 */
static bool find_in_page(const struct mmchunk_reader *reader, uint64_t start,
			 uint64_t limit, struct mmchunk *ret)
{
	for (uint64_t at = LEAST_ALIGNMENT; at <= reader->walk->mem->page_bytes; at *= 2)
		if (fits(reader->walk, reader->page + at - HEADER_BYTES,
			 at - HEADER_BYTES, start, limit, ret))
			return true;
	return false;
}

/* Has nobody written behind the header?  (glibc.malloc.perturb fills with one byte.) */
static bool is_blank(const struct mmchunk_reader *reader)
{
	const uint8_t *at = reader->page + HEADER_BYTES;

	return memcmp(at, at + 1, reader->walk->mem->page_bytes - HEADER_BYTES - 1) == 0;
}

/*
 * The ends of the pages that are present in [*at, end), at most TAILS; *at is where to go
 * on.
 */
static bool list_tails(struct mem *mem, uint64_t *at, uint64_t end,
		       struct mem_range *tails, size_t *ret_count, struct ari_error *err)
{
	uint64_t page = mem->page_bytes, reached;
	struct page_run runs[16];
	size_t count;

	*ret_count = 0;
	if (!mem->ops->runs(mem, *at, end, runs, 16, &count, &reached, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!page_is_present(runs[i].state))
			continue;
		for (*at = runs[i].start; *at < runs[i].end; *at += page) {
			if (*ret_count == TAILS)
				return true;
			tails[(*ret_count)++] =
				(struct mem_range){ *at + page - HEADER_BYTES, NULL,
						    HEADER_BYTES };
		}
	}
	*at = reached;
	return true;
}

/*
 * The same with a larger alignment: the header ends a page that is present, and nobody
 * wrote to those in front of it.
 */
static bool find_in_tails(struct mmchunk_reader *reader, uint64_t start, uint64_t end,
			  uint64_t limit, struct mmchunk *ret, bool *ret_found,
			  struct ari_error *err)
{
	struct mem *mem = reader->walk->mem;
	uint64_t at = start + mem->page_bytes;
	uint8_t words[TAILS][HEADER_BYTES], *blank = reader->page + HEADER_BYTES;
	struct mem_range tails[TAILS];

	for (end = end < limit ? end : limit; at < end && reader->pages_left > 0;) {
		size_t count, done, cost;

		if (!deadline_ok(reader->walk->deadline, err) ||
		    !list_tails(mem, &at, end, tails, &count, err))
			return false;
		cost = count + LOOK_COST;
		reader->pages_left -=
			cost < reader->pages_left ? cost : reader->pages_left;
		for (size_t i = 0; i < count; i++)
			tails[i].to = words[i];
		if (!mem->ops->copy(mem, tails, count, &done, err) && !mem_is_fault(err))
			return false;
		for (size_t i = 0; i < done; i++) {
			*ret_found = fits(reader->walk, words[i],
					  tails[i].address - start, start, limit, ret);
			if (*ret_found || memcmp(words[i], blank, HEADER_BYTES) != 0)
				return true;
		}
		if (done < count)
			return true;
	}
	return true;
}

bool mmchunk_at(struct mmchunk_reader *reader, uint64_t start, uint64_t limit,
		struct mmchunk *ret, bool *ret_found, struct ari_error *err)
{
	const struct walk *walk = reader->walk;
	uint64_t words[2], bytes, end;
	bool ok;

	*ret_found = false;
	if (limit - start < walk->mem->page_bytes)
		return true;
	if (!read_page(reader, start, &ok, err))
		return false;
	if (!ok)
		return true;
	memcpy(words, reader->page, sizeof(words));
	bytes = mmchunk_bytes(walk, words, 0);
	if (bytes == 0 || __builtin_add_overflow(start, bytes, &end))
		return true;
	*ret_found = find_in_page(reader, start, limit, ret);
	if (!*ret_found && is_blank(reader) &&
	    !find_in_tails(reader, start, end, limit, ret, ret_found, err))
		return false;
	if (!*ret_found)
		*ret_found = fits(walk, reader->page, 0, start, limit, ret);
	return true;
}
