/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_PEEK_H
#define MEM_PEEK_H

#include "mem/states.h"

/*
 * Single words from all over the target, as chasing links wants them: whole
 * pages are kept, so that neighbours cost no further call.  What it shows may be
 * older than the memory; forget with peek_forget() before a new look.
 */

#define PEEK_PAGES 64

/*
 * Pages that are read by one look at the page tables, some milliseconds' worth: what was
 * given back since would be brought in.
 */
#define PEEK_LOADS 1024

struct peek {
	struct mem *mem;
	uint8_t *pages;		      /* PEEK_PAGES of them */
	uint64_t address[PEEK_PAGES]; /* 1: empty */
	struct states states;
	unsigned int loads; /* of pages, since those were looked up anew */
	uint8_t state;	    /* enum page_state of the last page that was not to be read */
};

bool peek_open(struct mem *mem, struct peek *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void peek_close(struct peek *peek);
void peek_forget(struct peek *peek);

/*
 * The word at address, of 8 bytes.  *ret_ok is false when its page is not
 * present or cannot be read; the function fails only with ARI_GONE or ARI_DENIED.
 */
bool peek_word(struct peek *peek, uint64_t address, uint64_t *ret, bool *ret_ok,
	       struct ari_error *err) __attribute__((warn_unused_result));

#endif
