// SPDX-License-Identifier: Apache-2.0
#include "target/rss.h"

#define RUNS   256
#define STATES 512

static void set_all(struct rss_span *spans, size_t count, uint64_t value)
{
	for (size_t i = 0; i < count; i++)
		spans[i].resident = spans[i].swapped = value;
}

/* ---- from the page tables ---- */

struct sweep {
	const struct maps *maps;
	struct rss_span *spans;
	size_t count, at; /* those in front of `at` are done */
	bool huge_files;
};

/* Pages of a shared mapping that are no file's are a device's, and not counted. */
static bool is_counted(struct sweep *sweep, const struct page_run *run,
		       struct rss_span *span)
{
	const struct map *map;

	if (page_state(run->state) != PAGE_PRESENT)
		return false;
	if (run->of_file && !(run->state & PAGE_IS_HUGE))
		return true;
	map = maps_find(sweep->maps, span->start);
	if (run->state & PAGE_IS_HUGE) {
		span->huge = true;
		sweep->huge_files |= map != NULL && !map_is_anonymous(map);
	}
	return run->of_file || map == NULL || !(map->flags & MAP_IS_SHARED);
}

static void take_run(struct sweep *sweep, const struct page_run *run)
{
	while (sweep->at < sweep->count && sweep->spans[sweep->at].end <= run->start)
		sweep->at++;
	for (size_t i = sweep->at; i < sweep->count && sweep->spans[i].start < run->end;
	     i++) {
		struct rss_span *span = &sweep->spans[i];
		uint64_t from = span->start > run->start ? span->start : run->start;
		uint64_t to = span->end < run->end ? span->end : run->end;

		if (is_counted(sweep, run, span))
			span->resident += to - from;
		else if (page_state(run->state) == PAGE_SWAPPED)
			span->swapped += to - from;
	}
}

static bool is_shared(const struct maps *maps, uint64_t address)
{
	const struct map *map = maps_find(maps, address);

	return map != NULL && (map->flags & MAP_IS_SHARED);
}

static bool sweep_range(const struct pages *pages, struct sweep *sweep, uint64_t at,
			uint64_t end, bool tell_files, struct ari_error *err)
{
	while (at < end) {
		struct page_run runs[RUNS];
		size_t found;

		if (!pages_runs(pages, at, end, tell_files, runs, RUNS, &found, &at, err))
			return false;
		for (size_t i = 0; i < found; i++)
			take_run(sweep, &runs[i]);
	}
	return true;
}

/* Whose pages are a file's matters in shared mappings alone, and is dear to ask for. */
static bool sweep_tables(const struct pages *pages, struct sweep *sweep,
			 struct ari_error *err)
{
	uint64_t page = pages->page_bytes;

	for (size_t i = 0, next; i < sweep->count; i = next) {
		bool shared = is_shared(sweep->maps, sweep->spans[i].start);
		uint64_t at = sweep->spans[i].start, end;

		for (next = i + 1; next < sweep->count; next++)
			if (is_shared(sweep->maps, sweep->spans[next].start) != shared)
				break;
		end = sweep->spans[next - 1].end;
		at -= at % page;
		end += (page - end % page) % page;
		if (!sweep_range(pages, sweep, at, end, shared, err))
			return false;
	}
	return true;
}

/*
 * Huge pages behind a file may be the page cache's, which count, or of a pool, which
 * do not: smaps knows.
 */
static bool settle_huge(const struct target *target, struct sweep *sweep,
			struct ari_error *err)
{
	struct smaps smaps;

	if (!sweep->huge_files)
		return true;
	if (!smaps_of(target, &smaps, err))
		return false;
	for (size_t i = 0; i < sweep->count; i++) {
		struct rss_span *span = &sweep->spans[i];
		const struct smap *smap =
			span->huge ? smaps_find(&smaps, span->start) : NULL;

		if (smap != NULL && smap->hugetlb)
			set_all(span, 1, 0);
	}
	smaps_done(&smaps);
	return true;
}

static bool count_by_tables(const struct target *target, const struct pages *pages,
			    const struct maps *maps, struct rss_span *spans, size_t count,
			    struct ari_error *err)
{
	struct sweep sweep = { .maps = maps, .spans = spans, .count = count };

	set_all(spans, count, 0);
	while (sweep.count > 0 && spans[sweep.count - 1].start >= MAPS_KERNEL_SPACE)
		sweep.count--;
	return sweep.count == 0 ||
	       (sweep_tables(pages, &sweep, err) && settle_huge(target, &sweep, err));
}

/* ---- from smaps ---- */

