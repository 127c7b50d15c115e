/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_CHUNK_H
#define WALK_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

/* What every chunk of malloc is made of (struct malloc_chunk, malloc/malloc.c). */

/* Flags in the size word. */
#define CHUNK_PREV_INUSE 1u
#define CHUNK_MMAPPED	 2u /* IS_MMAPPED */
#define CHUNK_FLAGS	 7u /* PREV_INUSE, IS_MMAPPED, NON_MAIN_ARENA */

/* Of all 64-bit machines. */
#define CHUNK_ALIGN 16u /* MALLOC_ALIGNMENT */
#define CHUNK_MIN   32u /* MINSIZE */
#define CHUNK_FENCE 16u /* a fencepost: a header and nothing else */
#define CHUNK_HEAD  48u /* sizeof: the header and all links that a free one may have */

/* Whether a header can be one of a chunk at `at` that ends at limit or before. */
static inline bool chunk_is_possible(uint64_t word, uint64_t at, uint64_t limit)
{
	/* IS_MMAPPED, and the bit of 8 in a multiple of 16, are never set. */
	return (word & 10u) == 0 && limit - at >= CHUNK_MIN &&
	       (word & ~(uint64_t)CHUNK_FLAGS) - CHUNK_MIN <= limit - at - CHUNK_MIN;
}

static inline uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

#endif
