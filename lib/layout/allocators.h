/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_ALLOCATORS_H
#define LAYOUT_ALLOCATORS_H

#include <stdbool.h>
#include <stdint.h>

#include "layout/image.h"

/* What a file says of the allocators in it. */
struct allocators {
	bool exports;	/* malloc, to every module behind it */
	bool defines;	/* malloc: exports it, or has it linked in */
	bool glibc;	/* glibc's malloc is in it; looked for only in what runs alone */
	bool go;	/* it was made by Go, which has a heap of its own */
	uint32_t known; /* one bit for each row of allocators.def */
};

/*
 * Looks into the file of a module, and at no page of the process.  alone: no other
 * module is loaded, so that all it uses is in it, exported or not.  left: bytes of files
 * that may still be searched for texts; those of a file that is are taken off, and one
 * that has more is not searched.
 */
void allocators_look(const struct image *image, bool alone, uint64_t *left,
		     struct allocators *ret);

/* By the name of its file alone, where that cannot be read; 0: none that is known. */
uint32_t allocators_by_name(const char *path);

/* Takes the first row out of the set, and gives its word; NULL: it is empty. */
const char *allocators_take(uint32_t *known);

#endif
