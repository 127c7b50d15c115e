// SPDX-License-Identifier: Apache-2.0
/* How a walk that lost its way finds a chunk again. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"
#include "walk/chunks.h"

#define CANDIDATES    256   /* headers that are followed at a time */
#define STEPS_UNTIMED 65536 /* between two looks at the clock */
#define ENOUGH_STEPS  32    /* headers in a row that no chance makes */

/* The next member of a list behind `from` whose header can be read. */
static bool next_anchor(struct chunk_walk *walk, uint64_t from, uint64_t *ret,
			struct ari_error *err)
{
	const struct marks *anchors;
	ptrdiff_t i;
	uint64_t word;
	uint8_t state;

	if (!walk->anchors.get(walk->anchors.data, &anchors, err))
		return false;
	*ret = walk->limit;
	i = list_floor(anchors->list.at, anchors->list.count, sizeof(struct mark),
		       offsetof(struct mark, address), from);
	for (i++; (size_t)i < anchors->list.count; i++) {
		uint64_t anchor = anchors->list.at[i].address;

		if (anchor >= walk->limit)
			return true;
		if (!chunks_header(walk, anchor, &word, &state, err))
			return false;
		if (state == PAGE_PRESENT &&
		    chunk_is_possible(word, anchor, walk->limit)) {
			*ret = anchor;
			return true;
		}
	}
	return true;
}

/* Chains that are followed side by side, by where each stands. */
struct race {
	uint64_t at[CANDIDATES];
	size_t count;
};

static size_t hindmost(const struct race *race)
{
	size_t least = 0;

	for (size_t i = 1; i < race->count; i++)
		if (race->at[i] < race->at[least])
			least = i;
	return least;
}

static void drop(struct race *race, size_t i)
{
	race->at[i] = race->at[--race->count];
}

/* Chains that meet are one from there on. */
static void move(struct race *race, size_t i, uint64_t to)
{
	for (size_t n = 0; n < race->count; n++) {
		if (n != i && race->at[n] == to) {
			drop(race, i);
			return;
		}
	}
	race->at[i] = to;
}

/*
 * Follows every possible header of one page until those that lead to `goal`
 * agree.  One alone may be what an old free chunk left behind in memory that is
 * in use; what they all run into is the chain.  A chain that is alone for
 * ENOUGH_STEPS is believed where it comes to a page that is not read, since
 * nothing behind can speak for it.
 *
 * *ret is 0 when none gets there; *ret_unread, where that was for want of a page.
 */
static bool race_to(struct chunk_walk *walk, struct race *race, uint64_t goal,
		    uint64_t *ret, uint64_t *ret_unread, struct ari_error *err)
{
	size_t alone = 0;

	*ret = *ret_unread = 0;
	for (; race->count > 0 && walk->steps_left > 0; walk->steps_left--) {
		size_t i = hindmost(race);
		uint64_t at = race->at[i], word;
		uint8_t state;

		if (at == goal) {
			*ret = *ret == 0 ? goal : *ret;
			return true;
		}
		if (race->count == 1 && alone++ == 0)
			*ret = at;
		if ((walk->steps_left % STEPS_UNTIMED == 0 &&
		     !deadline_ok(walk->deadline, err)) ||
		    !chunks_header(walk, at, &word, &state, err))
			return false;
		if (state != PAGE_PRESENT && state != PAGE_ABSENT) {
			*ret_unread = at;
			if (race->count == 1 && alone > ENOUGH_STEPS)
				return true;
		}
		if (state == PAGE_PRESENT && chunk_is_possible(word, at, goal)) {
			move(race, i, at + (word & ~(uint64_t)CHUNK_FLAGS));
			continue;
		}
		drop(race, i);
	}
	*ret = 0;
	return true;
}

/*
 * The 16-aligned addresses of [from, end of its page) with a possible header, as many as
 * are followed at a time; *ret_next is where others may be.
 */
static bool line_up(struct chunk_walk *walk, uint64_t from, uint64_t goal,
		    struct race *race, uint64_t *ret_next, struct ari_error *err)
{
	uint64_t page = walk->reader->mem->page_bytes, end = from - from % page + page;
	uint64_t word;
	uint8_t state;

	race->count = 0;
	*ret_next = end;
	for (uint64_t at = from; at < end && at < goal; at += 16) {
		if (race->count == CANDIDATES) {
			*ret_next = at;
			break;
		}
		if (!chunks_header(walk, at, &word, &state, err))
			return false;
		if (state != PAGE_PRESENT)
			return true;
		if (chunk_is_possible(word, at, goal))
			race->at[race->count++] = at;
	}
	return true;
}

/*
 * Page by page, until the headers of one lead to the goal.  Where they came to a
 * page that is not read, those of the pages in between would come there too.
 */
static bool next_candidate(struct chunk_walk *walk, uint64_t from, uint64_t goal,
			   uint64_t *ret, struct ari_error *err)
{
	uint64_t page = walk->reader->mem->page_bytes, unread, next;
	struct race race;

	while (from < goal && walk->steps_left > 0) {
		if (!deadline_ok(walk->deadline, err) ||
		    !line_up(walk, from, goal, &race, &next, err) ||
		    !race_to(walk, &race, goal, ret, &unread, err))
			return false;
		if (*ret != 0)
			return true;
		from = unread > from ? unread - unread % page + page : next;
	}
	*ret = goal;
	return true;
}

bool chunks_resume(struct chunk_walk *walk, bool unread, uint64_t *ret,
		   struct ari_error *err)
{
	uint64_t goal;

	if (!next_anchor(walk, walk->at, &goal, err))
		return false;
	*ret = goal;
	/*
	 * Odd bytes in memory that can be read are damage, or move: only a list
	 * is believed then, but for main's brk, where others may have called sbrk.
	 * A heap's end is no chunk: chains to it prove nothing.
	 */
	if ((!unread && walk->segment->kind != SEGMENT_BRK) ||
	    (goal == walk->limit && walk->segment->top == 0))
		return true;
	return next_candidate(walk, walk->at, goal, ret, err);
}
