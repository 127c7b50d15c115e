// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "base/error.h"
#include "base/list.h"
#include "base/set.h"
#include "model/model.h"
#include "walk/arenas.h"

/* What is compared before and after, and what the walks go by. */
static void take_state(const struct view *view, struct arena_state *ret)
{
	*ret = (struct arena_state){
		.address = view->address,
		.mutex = view_word(view, MS_MUTEX),
		.flags = view_word(view, MS_FLAGS),
		.top = view_word(view, MS_TOP),
		.system_mem = view_word(view, MS_SYSTEM_MEM),
	};
}

static bool take_numbers(const struct maps *maps, const struct view *view,
			 struct ari_arena *arena, struct ari_error *err)
{
	uint64_t attached = view_word(view, MS_ATTACHED_THREADS);
	uint64_t system = view_word(view, MS_SYSTEM_MEM);

	arena->locked = view_word(view, MS_MUTEX) != 0 ? ARI_YES : ARI_NO;
	arena->last_remainder = view_word(view, MS_LAST_REMAINDER);
	if (system <= maps_bytes(maps)) {
		arena->system_bytes = system;
		arena->max_system_bytes = view_word(view, MS_MAX_SYSTEM_MEM);
	} else if (!model_add_damage(arena, SYSTEM_IMPOSSIBLE, arena->address, err)) {
		return false;
	}
	if (view_has(view, MS_ATTACHED_THREADS) && attached > ARENA_THREADS_MAX)
		return model_add_damage(arena, ATTACHED_IMPOSSIBLE, arena->address, err);
	arena->attached_threads = attached;
	if (attached != ARI_UNKNOWN)
		arena->idle = attached == 0 ? ARI_YES : ARI_NO;
	return true;
}

static bool same_state(const struct arena_state *a, const struct arena_state *b)
{
	return a->mutex == b->mutex && a->flags == b->flags && a->top == b->top &&
	       a->system_mem == b->system_mem;
}

static uint64_t sum_of_heaps(const struct ari_arena *arena)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < arena->heaps.count; i++)
		if (arena->heaps.at[i].bytes == ARI_UNKNOWN ||
		    __builtin_add_overflow(sum, arena->heaps.at[i].bytes, &sum))
			return ARI_UNKNOWN;
	return sum;
}

/* glibc's books hold: the heaps add up to system_mem, and top ends the newest. */
static bool books_hold(const struct ari_arena *arena, const struct arena_state *state)
{
	const struct ari_heap *newest;
	uint64_t sum = sum_of_heaps(arena);

	if (arena->kind == ARI_ARENA_MAIN &&
	    (arena_is_noncontiguous(state) || arena->heaps.count == 0))
		return true;
	if (arena->heaps.count == 0 || sum != state->system_mem)
		return false;
	newest = &arena->heaps.at[arena->heaps.count - 1];
	return arena->top.bytes == ARI_UNKNOWN || /* its header is in swap */
	       arena->top.address + arena->top.bytes == newest->address + newest->bytes;
}

static void reset(struct ari_arena *arena, uint64_t index, uint64_t address)
{
	model_clear_arena(arena);
	arena->index = index;
	arena->address = address;
	arena->kind = index == 0 ? ARI_ARENA_MAIN : ARI_ARENA_THREAD;
	arena->damage.known = true;
}

bool arena_begin(struct walk *walk, struct ari_arena *arena, struct view *ret_view,
		 struct arena_state *ret, struct ari_error *err)
{
	uint64_t index = arena->index, address = arena->address;

	reset(arena, index, address);
	if (!view_load(ret_view, walk->mem, walk->layout, MALLOC_STATE, address, err)) {
		*ret = (struct arena_state){ .address = address };
		arena->state = ARI_STATE_TORN;
		return mem_is_fault(err) &&
		       model_add_damage(arena, ARENA_UNREADABLE, err->address, err);
	}
	take_state(ret_view, ret);
	if (!take_numbers(walk->mem->maps, ret_view, arena, err) ||
	    !walk_top(walk, ret, arena, err))
		return false;
	return index == 0 ? walk_segments(walk, ret_view, ret, arena, err)
			  : walk_heaps(walk, ret, arena, err);
}

bool arena_end(struct walk *walk, struct ari_arena *arena,
	       const struct arena_state *before, struct ari_error *err)
{
	struct arena_state after;
	struct view again;

	if (arena->state == ARI_STATE_TORN)
		return true; /* could not even begin */
	if (!view_load(&again, walk->mem, walk->layout, MALLOC_STATE, arena->address,
		       err)) {
		arena->state = ARI_STATE_TORN;
		return mem_is_fault(err) &&
		       model_add_damage(arena, ARENA_UNREADABLE, err->address, err);
	}
	take_state(&again, &after);
	arena->state = before->mutex != 0 || after.mutex != 0 ? ARI_STATE_BUSY
							      : ARI_STATE_STEADY;
	if (!same_state(before, &after) || !books_hold(arena, before))
		arena->state = ARI_STATE_TORN;
	return true;
}

void arena_pause(unsigned int attempt)
{
	nanosleep(&(struct timespec){ 0, 200000L << attempt }, NULL);
}

/*
 * Reads one arena's headers, again while it moves.  A torn arena keeps the
 * numbers of the last attempt, each of which was true at some moment.
 */
static bool read_arena(struct walk *walk, struct ari_arena *arena, uint64_t *ret_next,
		       struct ari_error *err)
{
	struct arena_state state;
	struct view view;

