// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "base/set.h"
#include "walk/arenas.h"
#include "walk/bins.h"
#include "walk/chunks.h"
#include "walk/prove.h"

#define RING_MAX 65536
#define PAGE	 ((uint64_t)4096) /* the smallest of any machine */

static bool fails(struct proof *proof, const char *check)
{
	proof->passed = false;
	proof->failed = check;
	return true;
}

static bool is_odd(struct proof *proof, const char *check)
{
	proof->odd++;
	proof->odd_check = check;
	return true;
}

static bool is_writable(const struct mem *mem, uint64_t address)
{
	return address % CHUNK_ALIGN == 0 &&
	       maps_covers(mem->maps, address, 16, MAP_READ | MAP_WRITE);
}

static uint64_t bin_self(const struct view *state, unsigned int bin)
{
	return view_address(state, MS_BINS, 2 * (size_t)(bin - 1)) -
	       state->layout->members[MC_FD].offset;
}

/* Bins point at themselves or at chunks; bin 127 is never used. */
static bool bins_hold(struct mem *mem, const struct view *state, struct proof *proof)
{
	proof->empty_bins = 0;
	for (unsigned int bin = 1; bin < BINS; bin++) {
		uint64_t forward = view_at(state, MS_BINS, 2 * (size_t)(bin - 1));
		uint64_t back = view_at(state, MS_BINS, 2 * (size_t)(bin - 1) + 1);
		uint64_t self = bin_self(state, bin);

		if (forward == self && back == self) {
			proof->empty_bins++;
			continue;
		}
		if (bin == BINS - 1 || !is_writable(mem, forward) ||
		    !is_writable(mem, back))
			return false;
	}
	return true;
}

static bool is_blank(const struct view *state)
{
	for (unsigned int i = 0; i < 2 * (BINS - 1); i++)
		if (view_at(state, MS_BINS, i) != 0)
			return false;
	return view_word(state, MS_TOP) == 0 && view_word(state, MS_SYSTEM_MEM) == 0 &&
	       view_word(state, MS_NEXT) == state->address;
}

static bool numbers_hold(struct mem *mem, const struct view *state)
{
	uint64_t system = view_word(state, MS_SYSTEM_MEM);
	uint64_t most = view_word(state, MS_MAX_SYSTEM_MEM);

	return view_word(state, MS_MUTEX) <= 2 && view_word(state, MS_FLAGS) < 16 &&
	       system <= most && system % CHUNK_ALIGN == 0 && most % CHUNK_ALIGN == 0 &&
	       system <= maps_bytes(mem->maps) &&
	       (!view_has(state, MS_ATTACHED_THREADS) ||
		view_word(state, MS_ATTACHED_THREADS) <= ARENA_THREADS_MAX);
}

/* Its size in *ret_end; *ret is whether it is one. */
static bool top_holds(struct mem *mem, const struct view *state, uint64_t *ret_end,
		      bool *ret, struct ari_error *err)
{
	uint64_t top = view_word(state, MS_TOP), word, size;

	*ret_end = 0;
	*ret = top == bin_self(state, BIN_UNSORTED) &&
	       view_word(state, MS_SYSTEM_MEM) == 0;
	if (*ret || !is_writable(mem, top))
		return true;
	if (!mem_read_word(mem, top + state->layout->members[MC_SIZE].offset, &word, err))
		return mem_is_fault(err);
	size = word & ~(uint64_t)CHUNK_FLAGS;
	*ret = (word & CHUNK_FLAGS) == CHUNK_PREV_INUSE && size >= CHUNK_MIN &&
	       size % CHUNK_ALIGN == 0 && view_word(state, MS_SYSTEM_MEM) >= size &&
	       maps_covers(mem->maps, top, size, MAP_READ | MAP_WRITE);
	*ret_end = top + size;
	return true;
}

/* The heap behind an arena names it; and where the span is known, top ends one. */
static bool heaps_hold(struct mem *mem, const struct view *state, uint64_t top_end,
		       uint64_t span, bool *ret, struct ari_error *err)
{
	const struct layout *layout = state->layout;
	uint64_t heap = state->address - layout->bytes[HEAP_INFO];
	struct view info;

	*ret = false;
	if (heap % (16 * PAGE) != 0)
		return true;
	if (!view_load(&info, mem, layout, HEAP_INFO, heap, err))
		return mem_is_fault(err);
	*ret = view_word(&info, HI_AR_PTR) == state->address;
	if (!*ret || span == 0 || top_end == 0)
		return true;
	heap = (top_end - 1) & ~(span - 1);
	if (!view_load(&info, mem, layout, HEAP_INFO, heap, err)) {
		*ret = false;
		return mem_is_fault(err);
	}
	*ret = view_word(&info, HI_AR_PTR) == state->address &&
	       heap + view_word(&info, HI_SIZE) == top_end;
	return true;
}

