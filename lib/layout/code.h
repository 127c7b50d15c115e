/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_CODE_H
#define LAYOUT_CODE_H

#include "layout/image.h"

#define CODE_REFERENCES_MAX 64

/*
 * The addresses (in the process) that the code of an exported function refers to
 * directly: malloc_trim names main_arena.  Reads the file; returns how many.
 */
size_t code_references(const struct image *image, const char *function,
		       uint64_t references[CODE_REFERENCES_MAX]);

#endif
