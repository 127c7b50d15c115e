// SPDX-License-Identifier: Apache-2.0
/* Counting chunks, and the hot loop through the headers that a window holds. */
#include <string.h>

#include "walk/chain.h"

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

void chain_set_mark(struct chunk_walk *walk, size_t index)
{
	walk->mark = index;
	walk->next_mark = index < walk->marks->list.count
				  ? walk->marks->list.at[index].address
				  : ARI_UNKNOWN;
}

void chain_unmeet(struct chunk_walk *walk, size_t index)
{
	for (size_t i = index; i < walk->mark; i++)
		walk->marks->list.at[i].met = false;
	chain_set_mark(walk, index);
}

/* The mark of this very chunk, or NULL; passes marks that are no chunk's. */
static struct mark *take_mark(struct chunk_walk *walk, uint64_t chunk)
{
	struct mark *mark;

	while (walk->next_mark < chunk)
		chain_set_mark(walk, walk->mark + 1);
	if (walk->next_mark != chunk)
		return NULL;
	mark = &walk->marks->list.at[walk->mark];
	chain_set_mark(walk, walk->mark + 1);
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
 * says: a fastbin's chunk looks in use and has the bin's size, one in a thread's
 * cache does and still has its size, one of the unsorted bin is free.
 */
static enum books_chunk count_marked(struct chunk_walk *walk, uint64_t chunk,
				     uint64_t size, unsigned int in_use)
{
	struct mark *mark = take_mark(walk, chunk);

	if (mark != NULL && mark->list == MARK_FAST && in_use &&
	    size == fastbin_size(mark->index)) {
		count_size(&walk->tally.fast[mark->index], size, 1);
		return BOOKS_FAST;
	}
	if (mark != NULL && mark->list == MARK_TCACHE && in_use && size == mark->bytes) {
		count_size(&walk->tally.tcache[bin_of(size)], size, 1);
		mark->met = true;
		return BOOKS_TCACHE;
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
	if (books_is_open(&walk->books) || walk->all_closely)
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
	if ((walk->pins.wanted != 0 && (kind == BOOKS_IN_USE || kind == BOOKS_TCACHE) &&
	     !pins_chunk(&walk->pins, &walk->books, last, at, kind == BOOKS_TCACHE,
			 &walk->error)) ||
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

bool chain_close(struct chunk_walk *walk, struct ari_error *err)
{
	return (walk->pins.wanted == 0 || pins_close(&walk->pins, &walk->books, err)) &&
	       books_close(&walk->books, err);
}

bool chain_count_last(struct chunk_walk *walk, unsigned int in_use, struct ari_error *err)
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

void chain_run(struct chunk_walk *walk)
{
	struct chain chain = take_up(walk);

	while (chain.at < chain.stop && go_on(&chain))
		;
	put_down(&chain);
}

void chain_run_two(struct chunk_walk *one, struct chunk_walk *other)
{
	struct chain a = take_up(one), b = take_up(other);

	while (a.at < a.stop && b.at < b.stop)
		if (!go_on(&a) || !go_on(&b))
			break;
	put_down(&a);
	put_down(&b);
}

void chain_forget_met(struct chunk_walk *walk)
{
	memset(walk->met, 0, sizeof(walk->met));
}

void chain_tally_met(struct chunk_walk *walk)
{
	for (unsigned int in_use = 0; in_use < 2; in_use++)
		for (uint64_t i = CHUNK_MIN / 16; i < MET_TO / 16; i++)
			if (walk->met[in_use][i] > 0)
				count_plain(&walk->tally, 16 * i, in_use,
					    walk->met[in_use][i]);
	chain_forget_met(walk);
}
