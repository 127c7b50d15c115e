// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "model/model.h"
#include "walk/tcache.h"
#include "walk/tclists.h"

#define GROUP_MAX 64 /* caches read side by side, where their lists are few */

/* Where no arena has memory nothing can be cached. */
static bool is_untouched(const struct ari_model *model)
{
	return model->arenas.count == 1 && model->arenas.at[0].system_bytes == 0;
}

/* Does the release cache at all, is that not turned off, and has malloc been called? */
static bool has_caches(const struct walk *walk)
{
	return walk->layout->members[TC_ENTRIES].size != 0 &&
	       walk->model->settings.tcache_count != 0 && !is_untouched(walk->model);
}

static void set_count(struct ari_model *model, size_t row, uint64_t value)
{
	if (row < model->threads.count)
		model->threads.at[row].tcache = (struct ari_chunks){ value, value };
}

/* Threads' caches, some at a time. */
struct reading {
	struct tclists *lists;
	struct tclists_cache group[GROUP_MAX];
	size_t count, room;
	struct marks *marks;
	struct ari_model *model; /* NULL: only marks are wanted */
	struct tcaches found;
};

static bool reading_open(const struct walk *walk, struct marks *marks,
			 struct reading *ret, struct ari_error *err)
{
	*ret = (struct reading){ .marks = marks };
	if (!tclists_open(walk, &ret->lists, err))
		return false;
	ret->room = tclists_room(ret->lists);
	if (ret->room > GROUP_MAX)
		ret->room = GROUP_MAX;
	return true;
}

/* A cache is known, or a thread is known to have none. */
static void settle(struct reading *reading, size_t row, bool known, bool whole)
{
	reading->found.partial += !whole;
	if (known && reading->model != NULL)
		set_count(reading->model, row, 0);
}

static bool read_group(struct reading *reading, struct ari_error *err)
{
	if (!tclists_read(reading->lists, reading->group, reading->count, reading->marks,
			  err))
		return false;
	for (size_t i = 0; i < reading->count; i++) {
		const struct tclists_cache *cache = &reading->group[i];

		reading->found.known |= cache->read;
		settle(reading, cache->row, cache->read, cache->whole);
	}
	reading->count = 0;
	return true;
}

/* Of others, and of those that ended, nothing follows for the rest. */
static bool is_of_glibc(const struct thread_place *place)
{
	return place->pthread != 0 || place->arena != 0;
}

static bool read_row(struct reading *reading, const struct thread_place *place,
		     size_t row, struct ari_error *err)
{
	if (place->tcache == 0 || place->tcache == ARI_UNKNOWN) {
		reading->found.known |= place->tcache == 0 && is_of_glibc(place);
		settle(reading, row, place->tcache == 0, place->tcache == 0);
		return true;
	}
	reading->group[reading->count++] =
		(struct tclists_cache){ .address = place->tcache,
					.row = (unsigned int)row };
	return reading->count < reading->room || read_group(reading, err);
}

/* chosen: a flag for each thread; NULL: all. */
static bool read_threads(const struct walk *walk, struct reading *reading,
			 const bool *chosen, struct ari_error *err)
{
	for (size_t row = 0; row < walk->threads.count; row++) {
		if (chosen != NULL && !chosen[row])
			continue;
		if (!read_row(reading, &walk->threads.at[row], row, err))
			return false;
	}
	return deadline_ok(walk->deadline, err) && read_group(reading, err);
}

static bool note_partial(struct walk *walk, const struct tcaches *tcaches,
			 struct ari_error *err)
{
	if (tcaches->partial == 0)
		return true;
	if (!tcaches->known)
		return model_add_note(walk->model, err,
				      "no thread's cache (tcache) can be found: chunks "
				      "in them count as in use");
	return model_add_note(walk->model, err,
			      "%zu of %zu threads' caches (tcache) could not be read, or "
			      "changed while they were: chunks in them may count as in "
			      "use",
			      tcaches->partial, walk->threads.count);
}

/* Chunks are in no cache: there are none, or no chunks. */
static void set_none(struct walk *walk, struct tcaches *tcaches)
{
	tcaches->known = true;
	for (size_t row = 0; row < walk->model->threads.count; row++)
		set_count(walk->model, row, 0);
}

bool walk_tcaches(struct walk *walk, struct tcaches *ret, struct ari_error *err)
{
	struct tcaches tcaches = { 0 };
	struct reading reading;
	bool done;

	if (!has_caches(walk)) {
		set_none(walk, &tcaches);
		*ret = tcaches;
		return true;
	}
	if (!reading_open(walk, &tcaches.marks, &reading, err))
		return false;
	reading.model = walk->model;
	done = read_threads(walk, &reading, NULL, err);
	tclists_close(reading.lists);
	tcaches.partial = reading.found.partial;
	tcaches.known =
		reading.found.known || (tcaches.partial == 0 && walk->threads.count > 0);
	if (!done || !note_partial(walk, &tcaches, err)) {
		tcaches_done(&tcaches);
		tcaches_forget(walk->model);
		return false;
	}
	marks_sort(&tcaches.marks);
	*ret = tcaches;
	return true;
}