static void add_state(struct rss_span *span, uint8_t state, uint64_t bytes)
{
	switch (page_state(state)) {
	case PAGE_PRESENT:
		span->resident += bytes;
		break;
	case PAGE_SWAPPED:
		span->swapped += bytes;
		break;
	case PAGE_ABSENT:
	case PAGE_ZERO:
		break;
	default:
		span->resident = span->swapped = ARI_UNKNOWN;
		break;
	}
}

/* Page by page; unknown as soon as one page is not told. */
static bool look_up(struct residency *residency, struct rss_span *span,
		    struct ari_error *err)
{
	uint64_t page = residency->pages.page_bytes;
	uint64_t at = span->start - span->start % page;
	uint8_t states[STATES];

	set_all(span, 1, 0);
	while (at < span->end) {
		uint64_t left = (span->end - at + page - 1) / page;
		size_t count = left < STATES ? (size_t)left : STATES;

		if (!residency_lookup(residency, at, count, states, err))
			return false;
		for (size_t i = 0; i < count; i++, at += page) {
			uint64_t from = at > span->start ? at : span->start;
			uint64_t to = at + page < span->end ? at + page : span->end;

			add_state(span, states[i], to - from);
			if (span->resident == ARI_UNKNOWN)
				return true;
		}
	}
	return true;
}

static bool cover_all(const struct map *map, const struct rss_span *spans, size_t count)
{
	uint64_t at = map->start;

	for (size_t i = 0; i < count; at = spans[i++].end)
		if (spans[i].start != at)
			return false;
	return at == map->end;
}

static size_t largest(const struct rss_span *spans, size_t count)
{
	size_t found = 0;

	for (size_t i = 1; i < count; i++)
		if (spans[i].end - spans[i].start > spans[found].end - spans[found].start)
			found = i;
	return found;
}

/* What the others leave of the mapping's own numbers. */
static void take_rest(struct rss_span *spans, size_t count, size_t rest,
		      const struct smap *smap, uint64_t swap)
{
	uint64_t resident = smap->rss, swapped = swap;

	for (size_t i = 0; i < count; i++) {
		if (i == rest)
			continue;
		if (spans[i].resident == ARI_UNKNOWN) {
			set_all(&spans[rest], 1, ARI_UNKNOWN);
			return;
		}
		resident -= spans[i].resident < resident ? spans[i].resident : resident;
		swapped -= spans[i].swapped < swapped ? spans[i].swapped : swapped;
	}
	spans[rest].resident = resident;
	spans[rest].swapped = swapped;
}

/* The spans of one mapping; smap is NULL when it went away meanwhile. */
static bool count_mapping(struct residency *residency, const struct map *map,
			  const struct smap *smap, struct rss_span *spans, size_t count,
			  struct ari_error *err)
{
	bool covered = cover_all(map, spans, count);
	size_t rest = largest(spans, count);

	if (smap == NULL || smap->hugetlb) {
		set_all(spans, count, 0);
		return true;
	}
	for (size_t i = 0; i < count; i++)
		if ((i != rest || !covered) && !look_up(residency, &spans[i], err))
			return false;
	/* Of shared memory smaps counts what is in swap, whoever brought it there. */
	if (covered)
		take_rest(spans, count, rest, smap,
			  map->flags & MAP_IS_SHARED ? 0 : smap->swap);
	return true;
}

static bool count_mappings(struct residency *residency, const struct maps *maps,
			   const struct smaps *smaps, struct rss_span *spans,
			   size_t count, struct ari_error *err)
{
	const struct smap *last = NULL;

	for (size_t i = 0, next; i < count; i = next) {
		const struct map *map = maps_find(maps, spans[i].start);
		const struct smap *smap = smaps_find(smaps, spans[i].start);

		next = i + 1;
		while (map != NULL && next < count && spans[next].start < map->end)
			next++;
		if (map == NULL || smap == last) /* merged meanwhile: it is counted */
			set_all(&spans[i], next - i, 0);
		else if (!count_mapping(residency, map, smap, &spans[i], next - i, err))
			return false;
		last = smap == NULL ? last : smap;
	}
	return true;
}

static bool count_by_smaps(const struct target *target, struct residency *residency,
			   const struct maps *maps, struct rss_span *spans, size_t count,
			   struct ari_error *err)
{
	struct smaps smaps;
	bool done;

	if (!smaps_of(target, &smaps, err)) {
		set_all(spans, count, ARI_UNKNOWN);
		return err->code == ARI_DENIED;
	}
	done = count_mappings(residency, maps, &smaps, spans, count, err);
	smaps_done(&smaps);
	return done;
}

bool rss_count(const struct target *target, struct residency *residency,
	       const struct maps *maps, struct rss_span *spans, size_t count,
	       struct ari_error *err)
{
	if (residency->pages.fd >= 0 && residency->pages.can_scan)
		return count_by_tables(target, &residency->pages, maps, spans, count,
				       err);
	return count_by_smaps(target, residency, maps, spans, count, err);
}
