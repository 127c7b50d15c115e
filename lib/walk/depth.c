// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "base/list.h"
#include "walk/depth.h"
#include "walk/tcache.h"

#define TRIES	     8
#define RETRY_FOR_NS ((uint64_t)2000000000) /* no new attempt later than this */

/* What a heap, or a segment of main, is to the walk of its chunks. */
static struct segment segment_of(const struct arena_visit *visit, size_t index)
{
	const struct layout *layout = visit->walk->layout;
	const struct ari_arena *arena = visit->arena;
	const struct ari_heap *heap = &arena->heaps.at[index];
	bool is_main = arena->kind == ARI_ARENA_MAIN;
	bool newest = index + 1 == arena->heaps.count;
	uint64_t head = 0;
	struct segment segment = {
		.kind = is_main ? SEGMENT_BRK : SEGMENT_HEAP,
		.from = heap->address,
		.to = heap->address + heap->mprotect_bytes,
		.end = heap->address + heap->bytes,
		.mapped = visit->mapped,
	};

	if (heap->bytes == ARI_UNKNOWN) {
		segment.kind = SEGMENT_PIECES;
		segment.end = segment.to;
	}
	if (!is_main)
		head = layout->bytes[HEAP_INFO];
	if (!is_main && heap->address + head == arena->address)
		head += layout->bytes[MALLOC_STATE];
	segment.first = round_up(heap->address + head, CHUNK_ALIGN);
	segment.unmaps = !is_main && index > 0;
	if (newest && arena->top.address != ARI_UNKNOWN) {
		segment.top = arena->top.address;
		segment.top_bytes = arena->top.bytes;
	}
	return segment;
}

/* A top that does not lie where it must: its heap is walked to the end. */
static void check_segment(struct segment *segment)
{
	if (segment->top < segment->first || segment->top > segment->end ||
	    segment->top_bytes > segment->end - segment->top)
		segment->top = segment->top_bytes = 0;
	if (segment->first > segment->end)
		segment->first = segment->end;
}

/*
 * An arena that says it has more than is mapped bounds nothing, and nothing will be
 * said of its chunks: its lists are not followed.
 */
static bool is_bounded(const struct arena_visit *visit)
{
	return visit->arena->system_bytes != ARI_UNKNOWN;
}

static uint64_t marks_most(const struct walk *walk)
{
	return walk->marks_most == 0 ? MARKS_MOST : walk->marks_most;
}

static struct marks_bounds bounds_of(const struct arena_visit *visit)
{
	return (struct marks_bounds){
		.chunks = visit->before.system_mem / CHUNK_MIN,
		.marks = marks_most(visit->walk),
		.deadline = visit->walk->deadline,
	};
}

/* The members of all bins, for the first walk that asks; later ones share them. */
static bool get_anchors(void *data, const struct marks **ret, struct ari_error *err)
{
	struct arena_visit *visit = data;
	struct marks_bounds bounds = bounds_of(visit);
	bool done = true;

	pthread_mutex_lock(&visit->lock);
	if (!visit->has_anchors) {
		done = peek_open(visit->walk->mem, &visit->anchors_peek, err);
		if (done && is_bounded(visit))
			done = marks_read_bins(&visit->anchors_peek, &visit->state,
					       &bounds, &visit->anchors, err);
		peek_close(&visit->anchors_peek);
		visit->has_anchors = done;
	}
	pthread_mutex_unlock(&visit->lock);
	*ret = &visit->anchors;
	return done;
}

static bool collect(struct arena_visit *visit, const struct chunk_walk *chunks,
		    struct ari_error *err)
{
	tally_add(&visit->tally, &chunks->tally);
	visit->torn |= chunks->torn;
	for (size_t i = 0; i < chunks->damages; i++) {
		struct chunk_damage *damage = list_add(&visit->damage, err);

		if (damage == NULL)
			return false;
		*damage = chunks->damage[i];
	}
	for (size_t i = 0; i < chunks->pieces.count; i++) {
		struct piece *piece = list_add(&visit->pieces, err);

		if (piece == NULL)
			return false;
		*piece = chunks->pieces.at[i];
	}
	return true;
}

