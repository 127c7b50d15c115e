/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_PINS_H
#define WALK_PINS_H

#include "walk/books.h"

/*
 * The live chunks of a heap that keep most from going back: how much more free() and
 * malloc_trim(0) would return if that one chunk were freed, beyond what malloc_trim(0)
 * returns now and without the chunk's own whole pages, which are the application's.
 *
 * A chunk between free ones joins them: the pages at the seams can go.  The last one
 * in front of top joins top: main's brk sinks as far, and a thread's heap is trimmed
 * by free() where top has come to the trim threshold, or unmapped when nothing else
 * is in it (heap_trim() in malloc/arena.c).
 */

#define PINS_MAX 16

struct pins {
	size_t wanted; /* at most PINS_MAX */
	/* For the last chunk in front of top: where the heap's chunks begin, and
	 * whether the heap goes as a whole when they are free. */
	uint64_t first;
	bool unmaps;
	/* what comes out: those that hold most, most first */
	struct ari_pin at[PINS_MAX];
	size_t count;
	/* the live chunk whose successor is not known yet; empty: none */
	struct books_run chunk;
	bool cached;		 /* it is in a thread's cache */
	struct books_run before; /* the free ones in front of it; may be empty */
};

void pins_begin(struct pins *pins, size_t wanted, uint64_t first, bool unmaps);

/*
 * A chunk in use [at, end), or cached by a thread, which is the same to malloc_trim();
 * told before books_chunk().
 */
bool pins_chunk(struct pins *pins, struct books *books, uint64_t at, uint64_t end,
		bool cached, struct ari_error *err) __attribute__((warn_unused_result));

/* The chain ends or breaks; told before books_close(). */
bool pins_close(struct pins *pins, struct books *books, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Top [at, end) of a heap whose pages end at `to`; told before books_top(). */
bool pins_top(struct pins *pins, struct books *books, uint64_t at, uint64_t end,
	      uint64_t to, struct ari_error *err) __attribute__((warn_unused_result));

#endif
