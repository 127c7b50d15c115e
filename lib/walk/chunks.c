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
 * A chunk that a list may name.  The list is believed where it fits what the heap
 * says: a fastbin's chunk looks in use and has the bin's size, one of the
 * unsorted bin is free.
 */
static enum books_chunk count_marked(struct chunk_walk *walk, uint64_t chunk,
				     uint64_t size, unsigned int in_use)
{
	const struct mark *mark = take_mark(walk, chunk);

	if (mark != NULL && mark->list == MARK_FAST && in_use &&
	    size == fastbin_size(mark->index)) {
		count_size(&walk->tally.fast[mark->index], size, 1);
		return BOOKS_FAST;
	}
	if (mark != NULL && mark->list == MARK_UNSORTED && !in_use)
		count_size(&walk->tally.unsorted[bin_of(size)], size, 1);
	else
		count_plain(&walk->tally, size, in_use, 1);
	return in_use ? BOOKS_IN_USE : BOOKS_FREE;
}

/*
 * A chunk that ends at a mark counts, too, hence the -1: a fastbin's chunk is merged
 * with what is free in front of it.  So does each that follows an open run.
 */
static void set_event(struct chunk_walk *walk)
{
	walk->event = walk->next_mark - 1 < walk->hole ? walk->next_mark - 1 : walk->hole;
	if (books_is_open(&walk->books) || walk->pins.wanted != 0)
		walk->event = 0;
}

/* The chunk [last, at), whose state is known now, in all that there is to know. */
static bool look_closely(struct chunk_walk *walk, uint64_t last, uint64_t at,
			 unsigned int in_use)
{
	/* Pins join what is in front of a chunk to what is behind it. */
	bool whole =
		at <= walk->hole && last >= walk->reader->start && walk->pins.wanted == 0;
	enum books_chunk kind;

	if (at == last)
		return true;
	kind = count_marked(walk, last, at - last, in_use);
	if ((walk->pins.wanted != 0 && kind == BOOKS_IN_USE &&
	     !pins_chunk(&walk->pins, &walk->books, last, at, &walk->error)) ||
	    !books_chunk(&walk->books, last, at, kind, whole, &walk->error)) {
		walk->failed = true;
		return false;
	}
	if (at > walk->hole)
		walk->hole = reader_holds(walk->reader, at)
				     ? reader_hole(walk->reader, at)
				     : at;
	set_event(walk);
	return true;
}

/* The chain ends, or breaks. */
static bool close_chain(struct chunk_walk *walk, struct ari_error *err)
{
	return (walk->pins.wanted == 0 || pins_close(&walk->pins, &walk->books, err)) &&
	       books_close(&walk->books, err);
}

/* The last chunk's state is known now. */
static bool count_last(struct chunk_walk *walk, unsigned int in_use,
		       struct ari_error *err)
{
	if (!look_closely(walk, walk->last, walk->at, in_use)) {
		*err = walk->error;
		return false;
	}
	walk->last = walk->at;
	return true;
}

/* What the hot loop needs of a walk, for registers. */
struct chain {
	struct chunk_walk *walk;
	uintptr_t base; /* where the window has the size word of address 0 */
	uint64_t at, last, stop, limit, event;
};

static struct chain take_up(struct chunk_walk *walk)
{
	const struct reader *reader = walk->reader;

	/* From the last chunk on: it is not counted yet. */
	walk->hole = reader_hole(reader,
				 walk->last > reader->start ? walk->last : reader->start);
	set_event(walk);
	return (struct chain){
		.walk = walk,
		.base = (uintptr_t)reader->window - reader->start + 8,
		.at = walk->at,
		.last = walk->last,
		.stop = reader->end < walk->limit ? reader->end : walk->limit,
		.limit = walk->limit,
		/* What began in front of the window may lie over a hole. */
		.event = walk->last < reader->start ? 0 : walk->event,
	};
}

static void put_down(const struct chain *chain)
{
	chain->walk->at = chain->at;
	chain->walk->last = chain->last;
}

/*
 * One chunk on; false: its header is odd.  Nearly all chunks cost one load and one
 * increment.  They are counted by their very size: to tell small from large here
 * would be a branch that mixed sizes make a guess of.
 */
