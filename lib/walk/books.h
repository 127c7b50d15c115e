/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BOOKS_H
#define WALK_BOOKS_H

#include "mem/reader.h"
#include "target/locked.h"
#include "walk/runs.h"

/*
 * The resident books of one segment: what class each byte of a present page has
 * once malloc_trim(0) has merged the chunks of the fastbins, and which pages it would
 * then give back.  The walk tells of the chunks in order of address; only those that
 * are odd here cost anything: chunks over pages that are not resident, free chunks of
 * a page or more, chunks of a fastbin.
 *
 * Sources: mtrim(), systrim() and malloc_consolidate() in malloc/malloc.c of the
 * releases 2.10 to 2.43.
 */

/* What malloc_trim(0) does in this arena. */
struct trim_rules {
	bool skips; /* nothing: the arena is marked corrupt */
	bool is_main;
	uint64_t brk_end;   /* main: where brk ends, a page's; else 0 */
	uint64_t step;	    /* tops are lowered by multiples of it */
	uint64_t threshold; /* a top from this size on is trimmed by free() */
	uint64_t top_pad;   /* of which it leaves so much */
	/* mlocked, in order of address: they give nothing back */
	const struct span *locked;
	size_t locked_count;
};

/* Sums over segments by books_add(). */
struct books_sums {
	/* bytes of chunks that are not resident */
	uint64_t holes_free, holes_in_use, holes_tcache;
	/* resident bytes of free chunks that are in one of the other classes */
	uint64_t not_pinned;
	uint64_t trimmable, trimmable_swapped;
	uint64_t retained_top, metadata, unwalked;
	uint64_t locked; /* would be trimmable if their mapping were not locked */
};

void books_add(struct books_sums *to, const struct books_sums *from);

enum books_chunk {
	BOOKS_IN_USE,
	BOOKS_TCACHE, /* in a thread's cache: malloc_trim() leaves it as it is */
	BOOKS_FREE,   /* in a bin */
	BOOKS_FAST,   /* in a fastbin: free once they are merged */
};

/* Chunks that malloc_trim finds as one free chunk. */
struct books_run {
	uint64_t start, end; /* equal: there is none */
	bool merged;	     /* a chunk of a fastbin is among them */
	bool whole;	     /* all of it is resident, and was not looked up */
	uint64_t inside;     /* pages from here to the last whole one may go back */
	struct reader_below below_start, below_inside, below_last;
};

struct books {
	const struct trim_rules *rules;
	struct reader *reader;
	struct books_sums sums;
	struct runs *runs; /* told what every byte is, and given every chunk; or NULL */
	struct books_run run;
	/* the run closed last: where it ends, and what it gives back */
	struct {
		uint64_t end, gives;
	} closed;
	/* what lies below two addresses, kept from before the reader went on */
	struct {
		uint64_t address;
		struct reader_below below;
	} kept[2];
};

void books_begin(struct books *books, const struct trim_rules *rules,
		 struct reader *reader);

/*
 * The functions below return false when page states cannot be had (ARI_GONE,
 * ARI_DENIED, ARI_NO_MEMORY).
 */

/*
 * The chunk at `at` is not whole in the window: keeps what lies below it and below its
 * first whole page, since the reader forgets both when it goes on.
 */
bool books_keep(struct books *books, uint64_t at, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * A chunk [at, end), `whole` when all its bytes are known to be resident; those in
 * between that are not told are whole, and no run's: in use, or free and too small to
 * give pages back.
 */
bool books_chunk(struct books *books, uint64_t at, uint64_t end, enum books_chunk kind,
		 bool whole, struct ari_error *err) __attribute__((warn_unused_result));

/* Bytes of [at, end) that are no chunk's go to *sum, a member of books->sums. */
bool books_other(struct books *books, uint64_t at, uint64_t end, uint64_t *sum,
		 struct ari_error *err) __attribute__((warn_unused_result));

/* The chain of chunks ends, or breaks. */
bool books_close(struct books *books, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Top, from `at` to `end`; what lies behind it in the segment, to `to`, is its too. */
bool books_top(struct books *books, uint64_t at, uint64_t end, uint64_t to,
	       struct ari_error *err) __attribute__((warn_unused_result));

/* Adds what is resident of [at, end) to *sum, for the functions below; counts nothing. */
bool books_resident(struct books *books, uint64_t at, uint64_t end, uint64_t *sum,
		    struct ari_error *err) __attribute__((warn_unused_result));

/* One chunk [at, end) as if it were free, for the functions below; counts nothing. */
bool books_measure(struct books *books, uint64_t at, uint64_t end, struct books_run *ret,
		   struct ari_error *err) __attribute__((warn_unused_result));

/* What malloc_trim(0) would give back of a run. */
bool books_gives(struct books *books, const struct books_run *run,
		 struct reader_below *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* A top [at, end) that keeps `pad` bytes and goes down by steps: where it ends then. */
uint64_t books_lowered(const struct books *books, uint64_t at, uint64_t end,
		       uint64_t pad);

/* Where main's top [at, end) ends once systrim() has lowered brk; `end` if it does not.
 */
uint64_t books_brk_kept(const struct books *books, uint64_t at, uint64_t end);

/* From this size on pages of a free chunk may go back. */
uint64_t books_least(uint64_t page_bytes);

static inline bool books_run_is_empty(const struct books_run *run)
{
	return run->start == run->end;
}

/* Is a run open that the next chunk may belong to? */
static inline bool books_is_open(const struct books *books)
{
	return !books_run_is_empty(&books->run);
}

#endif
