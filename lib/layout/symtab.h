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

/* The names that an image offers to others, open to be looked up in; nothing to close. */
struct exports {
	void *symbols; /* Elf_Data * */
	const char *names;
	size_t names_bytes;
	const char *file;
	size_t file_bytes;
	uint64_t hash; /* offset of a table by hash; 0: there is none */
};

/* By the dynamic section.  False: it exports nothing.  ret: as long as image is open. */
bool symtab_open_exports(const struct image *image, struct exports *ret);
bool symtab_exports_function(const struct exports *exports, const char *name);

/* Called with the name of a function; valid as long as the image is open. */
typedef void symtab_each_fn(const char *name, void *data);

/* The functions that its .symtab, where there is one, says are in it, exported or not. */
void symtab_each_function(const struct image *image, symtab_each_fn *each, void *data);

/* By the section headers, which a file may have been stripped of. */
bool symtab_has_section(const struct image *image, const char *name);

#endif