	for (unsigned int attempt = 0;; attempt++) {
		if (!deadline_ok(walk->deadline, err) ||
		    !arena_begin(walk, arena, &view, &state, err) ||
		    !arena_end(walk, arena, &state, err))
			return false;
		if ((arena->state == ARI_STATE_STEADY && arena->damage.count == 0) ||
		    attempt + 1 >= walk->tries)
			break;
		walk->model->quality.retries++;
		arena_pause(attempt);
		if (!walk->mem->ops->refresh(walk->mem, err))
			return false;
	}
	*ret_next = arena->system_bytes == ARI_UNKNOWN && arena->locked == ARI_MAYBE
			    ? 0
			    : view_word(&view, MS_NEXT);
	return true;
}

bool arena_is(struct walk *walk, uint64_t address, bool *ret, struct ari_error *err)
{
	uint64_t heap = address & ~(walk->heap_span - 1);
	struct view info;

	*ret = false;
	if (address - heap != walk->layout->bytes[HEAP_INFO])
		return true;
	if (!view_load(&info, walk->mem, walk->layout, HEAP_INFO, heap, err)) {
		*ret = err->code == ARI_SWAPPED;
		return mem_is_fault(err);
	}
	*ret = view_word(&info, HI_AR_PTR) == address;
	return true;
}

/* Where the ring ends that does not close; told by walk_finish(). */
static bool ring_breaks(struct walk *walk, const struct ari_arena *arena, enum damage id,
			uint64_t address)
{
	walk->ring_break = (struct ring_break){ true, arena->index, id, address };
	return true;
}

/* Is `next` a member of the ring not yet seen?  *ret says so. */
static bool check_next(struct walk *walk, struct set *seen, uint64_t next,
		       const struct ari_arena *arena, bool *ret, struct ari_error *err)
{
	bool found;

	*ret = false;
	if (set_find(seen, next, NULL))
		return ring_breaks(walk, arena, RING_LOOPS, next);
	if (seen->count > maps_spans(walk->mem->maps, walk->heap_span))
		return ring_breaks(walk, arena, RING_TOO_LONG, next);
	if (!arena_is(walk, next, &found, err))
		return false;
	if (!found)
		return ring_breaks(walk, arena, RING_LEADS_ASTRAY, next);
	*ret = true;
	return set_add(seen, next, seen->count, err);
}

static bool follow_ring(struct walk *walk, struct set *seen, struct ari_error *err)
{
	uint64_t main_arena = walk->symbols->address[SYM_MAIN_ARENA], next = main_arena;
	bool more = set_add(seen, main_arena, 0, err);

	if (!more)
		return false;
	while (more) {
		struct ari_arena *arena = model_add_arena(walk->model, err);

		if (arena == NULL)
			return false;
		arena->index = walk->model->arenas.count - 1;
		arena->address = next;
		if (!read_arena(walk, arena, &next, err))
			return false;
		if (next == main_arena)
			return true;
		if (arena->system_bytes == ARI_UNKNOWN && arena->locked == ARI_MAYBE)
			break;
		if (!check_next(walk, seen, next, arena, &more, err))
			return false;
	}
	fail_at(&walk->model->stopped, ARI_UNSTABLE, next,
		"the ring of arenas does not come back to main_arena (see damage)");
	return true;
}

bool walk_arenas(struct walk *walk, struct ari_error *err)
{
	struct ari_arena *main_arena;
	struct set seen = { 0 };
	bool done;

	walk->model->quality.retries = 0;
	done = follow_ring(walk, &seen, err);
	set_done(&seen);
	if (!done)
		return false;
	main_arena = &walk->model->arenas.at[0];
	if (main_arena->system_bytes == ARI_UNKNOWN)
		return fail_at(err, ARI_UNSTABLE, main_arena->address,
			       "main_arena cannot be read");
	return true;
}

/* The addresses of the arenas, and how many of them no thread is attached to. */
static bool index_arenas(const struct ari_model *model, struct set *arenas,
			 size_t *ret_idle, struct ari_error *err)
{
	*ret_idle = 0;
	for (size_t i = 0; i < model->arenas.count; i++) {
		*ret_idle += model->arenas.at[i].idle == ARI_YES;
		if (!set_add(arenas, model->arenas.at[i].address, i, err))
			return false;
	}
	return true;
}

static bool follow_free_list(struct walk *walk, const struct set *arenas, uint64_t next,
			     size_t *ret_listed, struct ari_error *err)
{
	struct ari_arena *main_arena = &walk->model->arenas.at[0];
	struct view view;

	for (*ret_listed = 0; next != 0; next = view_word(&view, MS_NEXT_FREE)) {
		if (!set_find(arenas, next, NULL))
			return model_add_damage(main_arena, FREE_LIST_ASTRAY, next, err);
		if ((*ret_listed)++ == arenas->count)
			return model_add_damage(main_arena, FREE_LIST_LOOPS, next, err);
		if (!view_load(&view, walk->mem, walk->layout, MALLOC_STATE, next, err))
			return mem_is_fault(err);
	}
	return true;
}

static bool walk_free_list(struct walk *walk, struct ari_error *err)
{
	uint64_t head = walk->symbols->address[SYM_FREE_LIST], first;
	struct set arenas = { 0 };
	size_t listed, idle;
	bool done;

	if (head == 0)
		return true;
	if (!mem_read_word(walk->mem, head, &first, err))
		return mem_is_fault(err);
	done = index_arenas(walk->model, &arenas, &idle, err) &&
	       follow_free_list(walk, &arenas, first, &listed, err);
	set_done(&arenas);
	return done &&
	       model_add_proof(walk->model, err,
			       "the list of free arenas holds %zu; %zu have no thread "
			       "attached",
			       listed, idle);
}

bool walk_finish(struct walk *walk, struct ari_error *err)
{
	const struct ring_break *at = &walk->ring_break;

	if (at->found && !model_add_damage(&walk->model->arenas.at[at->arena], at->id,
					   at->address, err))
		return false;
	return walk_free_list(walk, err);
}
