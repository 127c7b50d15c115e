// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "walk/owners.h"

#define KINDS	      6
#define ALL_RIGHTS    (MAP_READ | MAP_WRITE | MAP_EXEC)
#define KIND_OF(tag)  ((enum ari_memory_kind)((tag) % 256))
#define CHUNK_OF(tag) ((size_t)((tag) >> 8)) /* 1 + its row in the list; 0: none */

/* One list of owners while the mappings are gone through, upwards. */
struct cursor {
	const struct owned *owned;
	enum ari_memory_kind kind;
	size_t at;
};

/* In the order in which they are believed: a stack may be a chunk. */
enum { HEAPS, CHUNKS, RESERVES, STACKS, CURSORS };

struct lines {
	struct walk *walk;
	const struct owners *owners;
	struct cursor cursors[CURSORS];
	ARI_LIST(struct rss_span) spans;
	struct ari_memory rows[KINDS];
	uint64_t resident; /* of all */
};

/* ---- whose it is ---- */

/* A name in brackets that is not memory of the process but the kernel's, as [vdso] is. */
static bool is_kernels(const struct map *map)
{
	return map->path[0] == '[' && strncmp(map->path, "[anon:", 6) != 0 &&
	       strncmp(map->path, "[heap]", 6) != 0;
}

/*
 * By the mapping alone.  Pages of [vdso] and its like are the kernel's own, and it
 * counts them among those of files (RssFile).
 */
static enum ari_memory_kind kind_of_map(const struct map *map)
{
	if (map->flags & MAP_IS_SHARED)
		return ARI_MEMORY_SHARED;
	if (strncmp(map->path, "[stack", 6) == 0)
		return ARI_MEMORY_STACKS;
	if (!map_is_own_memory(map) || is_kernels(map))
		return ARI_MEMORY_FILES;
	return ARI_MEMORY_ANONYMOUS;
}

/* What begins at or behind `at`; *ret_end is where it changes. */
static bool is_owned(struct cursor *cursor, uint64_t at, uint64_t *ret_end)
{
	const struct owned *owned = cursor->owned;
	const struct span *span;

	while (cursor->at < owned->list.count && owned->list.at[cursor->at].end <= at)
		cursor->at++;
	if (cursor->at == owned->list.count)
		return false;
	span = &owned->list.at[cursor->at];
	if (span->start <= at) {
		*ret_end = span->end < *ret_end ? span->end : *ret_end;
		return true;
	}
	*ret_end = span->start < *ret_end ? span->start : *ret_end;
	return false;
}

/* Whose the byte at `at` of a mapping is, and up to where, *end at most. */
static uint64_t tag_at(struct lines *lines, const struct map *map, uint64_t at,
		       uint64_t *end)
{
	uint64_t tag = kind_of_map(map), row = 0;
	bool owned = false;

	for (size_t i = 0; i < CURSORS && !owned; i++) {
		struct cursor *cursor = &lines->cursors[i];

		owned = is_owned(cursor, at, end);
		/* What a heap reserves, nobody may use yet. */
		if (!owned || (i == RESERVES && (map->flags & ALL_RIGHTS)))
			owned = false;
		else
			tag = cursor->kind;
		if (owned && i == CHUNKS)
			set_find(&lines->owners->listed,
				 cursor->owned->list.at[cursor->at].start, &row);
	}
	return tag | row << 8;
}

/* ---- what there is ---- */

static bool add_span(struct lines *lines, uint64_t start, uint64_t end, uint64_t tag,
		     bool goes_on, struct ari_error *err)
{
	struct rss_span *span = goes_on ? &lines->spans.at[lines->spans.count - 1] : NULL;

	lines->rows[KIND_OF(tag)].virtual_bytes += end - start;
	if (span != NULL && span->tag == tag) {
		span->end = end;
		return true;
	}
	span = list_add(&lines->spans, err);
	if (span == NULL)
		return false;
	*span = (struct rss_span){ .start = start, .end = end, .tag = tag };
	return true;
}

static bool cut_map(struct lines *lines, const struct map *map, struct ari_error *err)
{
	unsigned int seen = 0;

	for (uint64_t at = map->start, end; at < map->end; at = end) {
		uint64_t tag;

		end = map->end;
		tag = tag_at(lines, map, at, &end);
		if (!add_span(lines, at, end, tag, at != map->start, err))
			return false;
		seen |= 1u << KIND_OF(tag);
	}
	for (size_t kind = 0; kind < KINDS; kind++)
		lines->rows[kind].mappings += seen >> kind & 1;
	return true;
}

