// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "walk/mmfind.h"

#define PAGES_MAX    ((size_t)1 << 20) /* headers that are looked for within mappings */
#define LOOKS_MAX    ((size_t)1 << 15) /* at the page tables, for that */
#define HEADERS	     512	       /* read at once */
#define CHECK_EVERY  256	       /* for the time */
#define HEADER_WORDS 2

bool mmfind_open(struct walk *walk, const struct owners *owners, struct mmfind *ret,
		 struct ari_error *err)
{
	*ret = (struct mmfind){ .walk = walk, .owners = owners };
	return mmchunk_open(walk, &ret->reader, err);
}

void mmfind_close(struct mmfind *find)
{
	mmchunk_close(&find->reader);
	list_done(&find->areas.list);
	list_done(&find->chains.list);
	list_done(&find->strays.list);
}

bool mmfind_adds_up(const struct mmfind *find)
{
	uint64_t bytes = find->chains_bytes + find->strays_bytes;

	if (find->chains.list.count + find->strays.list.count != find->chunks)
		return false;
	/* glibc 2.43 counts 16 bytes too many with every mremap(2), and keeps them. */
	return bytes == find->bytes ||
	       (find->walk->layout->traits[TRAIT_MMAPPED_SHORT] && bytes < find->bytes &&
		(find->bytes - bytes) % 16 == 0);
}

/* ---- where they may be ---- */

/* Memory that mmap gave, as far as names tell; the kernel's own are in brackets. */
static bool may_hold_chunks(const struct map *map)
{
	return map_is_own_memory(map) &&
	       (map->path[0] != '[' || strncmp(map->path, "[anon:", 6) == 0);
}

static bool add_area(struct owned *areas, uint64_t start, uint64_t end,
		     struct ari_error *err)
{
	size_t count = areas->list.count;

	if (start < end && count > 0 && areas->list.at[count - 1].end == start) {
		areas->list.at[count - 1].end = end;
		return true;
	}
	return owned_add(areas, start, end, err);
}

/* What of one mapping is not in `taken`, of which those in front of *at end below. */
static bool cut_map(struct owned *areas, const struct map *map, const struct owned *taken,
		    size_t *at, struct ari_error *err)
{
	uint64_t start = map->start;

	while (*at < taken->list.count && taken->list.at[*at].end <= start)
		++*at;
	for (size_t i = *at; i < taken->list.count && taken->list.at[i].start < map->end;
	     i++) {
		const struct span *span = &taken->list.at[i];

		if (!add_area(areas, start, span->start, err))
			return false;
		start = span->end > start ? span->end : start;
	}
	return add_area(areas, start, map->end, err);
}

static bool find_areas(struct mmfind *find, struct ari_error *err)
{
	const struct maps *maps = find->walk->mem->maps;
	struct owned taken = { 0 };
	bool done = owned_add_all(&taken, &find->owners->heaps, err) &&
		    owned_add_all(&taken, &find->owners->reserves, err);
	size_t at = 0;

	owned_order(&taken);
	for (size_t i = 0; done && i < maps->list.count; i++)
		if (may_hold_chunks(&maps->list.at[i]))
			done = cut_map(&find->areas, &maps->list.at[i], &taken, &at, err);
	list_done(&taken.list);
	return done;
}

static bool is_place(const struct mmfind *find, const struct map *map, uint64_t at)
{
	const unsigned int needed = MAP_READ | MAP_WRITE;

	return (map->flags & needed) == needed && at % find->walk->mem->page_bytes == 0 &&
	       owned_find(&find->owners->stacks, at) == NULL;
}

static bool add_chunk(struct owned *to, uint64_t *bytes, const struct mmchunk *chunk,
		      struct ari_error *err)
{
	*bytes += chunk->end - chunk->start;
	return owned_add(to, chunk->start, chunk->end, err);
}

static bool in_time(struct mmfind *find, struct ari_error *err)
{
	return ++find->probes % CHECK_EVERY != 0 ||
	       deadline_ok(find->walk->deadline, err);
}

/* ---- chains from where mappings start ---- */

static bool follow_area(struct mmfind *find, const struct span *area,
			struct ari_error *err)
{
	const struct map *map = maps_find(find->walk->mem->maps, area->start);
	uint64_t at = area->start;

	while (at < area->end) {
		struct mmchunk chunk;
		bool found = false;

		while (map->end <= at) /* mappings of an area follow each other */
			map++;
		if (!in_time(find, err) ||
		    (is_place(find, map, at) &&
		     !mmchunk_at(&find->reader, at, area->end, &chunk, &found, err)))
			return false;
		if (found && !add_chunk(&find->chains, &find->chains_bytes, &chunk, err))
			return false;
		at = found ? chunk.end : map->end;
	}
	return true;
}

bool mmfind_chains(struct mmfind *find, struct ari_error *err)
{
	find->areas.list.count = find->chains.list.count = find->strays.list.count = 0;
	find->chains_bytes = find->strays_bytes = 0;
	mmchunk_begin(&find->reader);
	if (!find_areas(find, err))
		return false;
	for (size_t i = 0; i < find->areas.list.count; i++)
		if (!follow_area(find, &find->areas.list.at[i], err))
			return false;
	return true;
}

