// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "mem/mem.h"

#define PAGES_AT_ONCE 64

bool mem_is_fault(const struct ari_error *err)
{
	return err->code == ARI_FAULT || err->code == ARI_SWAPPED;
}

static bool fault(struct ari_error *err, uint64_t address, const char *why)
{
	return fail_at(err, ARI_FAULT, address, "cannot read memory at 0x%" PRIx64 ": %s",
		       address, why);
}

/* What an absent page holds; the page itself is not looked at. */
static bool read_absent(struct mem *mem, const struct mem_range *piece,
			struct ari_error *err)
{
	const struct map *map = maps_find(mem->maps, piece->address);

	if (map == NULL)
		return fault(err, piece->address, "not mapped");
	if (!(map->flags & MAP_READ))
		return fault(err, piece->address, "mapped without the right to read");
	if (!map_is_anonymous(map))
		return mem->ops->file(mem, map, piece->address, piece->to, piece->length,
				      err);
	memset(piece->to, 0, piece->length);
	return true;
}

static bool read_piece(struct mem *mem, uint8_t state, const struct mem_range *piece,
		       struct ari_error *err)
{
	size_t done;

	if (page_state(state) == PAGE_SWAPPED)
		return fail_at(err, ARI_SWAPPED, piece->address,
			       "the page at 0x%" PRIx64 " is in swap", piece->address);
	if (page_state(state) == PAGE_ABSENT)
		return read_absent(mem, piece, err);
	return mem->ops->copy(mem, piece, 1, &done, err);
}

/* Whether two pages are read the same way, so that one call does for both. */
static bool same_way(uint8_t a, uint8_t b)
{
	return page_state(a) == page_state(b) ||
	       (page_is_present(a) && page_is_present(b));
}

/* Reads up to PAGES_AT_ONCE pages, run by run. */
static bool read_some(struct mem *mem, uint64_t address, uint8_t *to, size_t length,
		      struct ari_error *err)
{
	uint8_t states[PAGES_AT_ONCE + 1];
	uint64_t first = address - address % mem->page_bytes;
	size_t count = (address + length - 1 - first) / mem->page_bytes + 1;

	if (!mem->ops->pages(mem, first, count, states, err))
		return false;
	for (size_t i = 0; i < count;) {
		uint64_t start = first + i * mem->page_bytes, end;
		uint8_t state = states[i];
		struct mem_range piece;

		/* An absent run may cross mappings: go page by page there. */
		for (i++;
		     i < count && state != PAGE_ABSENT && same_way(state, states[i]);)
			i++;
		end = first + i * mem->page_bytes;
		start = start < address ? address : start;
		end = end > address + length ? address + length : end;
		piece = (struct mem_range){ start, to + (start - address), end - start };
		if (!read_piece(mem, state, &piece, err))
			return false;
	}
	return true;
}

bool mem_read(struct mem *mem, uint64_t address, void *to, size_t length,
	      struct ari_error *err)
{
	size_t at_once = PAGES_AT_ONCE * mem->page_bytes;
	uint64_t end;

	if (__builtin_add_overflow(address, length, &end))
		return fault(err, address, "beyond the address space");
	for (size_t done = 0; done < length;) {
		size_t want = length - done < at_once ? length - done : at_once;

		if (!read_some(mem, address + done, (uint8_t *)to + done, want, err))
			return false;
		done += want;
	}
	return true;
}

bool mem_read_word(struct mem *mem, uint64_t address, uint64_t *ret,
		   struct ari_error *err)
{
	return mem_read(mem, address, ret, sizeof(*ret), err);
}
