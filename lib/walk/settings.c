// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "mem/view.h"
#include "walk/walk.h"

#define ARENAS_PER_PROCESSOR 8 /* NARENAS_FROM_NCORES of 64-bit machines */

/* mp_'s plain numbers and where they go. */
// clang-format off
static const struct setting {
	enum layout_member member;
	size_t offset;
} settings[] = {
#define SETTING(member, to) { member, offsetof(struct ari_settings, to) }
	SETTING(MP_ARENA_MAX, arena_max),
	SETTING(MP_ARENA_TEST, arena_test),
	SETTING(MP_MMAP_THRESHOLD, mmap_threshold_bytes),
	SETTING(MP_TRIM_THRESHOLD, trim_threshold_bytes),
	SETTING(MP_TOP_PAD, top_pad_bytes),
	SETTING(MP_N_MMAPS_MAX, mmaps_max),
	SETTING(MP_TCACHE_MAX_BYTES, tcache_max_bytes),
	SETTING(MP_TCACHE_COUNT, tcache_count),
	SETTING(MP_THP_PAGESIZE, thp_page_bytes),
	SETTING(MP_HP_PAGESIZE, huge_page_bytes),
#undef SETTING
};
// clang-format on

/* Counted by malloc without a lock since 2.26: a moment's number. */
static void take_mmapped(struct walk *walk, const struct view *mp)
{
	struct ari_totals *totals = &walk->model->totals;
	uint64_t chunks = view_word(mp, MP_N_MMAPS);
	uint64_t bytes = view_word(mp, MP_MMAPPED_MEM);

	if (chunks <= INT32_MAX && bytes <= maps_bytes(walk->mem->maps)) {
		totals->mmapped_chunks = chunks;
		totals->mmapped_bytes = bytes;
	}
}

bool walk_count_mmapped(struct walk *walk, struct ari_error *err)
{
	struct view mp;

	if (!view_load(&mp, walk->mem, walk->layout, MALLOC_PAR,
		       walk->symbols->address[SYM_MP], err))
		return mem_is_fault(err);
	take_mmapped(walk, &mp);
	return true;
}

bool walk_settings(struct walk *walk, struct ari_error *err)
{
	struct ari_settings *to = &walk->model->settings;
	struct view mp;
	uint64_t fixed;

	if (!view_load(&mp, walk->mem, walk->layout, MALLOC_PAR,
		       walk->symbols->address[SYM_MP], err)) {
		if (mem_is_fault(err))
			err->code = ARI_UNSTABLE;
		return false;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		*(uint64_t *)((char *)to + settings[i].offset) =
			view_word(&mp, settings[i].member);
	fixed = view_word(&mp, MP_NO_DYN_THRESHOLD);
	to->thresholds_dynamic = fixed > 1 ? ARI_MAYBE : fixed == 0 ? ARI_YES : ARI_NO;
	walk->heap_span = layout_heap_span(walk->layout, to->huge_page_bytes);
	walk->sbrk_base = view_word(&mp, MP_SBRK_BASE);
	take_mmapped(walk, &mp);
	return true;
}

static void set_limit(struct ari_settings *settings, uint64_t limit,
		      enum ari_limit_source source)
{
	settings->arena_limit = limit;
	settings->arena_limit_source = source;
}

/* A limit that nobody set is so many for each processor. */
static void set_limit_of_processors(struct ari_settings *settings, uint64_t limit,
				    enum ari_limit_source source)
{
	set_limit(settings, limit, source);
	if (settings->arena_max == 0 && limit % ARENAS_PER_PROCESSOR == 0)
		settings->arena_limit_processors = limit / ARENAS_PER_PROCESSOR;
}

/*
 * arena_get2() computes the limit only once the arenas outnumber arena_test, and
 * keeps it in a static of its own; arena_max, when set, is the limit at once.
 */
bool walk_limit(struct walk *walk, struct ari_error *err)
{
	struct ari_settings *settings = &walk->model->settings;
	uint64_t at = walk->symbols->address[SYM_NARENAS_LIMIT], limit = 0;

	if (settings->arena_max != 0 && settings->arena_max != ARI_UNKNOWN) {
		set_limit(settings, settings->arena_max, ARI_LIMIT_ARENA_MAX);
		return true;
	}
	if (at != 0) {
		if (!mem_read_word(walk->mem, at, &limit, err))
			return mem_is_fault(err);
		if (limit != 0) {
			set_limit_of_processors(settings, limit, ARI_LIMIT_READ);
			return true;
		}
	}
	/*
	 * Not computed, or its symbol is missing.  While the arenas are that few there is
	 * none; one more, and the next thread that wants an arena has it computed.
	 */
	if (walk->model->arenas.count <= settings->arena_test)
		set_limit(settings, ARI_UNKNOWN, ARI_LIMIT_NOT_COMPUTED);
	else if (walk->processors != 0)
		set_limit_of_processors(settings, ARENAS_PER_PROCESSOR * walk->processors,
					ARI_LIMIT_ESTIMATED);
	return true;
}
