/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_PROVE_H
#define WALK_PROVE_H

#include "mem/view.h"

/*
 * Whether a layout, laid over an address, shows what only glibc's malloc looks
 * like.  A table or debug information is believed when the process itself agrees.
 * Rules: which bytes malloc_init_state(), arena_get2() and sysmalloc() leave.
 */
struct proof {
	bool passed;
	const char *failed; /* the check of main_arena that did not pass, for people */
	/*
	 * Nothing but main_arena's top or numbers failed: damage, if something
	 * else says that this is main_arena.
	 */
	bool may_be_damaged;
	/* What did not hold beyond main_arena: damage, or a layout that is wrong. */
	size_t odd;
	bool numbers_hold; /* main_arena's */
	const char *odd_check;
	bool initialised; /* false: malloc has not been called yet */
	size_t empty_bins, arenas, tops;
	uint64_t top, top_end, system_bytes, flags; /* main_arena's */
};

/*
 * malloc_state and heap_info: bins, numbers, ring, heap headers, tops.
 * heap_span is that of walk.h, or 0 when it is not known.
 */
bool prove_state(struct mem *mem, const struct layout *layout, uint64_t address,
		 uint64_t heap_span, struct proof *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* malloc_par: the ranges that its members keep, against main_arena's proof. */
bool prove_par(struct mem *mem, const struct layout *layout, uint64_t address,
	       const struct proof *state, struct proof *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* A first look at bytes of the process, without reading more: can this be one? */
bool prove_may_be_state(const struct layout *layout, const uint8_t *bytes, size_t length,
			uint64_t address);
bool prove_may_be_par(const struct layout *layout, const uint8_t *bytes, size_t length);

#endif
