// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "walk/bins.h"
#include "walk/chunk.h"
#include "walk/marks.h"

#define CHECK_EVERY 256 /* chunks, for the time */

struct chase {
	struct peek *peek;
	const struct view *state;
	struct deadline deadline;
	uint64_t left; /* chunks that there may still be */
	uint64_t room; /* and that may still be followed */
	struct marks *marks;
	/* Of the list that is followed: a chunk of it, and how long it stays. */
	uint64_t milestone, since, stays;
};

/* A list begins. */
static void set_out(struct chase *chase)
{
	chase->milestone = 0;
	chase->since = 0;
	chase->stays = 1;
}

/*
 * Whether the list has come back to a chunk of it: else a loop would fill our memory
 * until all of the arena's were counted.  Brent's: the milestone moves on after 1, 2,
 * 4, ... chunks, so that it stands in the loop once it stays for longer than one round.
 */
static bool comes_back(struct chase *chase, uint64_t chunk)
{
	if (chunk == chase->milestone)
		return true;
	if (++chase->since == chase->stays) {
		chase->milestone = chunk;
		chase->since = 0;
		chase->stays *= 2;
	}
	return false;
}

static uint64_t offset_of(const struct chase *chase, enum layout_member member)
{
	return chase->state->layout->members[member].offset;
}

/* Safe-linking: a link is stored xored with the page number of its place. */
static uint64_t unmask(const struct chase *chase, uint64_t place, uint64_t link)
{
	return chase->state->layout->traits[TRAIT_SAFE_LINKING] ? place >> 12 ^ link
								: link;
}

static bool add(struct chase *chase, uint64_t chunk, uint64_t bytes, enum mark_list list,
		unsigned int index, struct ari_error *err)
{
	struct mark *mark = list_add(&chase->marks->list, err);

	if (mark == NULL)
		return false;
	*mark = (struct mark){
		.address = chunk, .bytes = bytes, .list = list, .index = index
	};
	return true;
}

enum look { LOOK_CHUNK, LOOK_ASTRAY, LOOK_UNREAD, LOOK_ENOUGH };

/* The size and the link of a chunk, and whether there can be one. */
static bool look(struct chase *chase, uint64_t chunk, uint64_t *ret_bytes,
		 uint64_t *ret_link, enum look *ret, struct ari_error *err)
{
	unsigned int address_bits = chase->state->layout->arch->address_bits;
	bool ok;

	*ret = LOOK_ASTRAY;
	if (chunk % CHUNK_ALIGN != 0 || chunk >> address_bits != 0 || chase->left == 0 ||
	    comes_back(chase, chunk))
		return true;
	*ret = LOOK_ENOUGH;
	if (chase->room == 0)
		return true;
	if (chase->room % CHECK_EVERY == 0 && !deadline_ok(chase->deadline, err))
		return false;
	chase->left--;
	chase->room--;
	*ret = LOOK_UNREAD;
	if (!peek_word(chase->peek, chunk + offset_of(chase, MC_SIZE), ret_bytes, &ok,
		       err))
		return false;
	if (!ok)
		return true;
	*ret_bytes &= ~(uint64_t)CHUNK_FLAGS;
	if (!peek_word(chase->peek, chunk + offset_of(chase, MC_FD), ret_link, &ok, err))
		return false;
	*ret = ok ? LOOK_CHUNK : LOOK_UNREAD;
	return true;
}

/* The list ends here, before its end. */
static void give_up(struct chase *chase, uint64_t chunk, enum look why)
{
	if (why == LOOK_ENOUGH)
		chase->marks->cut = true;
	/* No free chunk lies on a page that is absent: its header has been written. */
	else if (why == LOOK_UNREAD && chase->peek->state != PAGE_ABSENT)
		chase->marks->unread = true;
	else if (chase->marks->astray == 0)
		chase->marks->astray = chunk;
}

static bool chase_fastbin(struct chase *chase, unsigned int index, struct ari_error *err)
{
	uint64_t chunk = view_at(chase->state, MS_FASTBINS, index), bytes, link;
	enum look found;

	set_out(chase);
	while (chunk != 0) {
		if (!look(chase, chunk, &bytes, &link, &found, err))
			return false;
		if (found == LOOK_CHUNK && bytes != fastbin_size(index))
			found = LOOK_ASTRAY;
		if (found != LOOK_CHUNK) {
			give_up(chase, chunk, found);
			return true;
		}
		if (!add(chase, chunk, bytes, MARK_FAST, index, err))
			return false;
		chunk = unmask(chase, chunk + offset_of(chase, MC_FD), link);
	}
	return true;
}

