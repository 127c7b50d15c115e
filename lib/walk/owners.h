/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OWNERS_H
#define WALK_OWNERS_H

#include "base/set.h"
#include "target/locked.h"
#include "walk/walk.h"

/* Parts of the address space; in order and without overlaps after owned_order(). */
struct owned {
	ARI_LIST(struct span) list;
};

/*
 * Whose memory is what, where the kernel's maps do not tell: mappings of malloc,
 * stacks and others merge when they are neighbours.
 */
struct owners {
	struct owned heaps;    /* what arenas may use; of main, its segments */
	struct owned reserves; /* the rest of what the heaps of threads reserve */
	struct owned stacks;   /* of threads but the first; guards included */
	struct owned chunks;   /* whole mappings of mmapped chunks */
	bool heaps_known, chunks_known;
	struct set
		listed; /* from the start of such a mapping to 1 + its row in the model */
};

void owners_done(struct owners *owners);

/* An empty part is none. */
bool owned_add(struct owned *owned, uint64_t start, uint64_t end, struct ari_error *err)
	__attribute__((warn_unused_result));
bool owned_add_all(struct owned *to, const struct owned *from, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Sorts by address, and cuts what overlaps. */
void owned_order(struct owned *owned);

/* Sorts anew, the smallest first. */
void owned_order_by_size(struct owned *owned);

uint64_t owned_bytes(const struct owned *owned);

/* The part that holds address, or NULL; they must be in order of address. */
const struct span *owned_find(const struct owned *owned, uint64_t address);

/* From the model's arenas: heaps, reserves, heaps_known. */
bool owners_take_heaps(const struct walk *walk, struct owners *owners,
		       struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The stacks of the threads whose struct pthread is at these addresses: as it tells
 * itself, else the whole mapping that it lies in, for it lies at a stack's top.  Not
 * for the first thread: its stack is the kernel's [stack], its struct pthread lies
 * beside the libraries.
 */
bool owners_take_stacks(const struct walk *walk, const uint64_t *pthreads, size_t count,
			struct owners *owners, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Finds the mmapped chunks, which nothing leads to: by their headers, in private
 * anonymous memory that is not the heaps'.  Only pages that are present are read.
 * Fills owners->chunks, listed and model->mmapped, and the two totals anew.  What does
 * not add up to malloc's own counters leaves chunks_known false, and is noted.
 */
bool walk_mmapped(struct walk *walk, struct owners *owners, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * model->memory, each byte of the address space in one line, and the resident bytes
 * of the listed chunks.  Lines whose extent is not known stay empty.
 */
bool walk_memory(struct walk *walk, const struct owners *owners, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
