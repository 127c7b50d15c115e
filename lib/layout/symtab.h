/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_SYMTAB_H
#define LAYOUT_SYMTAB_H

#include <stdbool.h>

#include "layout/image.h"
#include "layout/symbols.h"

/* What an image's own file says, without looking for other files. */

/*
 * The symbols of its .symtab, which most distributions strip.  Returns whether
 * main_arena and mp_ are among them; no symbol is no error.
 */
bool symtab_symbols(const struct image *image, struct symbols *ret);

/*
 * Whether a compressed symbol table (.gnu_debugdata) is in the file, which
 * debuginfo_open() would read.
 */
bool symtab_has_debugdata(const struct image *image);

/* The address (in the process) of an object by its name in .symtab; 0: none. */
uint64_t symtab_object(const struct image *image, const char *name);

/*
 * Address (in the process) and size of a function that the image exports, by its
 * dynamic section: also without section headers.
 */
bool symtab_exported(const struct image *image, const char *name, uint64_t *ret_address,
		     uint64_t *ret_bytes);

#endif
