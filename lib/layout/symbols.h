/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_SYMBOLS_H
#define LAYOUT_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "arenainspect.h"

/* The objects of libc that a visit wants to know the address of. */
enum symbol {
	SYM_MAIN_ARENA,
	SYM_MP,
	SYM_FREE_LIST,
	SYM_NARENAS_LIMIT,
	SYM_MALLOC_TRIM, /* code; tells which compilation unit is malloc's */
	SYMBOLS
};

/* Its thread-local variables: where the thread's arena and cache are. */
enum tls_symbol {
	TLS_THREAD_ARENA, /* thread_arena; once __libc_tsd_MALLOC */
	TLS_TCACHE,
	TLS_SYMBOLS
};

struct tls_place {
	bool found;
	uint64_t offset; /* in the block that each thread has of libc's variables */
};

struct symbols {
	uint64_t address[SYMBOLS];     /* in the process; 0: not found */
	uint64_t bytes[SYMBOLS];       /* st_size */
	enum ari_symbol_source source; /* of main_arena */
	struct tls_place tls[TLS_SYMBOLS];
};

/*
 * Which symbol a name is, or SYMBOLS.  A static of a function may carry a
 * compiler's suffix ("narenas_limit.0").
 */
enum symbol symbol_of(const char *name);

/*
 * Takes a symbol of type STT_TLS with its st_value, if it is one of those above and
 * the first of its name.
 */
void symbols_take_tls(struct symbols *symbols, const char *name, uint64_t offset);

#endif