static inline __attribute__((always_inline)) bool go_on(struct chain *chain)
{
	struct chunk_walk *walk = chain->walk;
	uint64_t at = chain->at, size = at - chain->last, word;

	memcpy(&word, (const void *)(chain->base + at), sizeof(word));
	if (__builtin_expect(!chunk_is_possible(word, at, chain->limit), 0))
		return false;
	if (__builtin_expect(at > chain->event || size >= MET_TO, 0)) {
		if (!look_closely(walk, chain->last, at, word & CHUNK_PREV_INUSE))
			return false;
		chain->event = walk->event;
	} else {
		walk->met[word & CHUNK_PREV_INUSE][size / 16]++;
	}
	chain->last = at;
	chain->at = at + (word & ~(uint64_t)CHUNK_FLAGS);
	return true;
}

/*
 * The hot loop: through the headers that the window holds, until one is odd or
 * lies outside.
 */
static void run_window(struct chunk_walk *walk)
{
	struct chain chain = take_up(walk);

	while (chain.at < chain.stop && go_on(&chain))
		;
	put_down(&chain);
}

static void run_windows(struct chunk_walk *one, struct chunk_walk *other)
{
	struct chain a = take_up(one), b = take_up(other);

	while (a.at < a.stop && b.at < b.stop)
		if (!go_on(&a) || !go_on(&b))
			break;
	put_down(&a);
	put_down(&b);
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
static bool count_last_unknown(struct chunk_walk *walk, const struct marks *anchors,
			       struct ari_error *err)
{
	ptrdiff_t i =
		list_floor(anchors->list.at, anchors->list.count, sizeof(struct mark),
			   offsetof(struct mark, address), walk->last);
	bool is_free = i >= 0 && anchors->list.at[i].address == walk->last &&
		       anchors->list.at[i].list != MARK_FAST;

	return count_last(walk, is_free ? TALLY_FREE : TALLY_IN_USE, err);
}

/* Goes on behind what cannot be walked, and counts the gap. */
static bool leap(struct chunk_walk *walk, bool unread, struct ari_error *err)
{
	const struct marks *anchors;
	uint64_t next;

	if (!deadline_ok(walk->deadline, err) ||
	    !walk->anchors.get(walk->anchors.data, &anchors, err) ||
	    !count_last_unknown(walk, anchors, err) || !close_chain(walk, err) ||
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

/*
 * What main got in one piece ends in two fenceposts, or in three: where 48 bytes of
 * top were left, sysmalloc() keeps 16 of them as a chunk that nobody frees.
 * *ret: their bytes, 0 when there are none.
 */
static bool measure_fence(struct chunk_walk *walk, uint64_t word, uint64_t *ret,
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

/* Bytes from walk->at on that are neither a chunk's nor anybody else's. */
static bool pass_overhead(struct chunk_walk *walk, uint64_t bytes, struct ari_error *err)
{
	uint64_t end = walk->at + bytes;

	if (!close_chain(walk, err) ||
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
		if (!count_last(walk, word & CHUNK_PREV_INUSE, err))
			return false;
	} else if (left == CHUNK_FENCE && size == 0 &&
		   walk->at - walk->last == CHUNK_MIN) {
		walk->at = walk->last;
		left += CHUNK_MIN;
	} else {
		return true;
	}
	*ret = true;
	return pass_overhead(walk, left, err);
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
		if (!measure_fence(walk, word, &fence, err))
			return false;
		if (fence != 0) {
			return count_last(walk, word & CHUNK_PREV_INUSE, err) &&
			       pass_overhead(walk, fence, err) && leap(walk, false, err);
		}
	}
	add_damage(walk, damage_of(word), walk->at);
	return leap(walk, false, err);
}

/* Comes to the limit: top, or the end of what is walked. */
static bool arrive(struct chunk_walk *walk, struct ari_error *err)
{
	const struct segment *segment = walk->segment;
	unsigned int in_use = TALLY_IN_USE;
	uint64_t word, end = segment->top + segment->top_bytes;
	uint64_t to = segment->kind == SEGMENT_PIECES ? end : segment->to;
	uint8_t state;

	if (segment->top == 0 || walk->limit != segment->top) {
		if (!count_last(walk, TALLY_IN_USE, err) || !close_chain(walk, err))
			return false;
		walk->at = walk->last = segment->end;
		return true;
	}
	if (!chunks_header(walk, walk->at, &word, &state, err))
		return false;
	if (state == PAGE_PRESENT)
		in_use = word & CHUNK_PREV_INUSE;
	if (!count_last(walk, in_use, err) ||
	    (walk->pins.wanted != 0 &&
	     !pins_top(&walk->pins, &walk->books, segment->top, end, to, err)) ||
	    !books_top(&walk->books, segment->top, end, to, err))
		return false;
	walk->tally.top += segment->top_bytes;
	walk->at = walk->last = segment->end;
	return true;
}

/* The hot loop has ended: keeps what the reader may forget when it goes on. */
static bool leave_window(struct chunk_walk *walk, struct ari_error *err)
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

	if (!leave_window(walk, err))
		return false;
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

/* Until one of the two has come to its end. */
static bool walk_two_chains(struct chunk_walk *one, struct chunk_walk *other,
			    struct ari_error *err)
{
	while (one->at < one->segment->end && other->at < other->segment->end) {
		if (reader_holds(one->reader, one->at) &&
		    reader_holds(other->reader, other->at))
			run_windows(one, other);
		if (!step(one, err) || !step(other, err))
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
	uint64_t fence;

	*ret_end = 0;
	walk->last = walk->at;
	walk->limit = segment->end;
	if (segment->top >= walk->at)
		walk->limit = segment->top;
	for (;;) {
		if (reader_holds(walk->reader, walk->at))
			run_window(walk);
		if (!leave_window(walk, err))
			return false;
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
		if (!measure_fence(walk, word, &fence, err))
			return false;
		/* Pieces are of whole pages; what ends elsewhere is somebody's data. */
		if (fence == 0 || (walk->at + fence) % walk->reader->mem->page_bytes != 0)
			return true;
		*ret_end = walk->at + fence;
		return count_last(walk, word & CHUNK_PREV_INUSE, err) &&
		       pass_overhead(walk, fence, err);
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

/* What follows a chain that led nowhere is not followed anew from every page. */
static bool pay(struct chunk_walk *walk, uint64_t start)
{
	uint64_t steps = (walk->at - start) / CHUNK_MIN + 1;

	if (steps >= walk->steps_left)
		return false;
	walk->steps_left -= steps;
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
	struct books_sums sums;

	while (start < walk->segment->end) {
		size_t mark = walk->mark;

		before = walk->tally;
		sums = walk->books.sums;
		walk->at = start;
		if (!walk_piece(walk, &end, err))
			return false;
		if (end != 0 && !add_piece(walk, start, end, err))
			return false;
		if (end != 0) {
			tally_met(walk);
		} else {
			walk->tally = before;
			walk->books.sums = sums;
			walk->books.run = (struct books_run){ 0 };
			forget_met(walk);
			set_mark(walk, mark);
			if (!pay(walk, start))
				return true; /* the rest is unwalked */
			end = start - start % page + page;
		}
		start = end;
	}
	return true;
}

static bool begin(struct chunk_walk *walk, struct ari_error *err)
{
	const struct segment *segment = walk->segment;

	memset(&walk->tally, 0, sizeof(walk->tally));
	forget_met(walk);
	walk->damages = 0;
	walk->pieces.count = 0;
	walk->torn = walk->failed = false;
	walk->at = walk->last = segment->first;
	walk->hole = 0;
	walk->limit = segment->top != 0 ? segment->top : segment->end;
	walk->steps_left = STEPS_FOR_ALL + (segment->end - segment->first) / 4;
	set_mark(walk, 0);
	reader_begin(walk->reader, segment->from, segment->to, segment->top,
		     segment->top + segment->top_bytes);
	books_begin(&walk->books, walk->rules, walk->reader);
	pins_begin(&walk->pins, walk->pins_wanted, segment->first, segment->unmaps);
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

	tally_met(walk);
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
	       (walk->segment->kind == SEGMENT_PIECES ? walk_pieces(walk, err)
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