/* ---- those within mappings ---- */

struct headers {
	struct mem_range ranges[HEADERS];
	uint64_t words[HEADERS][HEADER_WORDS];
	size_t count;
};

/* Tries those that were read; *past is where the last chunk that was found ends. */
static bool try_headers(struct mmfind *find, const struct headers *headers, size_t count,
			uint64_t limit, uint64_t *past, struct ari_error *err)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t at = headers->ranges[i].address;
		struct mmchunk chunk;
		bool found = false;

		if (at < *past || mmchunk_bytes(find->walk, headers->words[i], 0) == 0 ||
		    owned_find(&find->owners->stacks, at) != NULL)
			continue;
		if (!mmchunk_at(&find->reader, at, limit, &chunk, &found, err))
			return false;
		if (!found)
			continue;
		if (!add_chunk(&find->strays, &find->strays_bytes, &chunk, err))
			return false;
		*past = chunk.end;
	}
	return true;
}

/* The first words of all pages of a run. */
static bool read_headers(struct mmfind *find, const struct page_run *run, uint64_t limit,
			 uint64_t *past, struct ari_error *err)
{
	struct mem *mem = find->walk->mem;
	uint64_t page = mem->page_bytes;
	struct headers headers;

	for (uint64_t at = run->start < *past ? *past : run->start;
	     at < run->end && find->pages_left > 0;) {
		size_t done;

		for (headers.count = 0;
		     headers.count < HEADERS && at < run->end && find->pages_left > 0;
		     headers.count++, at += page, find->pages_left--)
			headers.ranges[headers.count] =
				(struct mem_range){ at, headers.words[headers.count],
						    sizeof(*headers.words) };
		if (!deadline_ok(find->walk->deadline, err))
			return false;
		if (!mem->ops->copy(mem, headers.ranges, headers.count, &done, err)) {
			if (!mem_is_fault(err))
				return false;
			/* On from behind the one that cannot be read. */
			at = headers.ranges[done].address + page;
		}
		if (!try_headers(find, &headers, done, limit, past, err))
			return false;
		at = at < *past ? *past : at;
	}
	return true;
}

/* Pages of [start, end), one mapping's; chunks there may go on to limit. */
static bool look_into(struct mmfind *find, uint64_t start, uint64_t end, uint64_t limit,
		      uint64_t *past, struct ari_error *err)
{
	struct mem *mem = find->walk->mem;

	while (start < end && find->pages_left > 0 && find->looks_left > 0) {
		struct page_run runs[64];
		size_t count;

		find->looks_left--;
		if (!deadline_ok(find->walk->deadline, err) ||
		    !mem->ops->runs(mem, start, end, runs, 64, &count, &start, err))
			return false;
		for (size_t i = 0; i < count; i++)
			if (page_is_present(runs[i].state) &&
			    !read_headers(find, &runs[i], limit, past, err))
				return false;
	}
	return true;
}

/* [start, end) of an area has no chunk yet. */
static bool look_between(struct mmfind *find, uint64_t start, uint64_t end,
			 struct ari_error *err)
{
	const struct map *map = maps_find(find->walk->mem->maps, start);
	uint64_t past = start, page = find->walk->mem->page_bytes;

	start += (page - start % page) % page;
	for (; map != NULL && start < end && !mmfind_adds_up(find); start = map++->end) {
		uint64_t to = map->end < end ? map->end : end;

		start = start < past ? past : start;
		if ((map->flags & MAP_READ) && (map->flags & MAP_WRITE) && start < to &&
		    !look_into(find, start, to, end, &past, err))
			return false;
	}
	return true;
}

static bool look_into_area(struct mmfind *find, const struct span *area,
			   struct ari_error *err)
{
	const struct owned *chains = &find->chains; /* in order of address */
	ptrdiff_t i = list_floor(chains->list.at, chains->list.count, sizeof(struct span),
				 offsetof(struct span, start), area->start);
	size_t next = i < 0 || chains->list.at[i].end <= area->start ? (size_t)(i + 1)
								     : (size_t)i;
	uint64_t at = area->start;

	while (at < area->end && !mmfind_adds_up(find)) {
		bool more = next < chains->list.count &&
			    chains->list.at[next].start < area->end;
		uint64_t to = more ? chains->list.at[next].start : area->end;

		if (at < to && !look_between(find, at, to, err))
			return false;
		at = more ? chains->list.at[next++].end : area->end;
	}
	return true;
}

/* Small areas first: what an application has for itself is large. */
bool mmfind_strays(struct mmfind *find, struct ari_error *err)
{
	find->pages_left = PAGES_MAX;
	find->looks_left = LOOKS_MAX;
	owned_order_by_size(&find->areas);
	for (size_t i = 0; i < find->areas.list.count && !mmfind_adds_up(find); i++)
		if (!look_into_area(find, &find->areas.list.at[i], err))
			return false;
	return true;
}
