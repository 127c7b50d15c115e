// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "walk/chunks.h"

#define STEPS_FOR_ALL 10000 /* steps to find the way, however small the segment */

/* Some chunks of one size. */
static void count_size(struct tally_sizes *sizes, uint64_t size, uint64_t chunks)
{
	if (sizes->chunks == 0 || size < sizes->least)
		sizes->least = size;
	if (sizes->chunks == 0 || size > sizes->most)
		sizes->most = size;
	sizes->chunks += chunks;
	sizes->bytes += chunks * size;
}

static void set_mark(struct chunk_walk *walk, size_t index)
{
	walk->mark = index;
	walk->next_mark = index < walk->marks->list.count
				  ? walk->marks->list.at[index].address
				  : ARI_UNKNOWN;
}

/* The mark of this very chunk, or NULL; passes marks that are no chunk's. */
static const struct mark *take_mark(struct chunk_walk *walk, uint64_t chunk)
{
	const struct mark *mark;

	while (walk->next_mark < chunk)
		set_mark(walk, walk->mark + 1);
	if (walk->next_mark != chunk)
		return NULL;
	mark = &walk->marks->list.at[walk->mark];
	set_mark(walk, walk->mark + 1);
	return mark;
}

static void count_plain(struct tally *tally, uint64_t size, unsigned int in_use,
			uint64_t chunks)
{
	if (size < LARGE_FROM)
		tally->small[in_use][size / 16] += chunks;
	else
		count_size(&tally->large[in_use][bin_of_large(size) - BINS_SMALL], size,
			   chunks);
}

/*
 * A chunk that a list names.  The list is believed where it fits what the heap
 * says: a fastbin's chunk looks in use and has the bin's size, one of the
 * unsorted bin is free.
 */
static void count_marked(struct chunk_walk *walk, uint64_t chunk, uint64_t size,
			 unsigned int in_use)
{
	const struct mark *mark = take_mark(walk, chunk);

	if (mark != NULL && mark->list == MARK_FAST && in_use &&
	    size == fastbin_size(mark->index))
		count_size(&walk->tally.fast[mark->index], size, 1);
	else if (mark != NULL && mark->list == MARK_UNSORTED && !in_use)
		count_size(&walk->tally.unsorted[bin_of(size)], size, 1);
	else
		count_plain(&walk->tally, size, in_use, 1);
}

/* The last chunk's state is known now. */
static void count_last(struct chunk_walk *walk, unsigned int in_use)
{
	if (walk->last_size == 0)
		return;
	if (walk->last >= walk->next_mark)
		count_marked(walk, walk->last, walk->last_size, in_use);
	else
		count_plain(&walk->tally, walk->last_size, in_use, 1);
	walk->last_size = 0;
}

/*
 * The hot loop: through the headers that the window holds, until one is odd or
 * lies outside.  Everything it needs is in locals, and nearly all chunks cost one
 * load and one increment.  They are counted by their very size: to tell small from
 * large here would be a branch that mixed sizes make a guess of.
 */
static void run_window(struct chunk_walk *walk)
{
	const uint8_t *window = walk->reader->window + 8 /* the size word */;
	uint64_t start = walk->reader->start, limit = walk->limit;
	uint64_t stop = walk->reader->end < limit ? walk->reader->end : limit;
	uint64_t at = walk->at, last = walk->last, size = walk->last_size;
	uint64_t next_mark = walk->next_mark;

	while (at < stop) {
		uint64_t word;

		memcpy(&word, window + (at - start), sizeof(word));
		if (__builtin_expect(!chunk_is_possible(word, at, limit), 0))
			break;
		if (__builtin_expect(last >= next_mark, 0)) {
			count_marked(walk, last, size, word & CHUNK_PREV_INUSE);
			next_mark = walk->next_mark;
		} else if (__builtin_expect(size < MET_TO, 1)) {
			walk->met[word & CHUNK_PREV_INUSE][size / 16]++;
		} else {
			count_plain(&walk->tally, size, word & CHUNK_PREV_INUSE, 1);
		}
		last = at;
		size = word & ~(uint64_t)CHUNK_FLAGS;
		at += size;
	}
	walk->at = at;
	walk->last = last;
	walk->last_size = size;
}

static void forget_met(struct chunk_walk *walk)
{
	memset(walk->met, 0, sizeof(walk->met));
}

/* Puts what the hot loop counted by size where it belongs. */
static void tally_met(struct chunk_walk *walk)
{
	for (unsigned int in_use = 0; in_use < 2; in_use++)
		for (uint64_t i = CHUNK_MIN / 16; i < MET_TO / 16; i++)
			if (walk->met[in_use][i] > 0)
				count_plain(&walk->tally, 16 * i, in_use,
					    walk->met[in_use][i]);
	forget_met(walk);
}