static void prepare(struct worker *worker, struct arena_visit *visit, size_t slot,
		    const struct segment *segment)
{
	struct chunk_walk *chunks = &worker->chunks[slot];

	chunks->layout = visit->walk->layout;
	chunks->reader = &worker->readers[slot];
	chunks->marks = &visit->marks;
	chunks->anchors = (struct anchors){ get_anchors, visit };
	chunks->segment = segment;
	chunks->rules = &visit->rules;
	/* Pieces are proven on the way, and what could go back must be known. */
	chunks->pins_wanted = visit->walk->pins;
	if (segment->kind == SEGMENT_PIECES || visit->walk->locked == NULL)
		chunks->pins_wanted = 0;
	/* Which of their pages are main's, pieces do not know before they are walked. */
	chunks->runs_wanted = visit->walk->runs && segment->kind != SEGMENT_PIECES;
	chunks->deadline = visit->walk->deadline;
}

static bool take_pins(const struct pins *pins, bool knows_caches, struct ari_heap *heap,
		      struct ari_error *err)
{
	heap->pins.known = true;
	for (size_t i = 0; i < pins->count; i++) {
		struct ari_pin *pin = list_add(&heap->pins, err);

		if (pin == NULL)
			return false;
		*pin = pins->at[i];
		if (!knows_caches)
			pin->cached = ARI_MAYBE;
	}
	return true;
}

static struct runs_view runs_view(struct worker *worker, const struct arena_visit *visit,
				  uint64_t heap, const struct reader *reader)
{
	const struct map *map;
	struct runs_view view = {
		.resident_known = reader->all.untold == 0,
		.trim_known = visit->walk->locked != NULL,
	};

	crew_lock(worker->crew);
	map = maps_find(visit->walk->mem->maps, heap);
	view.hugetlb = map != NULL && map_is_hugetlb(map);
	crew_unlock(worker->crew);
	return view;
}

/* All heaps together have RUNS_MOST at most; one that does not fit in has none. */
static void account_runs(struct worker *worker, struct arena_visit *visit,
			 struct ari_heap *heap)
{
	struct walk *walk = visit->walk;

	crew_lock(worker->crew);
	if (!heap->runs.known || heap->runs.count > RUNS_MOST - walk->runs_made) {
		list_done(&heap->runs);
		walk->runs_refused = true;
	}
	walk->runs_made += heap->runs.count;
	crew_unlock(worker->crew);
}

static bool take_runs(struct worker *worker, struct arena_visit *visit,
		      struct chunk_walk *chunks, struct ari_heap *heap,
		      struct ari_error *err)
{
	struct runs_view view = runs_view(worker, visit, heap->address, chunks->reader);

	if (!runs_fill(&chunks->runs, &chunks->reader->kept, &view, heap, err))
		return false;
	account_runs(worker, visit, heap);
	return true;
}

static void forget_runs(struct worker *worker, struct arena_visit *visit)
{
	struct ari_arena *arena = visit->arena;

	crew_lock(worker->crew);
	for (size_t i = 0; i < arena->heaps.count; i++) {
		visit->walk->runs_made -= arena->heaps.at[i].runs.count;
		list_done(&arena->heaps.at[i].runs);
	}
	crew_unlock(worker->crew);
}

static bool take_walk(struct worker *worker, struct arena_visit *visit, size_t slot,
		      size_t heap, struct ari_error *err)
{
	struct chunk_walk *chunks = &worker->chunks[slot];
	const struct reader *reader = chunks->reader;
	bool done;

	depth_take_counts(reader, &visit->arena->heaps.at[heap]);
	if (chunks->last_chunk.address != 0 && reader->all.untold == 0 &&
	    visit->walk->locked != NULL)
		visit->arena->heaps.at[heap].last_chunk = chunks->last_chunk;
	if (chunks->pins.wanted != 0 && reader->all.untold == 0 &&
	    !take_pins(&chunks->pins, tcaches_known(visit->walk->tcaches),
		       &visit->arena->heaps.at[heap], err))
		return false;
	if (chunks->runs_wanted &&
	    !take_runs(worker, visit, chunks, &visit->arena->heaps.at[heap], err))
		return false;
	pthread_mutex_lock(&visit->lock);
	done = collect(visit, chunks, err);
	visit->untold |= reader->all.untold != 0;
	visit->unseen |= reader->all.unseen != 0;
	visit->top_resident += reader->top.resident;
	pthread_mutex_unlock(&visit->lock);
	return done;
}