/*
 * One arena other than main; one that is being made has no top yet.  What does
 * not hold is counted: one damaged arena must not keep the others from being read.
 */
static bool check_member(struct mem *mem, const struct view *state, uint64_t span,
			 struct proof *proof, struct ari_error *err)
{
	uint64_t end = 0;
	bool ok, made = view_word(state, MS_TOP) != 0;
	size_t empty = proof->empty_bins;

	if (made && !bins_hold(mem, state, proof))
		is_odd(proof, "the bins of an arena of the ring are no lists");
	proof->empty_bins = empty;
	if (!numbers_hold(mem, state))
		is_odd(proof, "the numbers of an arena of the ring are impossible");
	if (made) {
		if (!top_holds(mem, state, &end, &ok, err))
			return false;
		if (!ok)
			is_odd(proof, "the top of an arena of the ring is no chunk");
		proof->tops += ok;
	}
	if (!heaps_hold(mem, state, end, span, &ok, err))
		return false;
	return ok || is_odd(proof, "a heap's header does not lead back to its arena");
}

static bool is_member(struct mem *mem, const struct layout *layout, uint64_t address)
{
	return address % 8 == 0 &&
	       maps_covers(mem->maps, address, layout->bytes[MALLOC_STATE],
			   MAP_READ | MAP_WRITE);
}

static bool follow_ring(struct mem *mem, const struct view *main_arena, uint64_t span,
			struct set *seen, struct proof *proof, struct ari_error *err)
{
	const struct layout *layout = main_arena->layout;
	struct view state = *main_arena;

	for (;;) {
		uint64_t next = view_word(&state, MS_NEXT);

		if (next == main_arena->address)
			return true;
		if (seen->count == RING_MAX || set_find(seen, next, NULL))
			return fails(proof, "the ring of arenas does not close");
		if (!is_member(mem, layout, next))
			return fails(proof, "the ring of arenas leads astray");
		if (!set_add(seen, next, 0, err))
			return false;
		if (!view_load(&state, mem, layout, MALLOC_STATE, next, err))
			return fails(proof, "an arena of the ring cannot be read") &&
			       mem_is_fault(err);
		if (!check_member(mem, &state, span, proof, err))
			return false;
	}
}

static bool check_ring(struct mem *mem, const struct view *main_arena, uint64_t span,
		       struct proof *proof, struct ari_error *err)
{
	struct set seen = { 0 };
	bool done = set_add(&seen, main_arena->address, 0, err) &&
		    follow_ring(mem, main_arena, span, &seen, proof, err);

	proof->arenas = seen.count;
	set_done(&seen);
	return done;
}

bool prove_state(struct mem *mem, const struct layout *layout, uint64_t address,
		 uint64_t heap_span, struct proof *ret, struct ari_error *err)
{
	struct view state;
	bool ok;

	*ret = (struct proof){ .passed = true, .initialised = true, .arenas = 1 };
	if (!view_load(&state, mem, layout, MALLOC_STATE, address, err))
		return fails(ret, "main_arena cannot be read") && mem_is_fault(err);
	ret->top = view_word(&state, MS_TOP);
	ret->flags = view_word(&state, MS_FLAGS);
	ret->system_bytes = view_word(&state, MS_SYSTEM_MEM);
	if (is_blank(&state)) {
		ret->initialised = false;
		return true;
	}
	if (!bins_hold(mem, &state, ret))
		return fails(ret, "main_arena's bins are no lists");
	if (!top_holds(mem, &state, &ret->top_end, &ok, err))
		return false;
	if (!ok)
		fails(ret, "main_arena's top is no chunk");
	ret->numbers_hold = numbers_hold(mem, &state);
	if (!ret->numbers_hold)
		fails(ret, "main_arena's numbers are impossible");
	ret->tops = ok;
	/* A ring that breaks off may be one seen through a wrong layout. */
	if (!check_ring(mem, &state, heap_span, ret, err))
		return false;
	ret->may_be_damaged = !ret->passed;
	return true;
}

/*
 * Whole pages, and none without a chunk; but 2.43's mremap_chunk() counts 16 bytes
 * too many each time, since a chunk's size lacks its header there.
 */
static bool mmapped_bytes_hold(const struct layout *layout, uint64_t chunks,
			       uint64_t bytes)
{
	if (layout->traits[TRAIT_MMAPPED_SHORT])
		return bytes % 16 == 0 && (chunks == 0 || bytes != 0);
	return bytes % PAGE == 0 && (chunks == 0) == (bytes == 0);
}

