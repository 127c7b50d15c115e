/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_STATES_H
#define MEM_STATES_H

#include "mem/mem.h"

/*
 * The states of single pages from all over the target, as links lead to them: a look
 * at the page tables costs as much as some hundred pages of it, so that whole blocks
 * are looked up and kept.  What it says may be older than the memory; forget with
 * states_forget() before a new look.
 */

#define STATES_BLOCK  1024 /* pages */
#define STATES_BLOCKS 256  /* of them are kept, at most */

struct states {
	struct mem *mem;
	uint8_t *states;	       /* STATES_BLOCK for each block */
	uint64_t block[STATES_BLOCKS]; /* its first address; 1: none */
};

/* ret for states_close(). */
bool states_open(struct mem *mem, struct states *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void states_close(struct states *states);
void states_forget(struct states *states);

/* As pages_lookup(), of the page that holds address. */
bool states_get(struct states *states, uint64_t address, uint8_t *ret,
		struct ari_error *err) __attribute__((warn_unused_result));

#endif
