// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "walk/chain.h"

#define STEPS_FOR_ALL 10000 /* steps to find the way, however small the segment */

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
static bool count_last_unknown(struct chunk_walk *walk, const struct marks *anchors,
			       struct ari_error *err)
{
	ptrdiff_t i =
		list_floor(anchors->list.at, anchors->list.count, sizeof(struct mark),
			   offsetof(struct mark, address), walk->last);
	bool is_free = i >= 0 && anchors->list.at[i].address == walk->last &&
		       anchors->list.at[i].list != MARK_FAST;

	return chain_count_last(walk, is_free ? TALLY_FREE : TALLY_IN_USE, err);
}

/* Goes on behind what cannot be walked, and counts the gap. */
static bool leap(struct chunk_walk *walk, bool unread, struct ari_error *err)
{
	const struct marks *anchors;
	uint64_t next;

	if (!deadline_ok(walk->deadline, err) ||
	    !walk->anchors.get(walk->anchors.data, &anchors, err) ||
	    !count_last_unknown(walk, anchors, err) || !chain_close(walk, err) ||
	    !books_keep(&walk->books, walk->at, err) ||
	    !chunks_resume(walk, unread, &next, err) ||
	    !books_other(&walk->books, walk->at, next, &walk->books.sums.unwalked, err))
		return false;
	walk->tally.breaks++;
	if (unread)
		walk->tally.unread += next - walk->at;
	else
		walk->tally.unwalked += next - walk->at;
	walk->at = walk->last = next;
	return true;
}

static bool is_fence(uint64_t word)
{
	return (word & ~(uint64_t)CHUNK_FLAGS) == CHUNK_FENCE;
}

bool chain_measure_fence(struct chunk_walk *walk, uint64_t word, uint64_t *ret,
			 struct ari_error *err)
{
	uint64_t page = walk->reader->mem->page_bytes, bytes = CHUNK_FENCE;
	uint8_t state = PAGE_PRESENT;

	*ret = 0;
	while (is_fence(word) && state == PAGE_PRESENT && bytes < 4 * CHUNK_FENCE) {
		uint64_t next = walk->at + bytes;

		if (bytes > CHUNK_FENCE)
			*ret = bytes;
		/* A piece begins at a page; that is not ours any more. */
		if (walk->limit - walk->at < bytes + CHUNK_FENCE || next % page == 0)
			return true;
		if (!chunks_header(walk, next, &word, &state, err))
			return false;
		bytes += CHUNK_FENCE;
	}
	return true;
}

bool chain_pass_overhead(struct chunk_walk *walk, uint64_t bytes, struct ari_error *err)
{
	uint64_t end = walk->at + bytes;

	if (!chain_close(walk, err) ||
	    !books_other(&walk->books, walk->at, end, &walk->books.sums.metadata, err))
		return false;
	walk->tally.overhead += bytes;
	walk->at = walk->last = end;
	return true;
}

/*
 * The end of a heap that is full: a fencepost of 16 bytes and a header of size 0;
 * or, where little was left, a chunk of 32 bytes that nobody has and the header.
 */
static bool end_of_heap(struct chunk_walk *walk, uint64_t word, bool *ret,
			struct ari_error *err)
{
	uint64_t size = word & ~(uint64_t)CHUNK_FLAGS,
		 left = walk->segment->end - walk->at;

	*ret = false;
	if (walk->segment->kind != SEGMENT_HEAP || walk->segment->top != 0)
		return true;
	if (left == 2 * CHUNK_FENCE && size == CHUNK_FENCE) {
		if (!chain_count_last(walk, word & CHUNK_PREV_INUSE, err))
			return false;
	} else if (left == CHUNK_FENCE && size == 0 &&
		   walk->at - walk->last == CHUNK_MIN) {
		walk->at = walk->last;
		left += CHUNK_MIN;
	} else {
		return true;
	}
	*ret = true;
	return chain_pass_overhead(walk, left, err);
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
	uint64_t fence;
	bool ended;

	if (!end_of_heap(walk, word, &ended, err))
		return false;
	if (ended)
		return true;
	if (walk->segment->kind == SEGMENT_BRK) {
		if (!chain_measure_fence(walk, word, &fence, err))
			return false;
		if (fence != 0) {
			return chain_count_last(walk, word & CHUNK_PREV_INUSE, err) &&
			       chain_pass_overhead(walk, fence, err) &&
			       leap(walk, false, err);
		}
	}
	add_damage(walk, damage_of(word), walk->at);
	return leap(walk, false, err);
}

/* The live chunk [last, top), and what the free one right below it would give back. */
static bool take_last_chunk(struct chunk_walk *walk, uint64_t last, struct ari_error *err)
{
	struct books *books = &walk->books;

	/* A chunk of a fastbin is free by then, and top's. */
	if (last == walk->at || (books_is_open(books) && books->run.end == walk->at))
		return true;
	if (!books_close(books, err))
		return false;
	walk->last_chunk = (struct ari_last_chunk){
		.address = last,
		.bytes = walk->at - last,
		.below_bytes = books->closed.end == last ? books->closed.gives : 0,
	};
	return true;
}

