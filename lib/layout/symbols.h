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
	SYM_NARENAS,
	SYM_NARENAS_LIMIT,
	SYM_GLOBAL_MAX_FAST,
	SYM_MALLOC_TRIM, /* code; tells which compilation unit is malloc's */
	SYMBOLS
};

struct symbols {
	uint64_t address[SYMBOLS];     /* in the process; 0: not found */
	uint64_t bytes[SYMBOLS];       /* st_size */
	enum ari_symbol_source source; /* of main_arena */
};

/*
 * Which symbol a name is, or SYMBOLS.  A static of a function may carry a
 * compiler's suffix ("narenas_limit.0").
 */
enum symbol symbol_of(const char *name);
const char *symbol_name(enum symbol id);

#endif
