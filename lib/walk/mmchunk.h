/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MMCHUNK_H
#define WALK_MMCHUNK_H

#include "walk/walk.h"

/*
 * One mmapped chunk, recognized by its header: mmap(2) gave it a mapping of its own,
 * of whole pages, at whose start malloc wrote a header.  With an alignment asked for,
 * the one that counts is further on, and says how far in prev_size; the first one stays
 * as it was, whatever mremap(2) made of the mapping later.
 */
struct mmchunk {
	uint64_t start, end; /* the mapping */
	uint64_t chunk;	     /* where the header is */
};

struct mmchunk_reader {
	struct walk *walk;
	uint8_t *page;	   /* the last that was read */
	size_t pages_left; /* for headers far behind the start */
};

/* ret for mmchunk_close(). */
bool mmchunk_open(struct walk *walk, struct mmchunk_reader *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void mmchunk_close(struct mmchunk_reader *reader);

/* Before a search: there is a bound to what is read beside the chunks' first pages. */
void mmchunk_begin(struct mmchunk_reader *reader);

/*
 * Bytes of the mapping, when two words (prev_size and size) at `offset` of it are an
 * mmapped chunk's header; else 0.
 */
uint64_t mmchunk_bytes(const struct walk *walk, const uint64_t words[2], uint64_t offset);

/*
 * Does a chunk's mapping start at `start`, a page's address, and end at `limit` or in
 * front of it?  *ret_found says so; pages that are not present hold none.
 */
bool mmchunk_at(struct mmchunk_reader *reader, uint64_t start, uint64_t limit,
		struct mmchunk *ret, bool *ret_found, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