bool chain_arrive(struct chunk_walk *walk, struct ari_error *err)
{
	const struct segment *segment = walk->segment;
	unsigned int in_use = TALLY_IN_USE;
	uint64_t word, last = walk->last, end = segment->top + segment->top_bytes;
	uint64_t to = segment->kind == SEGMENT_PIECES ? end : segment->to;
	uint8_t state;

	if (segment->top == 0 || walk->limit != segment->top) {
		if (!chain_count_last(walk, TALLY_IN_USE, err) || !chain_close(walk, err))
			return false;
		walk->at = walk->last = segment->end;
		return true;
	}
	if (!chunks_header(walk, walk->at, &word, &state, err))
		return false;
	if (state == PAGE_PRESENT)
		in_use = word & CHUNK_PREV_INUSE;
	if (!chain_count_last(walk, in_use, err) ||
	    (walk->pins.wanted != 0 &&
	     !pins_top(&walk->pins, &walk->books, segment->top, end, to, err)) ||
	    (state == PAGE_PRESENT && in_use && !take_last_chunk(walk, last, err)) ||
	    !books_top(&walk->books, segment->top, end, to, err))
		return false;
	walk->tally.top += segment->top_bytes;
	walk->at = walk->last = segment->end;
	return true;
}

bool chain_leave_window(struct chunk_walk *walk, struct ari_error *err)
{
	if (walk->failed) {
		*err = walk->error;
		return false;
	}
	return reader_holds(walk->reader, walk->at) || walk->last == walk->at ||
	       books_keep(&walk->books, walk->last, err);
}

/* What the hot loop left: a header outside of the window, or an odd one. */
static bool step(struct chunk_walk *walk, struct ari_error *err)
{
	uint64_t word;
	uint8_t state;

	if (!chain_leave_window(walk, err))
		return false;
	if (walk->at >= walk->limit)
		return chain_arrive(walk, err);
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
			chain_run(walk);
		if (!step(walk, err))
			return false;
	}
	return true;
}

static void run_on(struct chunk_walk *walk)
{
	if (reader_holds(walk->reader, walk->at))
		chain_run(walk);
}

/* Both have left their windows, or stand at an odd header. */
static bool reach_two(struct chunk_walk *one, struct chunk_walk *other,
		      struct ari_error *err)
{
	if (!chain_leave_window(one, err) || !chain_leave_window(other, err))
		return false;
	return one->at >= one->limit || other->at >= other->limit ||
	       reader_reach_two(one->reader, one->at, other->reader, other->at, err);
}

/*
 * Until one of the two has come to its end.  They go in turn, and what one still has
 * in its window then is passed alone, so that both windows are read in one call.
 */
static bool walk_two_chains(struct chunk_walk *one, struct chunk_walk *other,
			    struct ari_error *err)
{
	while (one->at < one->segment->end && other->at < other->segment->end) {
		if (reader_holds(one->reader, one->at) &&
		    reader_holds(other->reader, other->at))
			chain_run_two(one, other);
		run_on(one);
		run_on(other);
		if (!reach_two(one, other, err) || !step(one, err) || !step(other, err))
			return false;
	}
	return true;
}

/* Marks of what lies in front are another segment's, maybe another worker's. */
static size_t first_mark(const struct marks *marks, uint64_t from)
{
	ptrdiff_t i = list_floor(marks->list.at, marks->list.count, sizeof(struct mark),
				 offsetof(struct mark, address), from);

	return i < 0 || marks->list.at[i].address < from ? (size_t)(i + 1) : (size_t)i;
}

static bool begin(struct chunk_walk *walk, struct ari_error *err)
{
	const struct segment *segment = walk->segment;

	memset(&walk->tally, 0, sizeof(walk->tally));
	chain_forget_met(walk);
	walk->damages = 0;
	walk->last_chunk = (struct ari_last_chunk){ 0 };
	walk->pieces.count = 0;
	walk->torn = walk->failed = false;
	walk->at = walk->last = segment->first;
	walk->hole = 0;
	walk->limit = segment->top != 0 ? segment->top : segment->end;
	walk->steps_left = STEPS_FOR_ALL + (segment->end - segment->first) / 4;
	chain_set_mark(walk, first_mark(walk->marks, segment->from));
	walk->reader->kept.wanted = walk->runs_wanted;
	walk->reader->mapped = segment->mapped;
	reader_begin(walk->reader, segment->from, segment->to, segment->top,
		     segment->top + segment->top_bytes);
	books_begin(&walk->books, walk->rules, walk->reader);
	pins_begin(&walk->pins, walk->pins_wanted, segment->first, segment->unmaps);
	if (walk->runs_wanted) {
		runs_begin(&walk->runs, segment->from, walk->reader->mem->page_bytes);
		walk->books.runs = &walk->runs;
	}
	walk->all_closely = walk->pins.wanted != 0 || walk->runs_wanted;
	if (segment->kind == SEGMENT_PIECES)
		return true;
	walk->tally.overhead += segment->first - segment->from;
	return books_other(&walk->books, segment->from, segment->first,
			   &walk->books.sums.metadata, err);
}

/* The chain has come to the segment's end. */
static bool finish(struct chunk_walk *walk, struct ari_error *err)
{
	const struct segment *segment = walk->segment;

	chain_tally_met(walk);
	/* Pages that a heap had, and has no more: they are still there. */
	if (segment->kind != SEGMENT_PIECES && segment->top == 0 &&
	    !books_other(&walk->books, segment->end, segment->to,
			 &walk->books.sums.retained_top, err))
		return false;
	walk->tally.resident = walk->books.sums;
	return reader_finish(walk->reader, err);
}

bool walk_chunks(struct chunk_walk *walk, struct ari_error *err)
{
	return begin(walk, err) &&
	       (walk->segment->kind == SEGMENT_PIECES ? chain_walk_pieces(walk, err)
						      : walk_chain(walk, err)) &&
	       finish(walk, err);
}

bool walk_chunks_of_two(struct chunk_walk *one, struct chunk_walk *other,
			struct ari_error *err)
{
	return begin(one, err) && begin(other, err) && walk_two_chains(one, other, err) &&
	       walk_chain(one, err) && walk_chain(other, err) && finish(one, err) &&
	       finish(other, err);
}
