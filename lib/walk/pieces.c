// SPDX-License-Identifier: Apache-2.0
/* A main arena of pieces: they are found, and proven, within mappings. */
#include "base/list.h"
#include "walk/chain.h"

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
			chain_run(walk);
		if (!chain_leave_window(walk, err))
			return false;
		if (walk->at == segment->top && segment->top != 0) {
			*ret_end = segment->top + segment->top_bytes;
			return chain_arrive(walk, err);
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
		if (!chain_measure_fence(walk, word, &fence, err))
			return false;
		/* Pieces are of whole pages; what ends elsewhere is somebody's data. */
		if (fence == 0 || (walk->at + fence) % walk->reader->mem->page_bytes != 0)
			return true;
		*ret_end = walk->at + fence;
		return chain_count_last(walk, word & CHUNK_PREV_INUSE, err) &&
		       chain_pass_overhead(walk, fence, err);
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

bool chain_walk_pieces(struct chunk_walk *walk, struct ari_error *err)
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
			chain_tally_met(walk);
		} else {
			walk->tally = before;
			walk->books.sums = sums;
			walk->books.run = (struct books_run){ 0 };
			chain_forget_met(walk);
			chain_unmeet(walk, mark);
			if (!pay(walk, start))
				return true; /* the rest is unwalked */
			end = start - start % page + page;
		}
		start = end;
	}
	return true;
}