bool depth_walk_heaps(struct worker *worker, struct arena_visit *visit,
		      const size_t *heaps, size_t count, struct ari_error *err)
{
	struct chunk_walk *chunks = worker->chunks;
	struct segment segments[2];

	for (size_t i = 0; i < count; i++) {
		segments[i] = segment_of(visit, heaps[i]);
		check_segment(&segments[i]);
		prepare(worker, visit, i, &segments[i]);
	}
	if (count == 2 && segments[0].kind == SEGMENT_HEAP)
		return walk_chunks_of_two(&chunks[0], &chunks[1], err) &&
		       take_walk(worker, visit, 0, heaps[0], err) &&
		       take_walk(worker, visit, 1, heaps[1], err);
	for (size_t i = 0; i < count; i++)
		if (!walk_chunks(&chunks[i], err) ||
		    !take_walk(worker, visit, i, heaps[i], err))
			return false;
	return true;
}

/*
 * What the runs say and what the books say are two sums of the same: where there is no
 * sum, or of an arena that moved too much, they are not known either.
 */
static bool runs_hold(const struct arena_visit *visit)
{
	const struct ari_arena *arena = visit->arena;
	bool has_books = !visit->untold && visit->walk->locked != NULL;

	if (arena->state == ARI_STATE_TORN || arena->in_use_bytes == ARI_UNKNOWN)
		return false;
	return !has_books || arena->resident.trimmable_bytes != ARI_UNKNOWN;
}

static void visit_done(struct arena_visit *visit)
{
	marks_done(&visit->marks);
	marks_done(&visit->cached);
	marks_done(&visit->anchors);
	list_done(&visit->damage);
	list_done(&visit->pieces);
	pthread_mutex_destroy(&visit->lock);
}

static void set_rules(struct arena_visit *visit)
{
	const struct walk *walk = visit->walk;
	const struct ari_settings *settings = &walk->model->settings;
	struct trim_rules *rules = &visit->rules;

	rules->skips = arena_is_corrupt(walk, &visit->before);
	rules->is_main = visit->arena->kind == ARI_ARENA_MAIN;
	rules->step = walk->mem->page_bytes;
	/* systrim() of 2.35 and later; heaps of threads since 2.43 */
	if (settings->thp_page_bytes != ARI_UNKNOWN && settings->thp_page_bytes != 0)
		rules->step = settings->thp_page_bytes;
	if (rules->is_main)
		rules->brk_end = walk_brk_end(walk);
	rules->threshold = settings->trim_threshold_bytes;
	rules->top_pad = settings->top_pad_bytes;
	if (walk->locked != NULL) {
		rules->locked = walk->locked->list.at;
		rules->locked_count = walk->locked->list.count;
	}
}

/*
 * By the mappings, which may be older than the arena is now: where a heap has gone since,
 * the look behind tells that the arena has moved.
 */
static bool is_mapped(const struct arena_visit *visit)
{
	const struct ari_arena *arena = visit->arena;

	for (size_t i = 0; i < arena->heaps.count; i++) {
		const struct ari_heap *heap = &arena->heaps.at[i];

		if (heap->mprotect_bytes == ARI_UNKNOWN ||
		    !maps_is_plain(visit->walk->mem->maps, heap->address,
				   heap->mprotect_bytes))
			return false;
	}
	return true;
}

/* The headers, and what else is told by the mappings, under the crew's lock. */
static bool begin(struct worker *worker, struct arena_visit *visit, bool again,
		  struct ari_error *err)
{
	struct walk *walk = visit->walk;
	bool done;

	crew_lock(worker->crew);
	done = (!again || walk->mem->ops->refresh(walk->mem, err)) &&
	       arena_begin(walk, visit->arena, &visit->state, &visit->before, err);
	if (done) {
		set_rules(visit);
		visit->mapped = is_mapped(visit);
	}
	walk->model->quality.retries += again;
	crew_unlock(worker->crew);
	return done;
}