bool chunks_header(struct chunk_walk *walk, uint64_t address, uint64_t *ret,
		   uint8_t *ret_state, struct ari_error *err)
{
	*ret = 0;
	if (!reader_reach(walk->reader, address, ret_state, err))
		return false;
	if (*ret_state == PAGE_PRESENT)
		memcpy(ret, reader_at(walk->reader, address) + 8, sizeof(*ret));
	return true;
}

static void add_damage(struct chunk_walk *walk, enum damage id, uint64_t address)
{
	walk->torn = true;
	if (walk->damages < CHUNK_DAMAGE_MAX)
		walk->damage[walk->damages++] = (struct chunk_damage){ id, address };
}

/* A chunk whose successor is not read is free only if a list says so. */
static void count_last_unknown(struct chunk_walk *walk, const struct marks *anchors)
{
	ptrdiff_t i =
		list_floor(anchors->list.at, anchors->list.count, sizeof(struct mark),
			   offsetof(struct mark, address), walk->last);
	bool is_free = i >= 0 && anchors->list.at[i].address == walk->last &&
		       anchors->list.at[i].list != MARK_FAST;

	count_last(walk, is_free ? TALLY_FREE : TALLY_IN_USE);
}

/* Goes on behind what cannot be walked, and counts the gap. */
static bool leap(struct chunk_walk *walk, bool unread, struct ari_error *err)
{
	const struct marks *anchors;
	uint64_t next;

	if (!deadline_ok(walk->deadline, err) ||
	    !walk->anchors.get(walk->anchors.data, &anchors, err) ||
	    !chunks_resume(walk, unread, &next, err))
		return false;
	count_last_unknown(walk, anchors);
	walk->tally.breaks++;
	if (unread)
		walk->tally.unread += next - walk->at;
	else
		walk->tally.unwalked += next - walk->at;
	walk->at = next;
	return true;
}

/* Two fenceposts: what main got in one piece ends behind them. */
static bool is_fence_pair(struct chunk_walk *walk, uint64_t word, bool *ret,
			  struct ari_error *err)
{
	uint64_t second;
	uint8_t state;

	*ret = false;
	if ((word & ~(uint64_t)CHUNK_FLAGS) != CHUNK_FENCE ||
	    walk->limit - walk->at < 2 * CHUNK_FENCE)
		return true;
	if (!chunks_header(walk, walk->at + CHUNK_FENCE, &second, &state, err))
		return false;
	*ret = (second & ~(uint64_t)CHUNK_FLAGS) == CHUNK_FENCE;
	return true;
}

/*
 * The end of a heap that is full: a fencepost of 16 bytes and a header of size 0;
 * or, where little was left, a chunk of 32 bytes that nobody has and the header.
 */
static bool end_of_heap(struct chunk_walk *walk, uint64_t word)
{
	uint64_t size = word & ~(uint64_t)CHUNK_FLAGS,
		 left = walk->segment->end - walk->at;

	if (walk->segment->kind != SEGMENT_HEAP || walk->segment->top != 0)
		return false;
	if (left == 2 * CHUNK_FENCE && size == CHUNK_FENCE) {
		count_last(walk, word & CHUNK_PREV_INUSE);
	} else if (left == CHUNK_FENCE && size == 0 && walk->last_size == CHUNK_MIN) {
		walk->last_size = 0;
		left += CHUNK_MIN;
	} else {
		return false;
	}
	walk->tally.overhead += left;
	walk->at = walk->segment->end;
	return true;
}

static enum damage damage_of(uint64_t word)
{
	uint64_t size = word & ~(uint64_t)CHUNK_FLAGS;

	if (size < CHUNK_MIN)
		return CHUNK_TOO_SMALL;
	return (word & 10u) != 0 ? CHUNK_HEADER_IMPOSSIBLE : CHUNK_TOO_LARGE;
}

/* A header that is no chunk's. */
static bool pass_odd(struct chunk_walk *walk, uint64_t word, struct ari_error *err)
{
	bool fence;

	if (end_of_heap(walk, word))
		return true;
	if (walk->segment->kind == SEGMENT_BRK) {
		if (!is_fence_pair(walk, word, &fence, err))
			return false;
		if (fence) {
			count_last(walk, word & CHUNK_PREV_INUSE);
			walk->tally.overhead += 2 * CHUNK_FENCE;
			walk->at += 2 * CHUNK_FENCE;
			return leap(walk, false, err);
		}
	}
	add_damage(walk, damage_of(word), walk->at);
	return leap(walk, false, err);
}

/* Comes to the limit: top, or the end of what is walked. */
static bool arrive(struct chunk_walk *walk, struct ari_error *err)
{
	uint64_t word;
	uint8_t state;

	if (walk->segment->top == 0 || walk->limit != walk->segment->top) {
		count_last(walk, TALLY_IN_USE);
		walk->at = walk->segment->end;
		return true;
	}
	if (!chunks_header(walk, walk->at, &word, &state, err))
		return false;
	count_last(walk, state == PAGE_PRESENT ? word & CHUNK_PREV_INUSE : TALLY_IN_USE);
	walk->tally.top += walk->segment->top_bytes;
	walk->at = walk->segment->end;
	return true;
}

