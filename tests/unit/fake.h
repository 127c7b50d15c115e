/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_H
#define FAKE_H

#include "mem/mem.h"

/*
 * The memory of a process that is not there: regions of bytes, each page with a
 * state of its own, and maps made from the text the kernel would show.
 */
struct fake_region {
	uint64_t start, bytes;
	char perms[5]; /* "rw-p" */
	char *path;    /* that starts with '/' is a file's */
	uint8_t *data, *states;
};

struct fake {
	struct mem mem; /* first, as mem.h asks */
	struct maps maps;
	ARI_LIST(struct fake_region) regions;
	/* Called before each range that is copied, which may not exist. */
	void (*before_copy)(struct fake *fake, uint64_t address);
	void *data;
	/* What copying fails with; ARI_OK: it works. */
	enum ari_code broken;
	bool blind; /* looking at page tables fails with ARI_GONE */
	/* What the file behind a mapping holds at each place; -1: it is gone. */
	int file_byte;
	unsigned int copies, files, refreshes; /* copies: of ranges */
	unsigned int calls;		       /* that copied some */
	unsigned int lookups;		       /* of pages' states, of any number */
	/* Bytes copied of pages that were not present: must stay 0. */
	uint64_t disturbed;
};

void fake_init(struct fake *fake, uint64_t page_bytes);
void fake_done(struct fake *fake);

/* Maps zeros, of which every page is present; maps is made anew. */
void fake_map(struct fake *fake, uint64_t start, uint64_t bytes, const char *perms,
	      const char *path);
void fake_unmap(struct fake *fake, uint64_t start);
void fake_protect(struct fake *fake, uint64_t start, const char *perms);

/* Our copy of the bytes at an address; the test fails when they are not there. */
uint8_t *fake_at(struct fake *fake, uint64_t address, uint64_t bytes);
void fake_put(struct fake *fake, uint64_t address, uint64_t value);

/* The state of `count` pages from the one that holds address. */
void fake_set_pages(struct fake *fake, uint64_t address, size_t count,
		    enum page_state state);

/* Maps from text, for maps_done(); the test fails when they cannot be read. */
struct maps fake_maps(const char *text);

/* How often the library has paused; pauses take no time here. */
unsigned int fake_pauses(void);

#endif