static bool end(struct worker *worker, struct arena_visit *visit, struct ari_error *err)
{
	bool done;

	crew_lock(worker->crew);
	done = arena_end(visit->walk, visit->arena, &visit->before, err);
	crew_unlock(worker->crew);
	return done;
}

static bool look_at_arena(struct worker *worker, struct arena_visit *visit, bool again,
			  struct ari_error *err)
{
	const struct walk *walk = visit->walk;
	struct marks_bounds bounds;

	if (!deadline_ok(walk->deadline, err) ||
	    (again && !tcaches_read_anew(walk, visit->arena, &visit->cached, err)) ||
	    !begin(worker, visit, again, err))
		return false;
	if (visit->arena->state == ARI_STATE_TORN)
		return true; /* its state cannot be read */
	bounds = bounds_of(visit);
	return (!is_bounded(visit) ||
		marks_read(&worker->peek, &visit->state, &bounds, &visit->marks, err)) &&
	       tcaches_mark(walk, visit->arena, again ? &visit->cached : NULL,
			    &visit->marks, err) &&
	       crew_walk_heaps(worker, visit, err) && end(worker, visit, err) &&
	       depth_settle(worker, visit, err);
}

/* An attempt begins the arena anew, and what was said of its pages. */
static bool attempt(struct worker *worker, struct arena_visit *visit, bool again,
		    struct ari_error *err)
{
	forget_runs(worker, visit);
	if (!look_at_arena(worker, visit, again, err))
		return false;
	if (!runs_hold(visit))
		forget_runs(worker, visit);
	return true;
}

/*
 * Nothing more to gain: the arena was at rest, or its lock is held by somebody
 * who does nothing, or the same damage shows again.
 */
static bool is_final(const struct ari_arena *arena, uint64_t astray,
		     uint64_t astray_before, size_t damage_before)
{
	if (astray != astray_before && astray != 0)
		return false;
	if (arena->damage.count > 0)
		return arena->damage.count == damage_before;
	return arena->state != ARI_STATE_TORN;
}

/* What was met of threads' caches; where the arena has no numbers, theirs are lost. */
static void count_for_threads(struct worker *worker, const struct arena_visit *visit)
{
	crew_lock(worker->crew);
	tcaches_count(visit->walk->model, &visit->marks,
		      visit->arena->tcache.bytes != ARI_UNKNOWN);
	crew_unlock(worker->crew);
}

/* Beyond what is kept, chunks of the lists are what they look like without them. */
static bool note_cut(struct worker *worker, const struct arena_visit *visit,
		     struct ari_error *err)
{
	bool done;

	if (!visit->marks.cut)
		return true;
	crew_lock(worker->crew);
	done = model_add_note(visit->walk->model, err,
			      "arena %" PRIu64 ": its fastbins and its unsorted bin list "
			      "more than %" PRIu64 " chunks; further ones of fastbins "
			      "count as in use, of the unsorted bin as of their sizes' "
			      "bins",
			      visit->arena->index, marks_most(visit->walk));
	crew_unlock(worker->crew);
	return done;
}

bool depth_visit_arena(struct worker *worker, struct ari_arena *arena,
		       struct ari_error *err)
{
	uint64_t begun = clock_monotonic_ns();
	size_t damage_before = 0;
	uint64_t astray_before = 0;

	for (unsigned int i = 0;; i++) {
		struct arena_visit visit = { .walk = crew_walk(worker->crew),
					     .arena = arena,
					     .astray_before = astray_before,
					     .lock = PTHREAD_MUTEX_INITIALIZER };
		bool done = attempt(worker, &visit, i > 0, err);
		uint64_t astray = visit.marks.astray;
		bool final = is_final(arena, astray, astray_before, damage_before) ||
			     i + 1 == TRIES ||
			     clock_monotonic_ns() - begun > RETRY_FOR_NS;

		if (done && final) {
			count_for_threads(worker, &visit);
			done = note_cut(worker, &visit, err);
		}
		visit_done(&visit);
		if (!done || final)
			return done;
		damage_before = arena->damage.count;
		astray_before = astray;
		arena_pause(i / 2);
	}
}