/* What the hot loop left: a header outside of the window, or an odd one. */
static bool step(struct chunk_walk *walk, struct ari_error *err)
{
	uint64_t word;
	uint8_t state;

	if (walk->at >= walk->limit)
		return arrive(walk, err);
	if (!chunks_header(walk, walk->at, &word, &state, err))
		return false;
	if (state == PAGE_SWAPPED || state == PAGE_UNREADABLE || state == PAGE_UNKNOWN)
		return leap(walk, true, err);
	if (state == PAGE_PRESENT && chunk_is_possible(word, walk->at, walk->limit))
		return deadline_ok(walk->deadline, err); /* now the window holds it */
	return pass_odd(walk, word, err);
}

static bool walk_chain(struct chunk_walk *walk, struct ari_error *err)
{
	while (walk->at < walk->segment->end) {
		if (reader_holds(walk->reader, walk->at))
			run_window(walk);
		if (!step(walk, err))
			return false;
	}
	return true;
}

/*
 * One piece of a mapping that holds several: it must begin at a page and end in
 * two fenceposts, or in top.  *ret_end is 0 when there is none at `at`.
 */
static bool walk_piece(struct chunk_walk *walk, uint64_t *ret_end, struct ari_error *err)
{
	const struct segment *segment = walk->segment;
	uint64_t word;
	uint8_t state;
	bool fence;

	*ret_end = 0;
	walk->last_size = 0;
	walk->limit = segment->end;
	if (segment->top > walk->at)
		walk->limit = segment->top;
	for (;;) {
		if (reader_holds(walk->reader, walk->at))
			run_window(walk);
		if (walk->at == segment->top && segment->top != 0) {
			*ret_end = segment->top + segment->top_bytes;
			return arrive(walk, err);
		}
		if (walk->at >= walk->limit)
			return true;
		if (!deadline_ok(walk->deadline, err) ||
		    !chunks_header(walk, walk->at, &word, &state, err))
			return false;
		if (state == PAGE_PRESENT &&
		    chunk_is_possible(word, walk->at, walk->limit))
			continue;
		if (state != PAGE_PRESENT)
			return true;
		if (!is_fence_pair(walk, word, &fence, err))
			return false;
		if (!fence)
			return true;
		count_last(walk, word & CHUNK_PREV_INUSE);
		walk->tally.overhead += 2 * CHUNK_FENCE;
		*ret_end = walk->at + 2 * CHUNK_FENCE;
		return true;
	}
}

static bool add_piece(struct chunk_walk *walk, uint64_t start, uint64_t end,
		      struct ari_error *err)
{
	struct piece *last =
		walk->pieces.count == 0 ? NULL : &walk->pieces.at[walk->pieces.count - 1];

	if (last == NULL || last->end != start) {
		last = list_add(&walk->pieces, err);
		if (last == NULL)
			return false;
		last->start = start;
	}
	last->end = end;
	return true;
}

/*
 * Pieces that mmap gave where brk failed: nothing links them, but the kernel puts
 * them side by side.  What does not prove to be one is not malloc's, or is not
 * told from it.
 */
static bool walk_pieces(struct chunk_walk *walk, struct ari_error *err)
{
	uint64_t page = walk->reader->mem->page_bytes, start = walk->segment->first, end;
	struct tally before;

	while (start < walk->segment->end) {
		size_t mark = walk->mark;

		before = walk->tally;
		walk->at = start;
		if (!walk_piece(walk, &end, err))
			return false;
		if (end != 0 && !add_piece(walk, start, end, err))
			return false;
		if (end != 0) {
			tally_met(walk);
		} else {
			walk->tally = before;
			forget_met(walk);
			set_mark(walk, mark);
			end = start - start % page + page;
		}
		start = end;
	}
	return true;
}

static void begin(struct chunk_walk *walk)
{
	const struct segment *segment = walk->segment;

	memset(&walk->tally, 0, sizeof(walk->tally));
	forget_met(walk);
	walk->damages = 0;
	walk->pieces.count = 0;
	walk->torn = false;
	walk->at = segment->first;
	walk->last = 0;
	walk->last_size = 0;
	walk->limit = segment->top != 0 ? segment->top : segment->end;
	walk->steps_left = STEPS_FOR_ALL + (segment->end - segment->first) / 16;
	set_mark(walk, 0);
	reader_begin(walk->reader, segment->from, segment->to, segment->top,
		     segment->top + segment->top_bytes);
}

bool walk_chunks(struct chunk_walk *walk, struct ari_error *err)
{
	begin(walk);
	if (walk->segment->kind == SEGMENT_PIECES) {
		if (!walk_pieces(walk, err))
			return false;
	} else {
		walk->tally.overhead += walk->segment->first - walk->segment->from;
		if (!walk_chain(walk, err))
			return false;
		tally_met(walk);
	}
	return reader_finish(walk->reader, err);
}
