/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_CHUNKS_H
#define WALK_CHUNKS_H

#include "base/clock.h"
#include "base/list.h"
#include "layout/layout.h"
#include "mem/reader.h"
#include "model/model.h"
#include "walk/bins.h"
#include "walk/books.h"
#include "walk/chunk.h"
#include "walk/marks.h"
#include "walk/pins.h"

/*
 * The physical walk: from the first chunk of a piece of an arena's memory to its
 * end, by the sizes in the chunks' headers.  What a chunk is shows in the header
 * behind it (PREV_INUSE); links are not followed.
 */

struct tally_sizes {
	uint64_t chunks, bytes;
	uint64_t least, most; /* sizes met; of no meaning while chunks is 0 */
};

enum { TALLY_FREE, TALLY_IN_USE };

/* What was met, every chunk in one place.  Sums over pieces by tally_add(). */
struct tally {
	uint64_t small[2][BINS_SMALL]; /* chunks of 16 times the index; 0 and 1 unused */
	struct tally_sizes large[2][BINS - BINS_SMALL];
	struct tally_sizes fast[FASTBINS];
	/* by the bin that their members' sizes belong to */
	struct tally_sizes unsorted[BINS], tcache[BINS];
	uint64_t top, overhead, unread, unwalked; /* bytes */
	uint64_t breaks;			  /* where the chain of headers broke */
	struct books_sums resident;
};

void tally_add(struct tally *to, const struct tally *from);

/* All bytes of a tally. */
uint64_t tally_bytes(const struct tally *tally);

enum segment_kind {
	SEGMENT_HEAP,	/* of a thread's arena; ends at top or in fenceposts */
	SEGMENT_BRK,	/* main's, up to top; may have gaps where others called sbrk */
	SEGMENT_PIECES, /* a mapping with pieces of main's in it */
};

struct segment {
	enum segment_kind kind;
	uint64_t from, to; /* what is counted: the pages of the arena */
	uint64_t first;	   /* the first chunk */
	uint64_t end;	   /* what is walked ends here */
	uint64_t top;	   /* 0: top is not in it */
	uint64_t top_bytes;
	bool unmaps; /* a heap that free() unmaps once all of it is free */
	bool mapped; /* as reader.h's */
};

/* Pieces side by side, as one. */
struct piece {
	uint64_t start, end;
};

#define CHUNK_DAMAGE_MAX 16

/*
 * Smaller chunks are counted by their very size, and tallied when the walk ends.
 * Where pages are of 4 KiB, one more than these may hold a page that can go back.
 */
#define MET_TO ((uint64_t)4144)

struct chunk_damage {
	enum damage id;
	uint64_t address;
};

/*
 * Where else a walk may go on: the members of all bins of the arena, sorted.
 * Asked for only when a walk has lost its way; may be called by several workers.
 */
struct anchors {
	bool (*get)(void *data, const struct marks **ret, struct ari_error *err);
	void *data;
};

struct chunk_walk {
	const struct layout *layout;
	struct reader *reader;
	struct marks *marks; /* `met` is set in them; each lies in one segment */
	struct anchors anchors;
	const struct segment *segment;
	const struct trim_rules *rules;
	size_t pins_wanted; /* 0: none, which is faster */
	bool runs_wanted;   /* what every page is; slower, too */
	struct deadline deadline;
	/* what comes out */
	struct tally tally;
	struct chunk_damage damage[CHUNK_DAMAGE_MAX];
	size_t damages;
	struct ari_last_chunk last_chunk; /* in front of top; address 0: none */
	bool torn;			  /* the chain broke where memory could be read */
	struct runs runs;		  /* when they are wanted, for runs_fill() */
	ARI_LIST(struct piece) pieces;	  /* SEGMENT_PIECES: what proved to be main's */
	/* where it stands */
	uint64_t at;	    /* the header to be read next */
	uint64_t last;	    /* the chunk in front of it, whose state is not known
			       yet; the same address: there is none */
	size_t mark;	    /* the first mark at `last` or behind */
	uint64_t next_mark; /* its address, ARI_UNKNOWN: none is left */
	uint64_t hole;	    /* where pages begin that are not resident, or not seen */
	uint64_t event;	    /* a chunk that reaches beyond is looked at closely */
	bool all_closely;   /* and so is each, wherever it is */
	uint64_t limit;	    /* no chunk reaches beyond: top, or the end */
	struct books books;
	struct pins pins;
	bool failed; /* within the hot loop; then `error` says why */
	struct ari_error error;
	uint64_t steps_left; /* of looking for the way; not endless */
	/* chunks of 16 times the index that are not in the tally yet */
	uint64_t met[2][MET_TO / 16];
};

/*
 * Walks one segment; the members behind "what comes out" are set.  False: nothing
 * more can be read (ARI_GONE, ARI_DENIED, ARI_TIMED_OUT, ARI_NO_MEMORY).
 */
bool walk_chunks(struct chunk_walk *walk, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The same for two, which must have readers of their own: while the one waits for a
 * header to come from the cache, the other is worked on.  No SEGMENT_PIECES.
 */
bool walk_chunks_of_two(struct chunk_walk *one, struct chunk_walk *other,
			struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Where to go on behind walk->at (resume.c): the next anchor whose header can be
 * read, or what the chains of all possible headers agree on; walk->limit when
 * there is nothing.  `unread`: what stopped the walk is a page that is not read.
 */
bool chunks_resume(struct chunk_walk *walk, bool unread, uint64_t *ret,
		   struct ari_error *err) __attribute__((warn_unused_result));

/* The header's size word at address; *ret_state as reader_reach(). */
bool chunks_header(struct chunk_walk *walk, uint64_t address, uint64_t *ret,
		   uint8_t *ret_state, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
