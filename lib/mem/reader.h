/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_READER_H
#define MEM_READER_H

#include "base/clock.h"
#include "mem/mem.h"

/*
 * Goes through a range of the target's memory once, upwards, in windows that are
 * read in one call: only pages that are present are read, and where the caller
 * jumps, what lies between is not.  Counts the pages of the range on the way.
 * One reader serves one worker; its buffers are used again for every range.
 */

#define READER_BLOCK 1024 /* pages whose states are looked up at once */

/* Bytes of the pages of [from, to), by state. */
struct reader_count {
	uint64_t from, to;
	uint64_t resident, swapped, huge;
	uint64_t untold; /* it is not told whether they are in RSS */
	uint64_t unseen; /* of those: may not be looked at, and are not read */
};

/* Bytes of pages below an address, from the range's first page on. */
struct reader_below {
	uint64_t resident, swapped;
};

/* Pages of a block in one state, from that index on. */
struct reader_run {
	uint16_t from;
	uint16_t resident, swapped; /* pages of the block in front of it */
	uint8_t state;		    /* without PAGE_IS_HUGE */
};

/* Pages in a row in one state, without PAGE_IS_HUGE. */
struct reader_pages {
	uint64_t pages;
	uint8_t state;
};

/* All pages of the range in order, for a caller that wants to know each. */
struct reader_kept {
	bool wanted;
	bool over; /* more than READER_KEPT_MOST: the list ends there */
	ARI_LIST(struct reader_pages) list;
};

#define READER_KEPT_MOST ((size_t)1 << 22)

/* What lies below `from` and below all behind it, up to the next of these. */
struct reader_sum {
	uint64_t from;
	struct reader_below below;
};

struct reader {
	struct mem *mem;
	struct deadline deadline; /* the caller's; none when zeroed */
	bool mapped; /* the caller's: all of the range is plain memory by *mem->maps */
	unsigned int page_shift; /* pages of 1 << page_shift bytes */
	uint8_t *window;
	uint64_t start, end; /* the window holds these addresses */
	size_t want;	     /* how much to read next */
	uint64_t limit;	     /* end of the range, a page's */
	uint64_t block;	     /* the first address of the block of states */
	struct reader_below below_block;
	uint64_t counted;    /* blocks below have been counted */
	unsigned int absent; /* blocks in a row up to there without a page */
	struct reader_count all, top;
	uint8_t states[READER_BLOCK];
	struct reader_run runs[READER_BLOCK]; /* of the block, in order */
	size_t runs_count;
	/* Where a block that was counted ends and has added something, upwards. */
	ARI_LIST(struct reader_sum) sums;
	struct reader_kept kept; /* `wanted` is the caller's, before reader_begin() */
};

/* ret for reader_close(). */
bool reader_open(struct mem *mem, struct reader *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void reader_close(struct reader *reader);

/*
 * Starts on [from, to); pages of [top, top_end), which may be empty, are counted
 * apart too.
 */
void reader_begin(struct reader *reader, uint64_t from, uint64_t to, uint64_t top,
		  uint64_t top_end);

/*
 * Counts what is left of the range, so that the counts are whole.  This, and all that
 * goes on in the range, fails with ARI_TIMED_OUT behind the deadline.
 */
bool reader_finish(struct reader *reader, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Makes the window hold the page of address (in the range).  *ret_state says why
 * it does not: PAGE_ABSENT (it holds zeros), PAGE_SWAPPED, PAGE_UNREADABLE; else
 * PAGE_PRESENT.  Pages in the window that are not present show as zeros.
 */
bool reader_reach(struct reader *reader, uint64_t address, uint8_t *ret_state,
		  struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Reads what two readers of the same memory need to reach an address each in one call,
 * where both need something: a call costs as much as reading some pages more.  What is
 * not reached then, because a page of it cannot be read, is left to reader_reach().
 */
bool reader_reach_two(struct reader *one, uint64_t address, struct reader *other,
		      uint64_t other_address, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * What lies below address, which is in the range or its end; no address in front of
 * the range's first is below.  Differences of two are what lies between.
 */
bool reader_below(struct reader *reader, uint64_t address, struct reader_below *ret,
		  struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The first address at `address` or behind it, in the window, that is not resident;
 * the window's end when all are.
 */
uint64_t reader_hole(const struct reader *reader, uint64_t address);

static inline bool reader_holds(const struct reader *reader, uint64_t address)
{
	return address >= reader->start && address < reader->end;
}

/* Where the window has the byte of address, which it must hold. */
static inline const uint8_t *reader_at(const struct reader *reader, uint64_t address)
{
	return reader->window + (address - reader->start);
}

#endif
