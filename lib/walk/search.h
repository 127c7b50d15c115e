/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_SEARCH_H
#define WALK_SEARCH_H

#include "base/clock.h"
#include "layout/image.h"
#include "layout/layout.h"
#include "layout/symbols.h"
#include "mem/mem.h"

/*
 * Finds main_arena, mp_ and the layout that fits them, without debug information:
 * the layouts of the table are laid over where the symbols say, or else over all
 * of libc's writable memory, and what proves itself is taken.
 *
 * release  of the image; its layout is tried first, those of others after it,
 *          since distributions carry changes back
 * symbols  addresses of main_arena and mp_ where a symbol table has them; those
 *          that are found are filled in
 * model    gets the proof, line by line
 * err      ARI_BAD_LAYOUT: nothing, or more than one thing, proved itself; the
 *          message says what was tried; ARI_TIMED_OUT
 */
bool search_malloc(struct mem *mem, const struct image *image, unsigned int release,
		   struct deadline deadline, struct symbols *symbols, struct layout *ret,
		   struct ari_model *model, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Holds a layout from debug information against the process; err as above. */
bool search_confirm(struct mem *mem, const struct image *image,
		    const struct symbols *symbols, const struct layout *layout,
		    struct ari_model *model, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Holds what was found in another process of the same file against this one, once.
 * It is strict: err is ARI_BAD_LAYOUT where anything at all does not fit, and then
 * this process is to be searched on its own.
 */
bool search_recall(struct mem *mem, const struct image *image,
		   const struct symbols *symbols, const struct layout *layout,
		   struct ari_model *model, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
