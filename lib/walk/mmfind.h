/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MMFIND_H
#define WALK_MMFIND_H

#include "walk/mmchunk.h"
#include "walk/owners.h"

/*
 * Where mmapped chunks are: nothing leads to them but their headers.  What is found is
 * held against malloc's own counters, `chunks` and `bytes`.
 */
struct mmfind {
	struct walk *walk;
	const struct owners *owners; /* heaps and stacks: there are none */
	uint64_t chunks, bytes;	     /* as malloc counts them */
	struct owned chains; /* those from where mappings start, one behind the other */
	struct owned strays; /* those found elsewhere */
	uint64_t chains_bytes, strays_bytes;

	struct mmchunk_reader reader;
	struct owned areas; /* private memory in a row, whoever has it */
	size_t pages_left, looks_left, probes;
};

/* ret for mmfind_close(). */
bool mmfind_open(struct walk *walk, const struct owners *owners, struct mmfind *ret,
		 struct ari_error *err) __attribute__((warn_unused_result));
void mmfind_close(struct mmfind *find);

/* Forgets what was found, and fills `chains`.  Cheap: a look for each mapping and chunk.
 */
bool mmfind_chains(struct mmfind *find, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Fills `strays`, from the pages that are present in the rest, until it adds up or a
 * million pages have been looked at.
 */
bool mmfind_strays(struct mmfind *find, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Is what was found all that malloc counts? */
bool mmfind_adds_up(const struct mmfind *find);

#endif