/* A bin's list ends where its head, seen as a chunk, begins. */
static uint64_t head_of(const struct chase *chase, unsigned int bin)
{
	return view_address(chase->state, MS_BINS, 2 * (size_t)(bin - 1)) -
	       offset_of(chase, MC_FD);
}

static bool fits_bin(uint64_t bytes, unsigned int bin)
{
	return bytes >= fastbin_size(0) && (bin == BIN_UNSORTED || bin_of(bytes) == bin);
}

static bool chase_bin(struct chase *chase, unsigned int bin, struct ari_error *err)
{
	uint64_t chunk = view_at(chase->state, MS_BINS, 2 * (size_t)(bin - 1));
	uint64_t head = head_of(chase, bin), bytes, link;
	enum look found;

	set_out(chase);
	while (chunk != head && chunk != 0) {
		if (!look(chase, chunk, &bytes, &link, &found, err))
			return false;
		if (found == LOOK_CHUNK && !fits_bin(bytes, bin))
			found = LOOK_ASTRAY;
		if (found != LOOK_CHUNK) {
			give_up(chase, chunk, found);
			return true;
		}
		if (!add(chase, chunk, bytes,
			 bin == BIN_UNSORTED ? MARK_UNSORTED : MARK_BINNED, bin, err))
			return false;
		chunk = link;
	}
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct mark *left = a, *right = b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* A chunk can be in one list only: the second naming is a loop, or a lie. */
void marks_sort(struct marks *marks)
{
	size_t kept = 0;

	if (marks->list.count == 0)
		return;
	qsort(marks->list.at, marks->list.count, sizeof(struct mark), by_address);
	for (size_t i = 1; i < marks->list.count; i++) {
		if (marks->list.at[i].address == marks->list.at[kept].address)
			marks->astray = marks->list.at[i].address;
		else
			marks->list.at[++kept] = marks->list.at[i];
	}
	marks->list.count = kept + 1;
}

static bool chase_all(struct chase *chase, unsigned int last_bin, struct ari_error *err)
{
	for (unsigned int i = 0; view_has(chase->state, MS_FASTBINS) && i < FASTBINS; i++)
		if (!chase_fastbin(chase, i, err))
			return false;
	for (unsigned int bin = BIN_UNSORTED; bin <= last_bin; bin++)
		if (!chase_bin(chase, bin, err))
			return false;
	return true;
}

static bool read_marks(struct peek *peek, const struct view *state,
		       const struct marks_bounds *bounds, unsigned int last_bin,
		       struct marks *ret, struct ari_error *err)
{
	struct marks marks = { 0 };
	struct chase chase = {
		.peek = peek,
		.state = state,
		.deadline = bounds->deadline,
		.left = bounds->chunks,
		.room = bounds->marks,
		.marks = &marks,
	};

	peek_forget(peek);
	if (!chase_all(&chase, last_bin, err)) {
		marks_done(&marks);
		return false;
	}
	marks_sort(&marks);
	*ret = marks;
	return true;
}

bool marks_read(struct peek *peek, const struct view *state,
		const struct marks_bounds *bounds, struct marks *ret,
		struct ari_error *err)
{
	return read_marks(peek, state, bounds, BIN_UNSORTED, ret, err);
}

bool marks_read_bins(struct peek *peek, const struct view *state,
		     const struct marks_bounds *bounds, struct marks *ret,
		     struct ari_error *err)
{
	return read_marks(peek, state, bounds, BIN_LAST, ret, err);
}

/* Appends, unless the last has the address. */
static bool append(struct marks *marks, const struct mark *from, struct ari_error *err)
{
	size_t count = marks->list.count;
	struct mark *mark;

	if (count > 0 && marks->list.at[count - 1].address == from->address)
		return true;
	mark = list_add(&marks->list, err);
	if (mark != NULL)
		*mark = *from;
	return mark != NULL;
}

bool marks_merge(struct marks *marks, const struct mark *more, size_t count,
		 struct ari_error *err)
{
	struct marks own = *marks;
	size_t i = 0, n = 0;
	bool done = true;

	if (count == 0)
		return true;
	marks->list.raw = (struct ari_list){ 0 };
	while (done && (i < own.list.count || n < count)) {
		bool is_own = i < own.list.count &&
			      (n == count || own.list.at[i].address <= more[n].address);

		done = append(marks, is_own ? &own.list.at[i++] : &more[n++], err);
	}
	marks_done(&own);
	return done;
}

void marks_done(struct marks *marks)
{
	list_done(&marks->list);
}