/* What a malloc_par must show whatever main_arena is. */
static bool par_is_possible(const struct view *mp)
{
	uint64_t count = view_word(mp, MP_N_MMAPS), most = view_word(mp, MP_MAX_N_MMAPS);
	uint64_t bytes = view_word(mp, MP_MMAPPED_MEM);
	uint64_t test = view_word(mp, MP_ARENA_TEST);
	uint64_t huge = view_has(mp, MP_HP_PAGESIZE) ? view_word(mp, MP_HP_PAGESIZE) : 0;
	uint64_t thp = view_has(mp, MP_THP_PAGESIZE) ? view_word(mp, MP_THP_PAGESIZE) : 0;

	if (test < 1 || test > 65536 || view_word(mp, MP_ARENA_MAX) >= 1 << 20 ||
	    view_word(mp, MP_N_MMAPS_MAX) > INT32_MAX || most > INT32_MAX ||
	    count > most || view_word(mp, MP_NO_DYN_THRESHOLD) > 1 ||
	    bytes > view_word(mp, MP_MAX_MMAPPED_MEM) ||
	    !mmapped_bytes_hold(mp->layout, count, bytes))
		return false;
	if (huge > LAYOUT_HUGE_PAGE_MAX || (huge & (huge - 1)) != 0 ||
	    thp > LAYOUT_HUGE_PAGE_MAX || (thp & (thp - 1)) != 0)
		return false;
	return !view_has(mp, MP_TCACHE_BINS) ||
	       (view_word(mp, MP_TCACHE_BINS) == 64 &&
		view_word(mp, MP_TCACHE_MAX_BYTES) <= 8 << 20 &&
		view_word(mp, MP_TCACHE_COUNT) <= 65535);
}

/* Brk's beginning, its length and top's end say one thing. */
static bool agrees_with_main(struct mem *mem, const struct view *mp,
			     const struct proof *state)
{
	uint64_t base = view_word(mp, MP_SBRK_BASE);

	if (state->top_end == 0)
		return true; /* main never got memory, or does not say how much */
	if (base == 0)
		return false;
	if (state->flags & 2 || !state->numbers_hold)
		return maps_find(mem->maps, base) != NULL;
	return base + state->system_bytes == state->top_end;
}

bool prove_par(struct mem *mem, const struct layout *layout, uint64_t address,
	       const struct proof *state, struct proof *ret, struct ari_error *err)
{
	struct view mp;

	*ret = (struct proof){ .passed = true };
	if (!view_load(&mp, mem, layout, MALLOC_PAR, address, err))
		return fails(ret, "mp_ cannot be read") && mem_is_fault(err);
	if (!par_is_possible(&mp))
		return fails(ret, "mp_'s numbers are impossible");
	if (!agrees_with_main(mem, &mp, state))
		return fails(ret, "mp_'s sbrk_base does not agree with main_arena's top");
	return true;
}

static uint64_t word_of(const struct layout *layout, const uint8_t *bytes,
			enum layout_member member, size_t index)
{
	const struct layout_place *place = &layout->members[member];
	uint64_t word = 0;

	memcpy(&word, bytes + place->offset + index * place->size, place->size);
	return word;
}

bool prove_may_be_state(const struct layout *layout, const uint8_t *bytes, size_t length,
			uint64_t address)
{
	const struct layout_place *bins = &layout->members[MS_BINS];
	size_t last = 2 * (size_t)(BINS - 2);
	uint64_t self = address + bins->offset + last * bins->size -
			layout->members[MC_FD].offset;
	uint64_t forward, next;

	if (length < layout->bytes[MALLOC_STATE])
		return false;
	forward = word_of(layout, bytes, MS_BINS, last);
	next = word_of(layout, bytes, MS_NEXT, 0);
	if (forward == 0) /* never used: zeros all over, and a ring of itself */
		return next == address && word_of(layout, bytes, MS_TOP, 0) == 0;
	if (forward != self || word_of(layout, bytes, MS_BINS, last + 1) != self ||
	    next == 0 || word_of(layout, bytes, MS_MUTEX, 0) > 2 ||
	    word_of(layout, bytes, MS_FLAGS, 0) >= 16)
		return false;
	/* The bins of main_arena itself look like this from many places. */
	for (size_t i = 0; i < last; i++)
		if (word_of(layout, bytes, MS_BINS, i) == 0)
			return false;
	return true;
}

bool prove_may_be_par(const struct layout *layout, const uint8_t *bytes, size_t length)
{
	struct view mp;

	/* Most words are no arena_test: those are passed before anything is copied. */
	if (length < layout->bytes[MALLOC_PAR] ||
	    word_of(layout, bytes, MP_ARENA_TEST, 0) - 1 > 65535)
		return false;
	mp.layout = layout;
	mp.type = MALLOC_PAR;
	mp.address = 0;
	memcpy(mp.bytes, bytes, layout->bytes[MALLOC_PAR]);
	return par_is_possible(&mp);
}