static bool cut_maps(struct lines *lines, struct ari_error *err)
{
	const struct maps *maps = lines->walk->mem->maps;

	for (size_t i = 0; i < maps->list.count; i++)
		if (maps->list.at[i].start < MAPS_KERNEL_SPACE &&
		    !cut_map(lines, &maps->list.at[i], err))
			return false;
	return true;
}

/* ---- the numbers ---- */

/* A sum of which a term is not known is not known. */
static void add(uint64_t *sum, uint64_t term)
{
	if (term == ARI_UNKNOWN || *sum == ARI_UNKNOWN)
		*sum = ARI_UNKNOWN;
	else
		*sum += term;
}

static void add_up(struct lines *lines)
{
	struct ari_mmapped *mmapped = &lines->walk->model->mmapped;

	for (size_t i = 0; i < mmapped->listed.count; i++)
		mmapped->listed.at[i].resident_bytes = 0;
	for (size_t i = 0; i < lines->spans.count; i++) {
		const struct rss_span *span = &lines->spans.at[i];
		struct ari_memory *row = &lines->rows[KIND_OF(span->tag)];
		size_t chunk = CHUNK_OF(span->tag);

		add(&row->resident_bytes, span->resident);
		add(&row->swapped_bytes, span->swapped);
		add(&lines->resident, span->resident);
		if (chunk != 0)
			add(&mmapped->listed.at[chunk - 1].resident_bytes,
			    span->resident);
	}
}

/* Nothing that would be wrong: parts of these two are counted in one another. */
static void forget(struct lines *lines, enum ari_memory_kind kind)
{
	struct ari_memory *const rows[] = { &lines->rows[kind],
					    &lines->rows[ARI_MEMORY_ANONYMOUS] };

	for (size_t i = 0; i < 2; i++)
		rows[i]->mappings = rows[i]->virtual_bytes = rows[i]->resident_bytes =
			rows[i]->swapped_bytes = ARI_UNKNOWN;
}

/*
 * The arenas' pages were counted when each was walked, and a process that moves has more
 * or fewer by now.  One number is given for them, that of the arenas; a line that was
 * forgotten stays so.
 */
static void take_arenas(struct lines *lines, uint64_t resident)
{
	struct ari_memory *row = &lines->rows[ARI_MEMORY_MALLOC_HEAPS];

	if (resident == ARI_UNKNOWN || row->resident_bytes == ARI_UNKNOWN)
		return;
	if (lines->resident != ARI_UNKNOWN)
		lines->resident += resident - row->resident_bytes;
	row->resident_bytes = resident;
}

static bool fill(struct lines *lines, struct ari_error *err)
{
	struct ari_model *model = lines->walk->model;

	if (!lines->owners->heaps_known)
		forget(lines, ARI_MEMORY_MALLOC_HEAPS);
	take_arenas(lines, model->totals.resident.total_bytes);
	if (!lines->owners->chunks_known)
		forget(lines, ARI_MEMORY_MALLOC_MMAPPED);
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct ari_memory *row = list_add(&model->memory, err);

		if (row == NULL)
			return false;
		*row = lines->rows[kind];
		row->kind = kind;
	}
	if (lines->resident != ARI_UNKNOWN && model->process.rss_bytes != ARI_UNKNOWN)
		model->quality.rss_difference_bytes =
			(int64_t)(lines->resident - model->process.rss_bytes);
	return true;
}

bool walk_memory(struct walk *walk, const struct owners *owners, struct ari_error *err)
{
	struct lines lines = {
		.walk = walk,
		.owners = owners,
		.cursors = {
			[HEAPS] = { &owners->heaps, ARI_MEMORY_MALLOC_HEAPS, 0 },
			[CHUNKS] = { &owners->chunks, ARI_MEMORY_MALLOC_MMAPPED, 0 },
			[RESERVES] = { &owners->reserves, ARI_MEMORY_MALLOC_HEAPS, 0 },
			[STACKS] = { &owners->stacks, ARI_MEMORY_STACKS, 0 },
		},
	};
	bool done =
		deadline_ok(walk->deadline, err) && cut_maps(&lines, err) &&
		walk->mem->ops->rss(walk->mem, lines.spans.at, lines.spans.count, err);

	if (done) {
		add_up(&lines);
		done = fill(&lines, err);
	}
	list_done(&lines.spans);
	return done;
}
