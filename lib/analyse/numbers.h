/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_NUMBERS_H
#define ANALYSE_NUMBERS_H

#include "arenainspect.h"

/*
 * The numbers that verdicts rest on, each with a name: that of the document's key where
 * it is one, and else one of its own.  What ends in _bytes is bytes.
 */
enum number {
	NO_NUMBER,
#define NUMBER(id, ...) id,
#include "analyse/numbers.def"
#undef NUMBER
	NUMBERS
};

struct amount {
	uint64_t value; /* ARI_UNKNOWN: not known */
	bool at_least;	/* of arenas that were torn nothing is in it */
};

/*
 * The number of a model.  A sum over arenas of which one term is not known is not
 * known; arenas that were torn are left out, and then it is a least amount.
 */
struct amount number_of(const struct ari_model *model, enum number number);

const char *number_name(enum number number);

/* The number of that name, which has `length` bytes; NO_NUMBER: there is none. */
enum number number_find(const char *name, size_t length);

bool number_is_bytes(enum number number);

/*
 * Of one arena: what is "free inside malloc", where chunks in threads' caches count if
 * they are known; and what its heaps have in swap.
 */
uint64_t number_free_of(const struct ari_arena *arena);
uint64_t number_swapped_of(const struct ari_arena *arena);

/* Of all heaps the one whose last live chunk keeps most in it; NULL: none, or unknown. */
const struct ari_heap *number_pinned_heap(const struct ari_model *model,
					  const struct ari_arena **ret_arena);

#endif