void tcaches_done(struct tcaches *tcaches)
{
	marks_done(&tcaches->marks);
}

/* ---- of one arena ---- */

/* The marks from the first in the heap to the last. */
static const struct mark *slice(const struct marks *marks, const struct ari_heap *heap,
				size_t *ret_count)
{
	uint64_t end = heap->address + heap->mprotect_bytes;
	size_t from =
		(size_t)(1 + list_floor(marks->list.at, marks->list.count,
					sizeof(struct mark),
					offsetof(struct mark, address), heap->address));
	size_t to = (size_t)(1 + list_floor(marks->list.at, marks->list.count,
					    sizeof(struct mark),
					    offsetof(struct mark, address), end - 1));

	*ret_count = to > from ? to - from : 0;
	return marks->list.at + from;
}

static bool append_slice(const struct marks *from, const struct ari_heap *heap,
			 struct marks *to, struct ari_error *err)
{
	size_t count;
	const struct mark *at = slice(from, heap, &count);

	for (size_t i = 0; i < count; i++) {
		struct mark *mark = list_add(&to->list, err);

		if (mark == NULL)
			return false;
		*mark = at[i];
	}
	return true;
}

static bool merge_slices(const struct marks *from, const struct ari_arena *arena,
			 struct marks *marks, struct ari_error *err)
{
	struct marks own = { 0 };
	bool done = true;

	for (size_t i = 0; i < arena->heaps.count && done; i++)
		done = append_slice(from, &arena->heaps.at[i], &own, err);
	if (arena->heaps.count > 1)
		marks_sort(&own);
	done = done && marks_merge(marks, own.list.at, own.list.count, err);
	marks_done(&own);
	return done;
}

/* Whose caches concern the arena: those attached to it, and those that held a chunk. */
static void choose_threads(const struct walk *walk, const struct ari_arena *arena,
			   bool *chosen)
{
	for (size_t row = 0; row < walk->threads.count; row++)
		chosen[row] = walk->threads.at[row].arena == arena->address;
	for (size_t i = 0; i < arena->heaps.count; i++) {
		size_t count;
		const struct mark *at =
			slice(&walk->tcaches->marks, &arena->heaps.at[i], &count);

		for (size_t n = 0; n < count; n++)
			chosen[at[n].index] = true;
	}
}

static bool has_marks(const struct walk *walk)
{
	return tcaches_known(walk->tcaches) && walk->threads.count > 0 &&
	       has_caches(walk);
}

static bool read_anew(const struct walk *walk, const struct ari_arena *arena,
		      struct marks *ret, struct ari_error *err)
{
	autofree bool *chosen = calloc(walk->threads.count + 1, sizeof(*chosen));
	struct marks fresh = { 0 };
	struct reading reading;
	bool done;

	if (chosen == NULL)
		return fail_memory(err);
	choose_threads(walk, arena, chosen);
	if (!reading_open(walk, &fresh, &reading, err))
		return false;
	done = read_threads(walk, &reading, chosen, err);
	tclists_close(reading.lists);
	if (!done) {
		marks_done(&fresh);
		return false;
	}
	marks_sort(&fresh);
	*ret = fresh;
	return true;
}

bool tcaches_read_anew(const struct walk *walk, const struct ari_arena *arena,
		       struct marks *ret, struct ari_error *err)
{
	return !has_marks(walk) || read_anew(walk, arena, ret, err);
}

bool tcaches_mark(const struct walk *walk, const struct ari_arena *arena,
		  const struct marks *anew, struct marks *marks, struct ari_error *err)
{
	return !has_marks(walk) ||
	       merge_slices(anew != NULL ? anew : &walk->tcaches->marks, arena, marks,
			    err);
}

void tcaches_count(struct ari_model *model, const struct marks *marks, bool known)
{
	for (size_t i = 0; i < marks->list.count; i++) {
		const struct mark *mark = &marks->list.at[i];
		struct ari_chunks *tcache;

		if (mark->list != MARK_TCACHE || mark->index >= model->threads.count ||
		    (known && !mark->met))
			continue;
		tcache = &model->threads.at[mark->index].tcache;
		if (!known) {
			*tcache = (struct ari_chunks){ ARI_UNKNOWN, ARI_UNKNOWN };
		} else if (tcache->chunks != ARI_UNKNOWN) {
			tcache->chunks++;
			tcache->bytes += mark->bytes;
		}
	}
}

void tcaches_forget(struct ari_model *model)
{
	for (size_t row = 0; row < model->threads.count; row++)
		set_count(model, row, ARI_UNKNOWN);
}
