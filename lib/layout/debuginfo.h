/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_DEBUGINFO_H
#define LAYOUT_DEBUGINFO_H

#include <stdbool.h>

#include "arenainspect.h"
#include "layout/image.h"
#include "layout/layout.h"
#include "layout/symbols.h"

/*
 * The symbols and the debug information of an image, found by libdwfl: in the
 * file itself, its .gnu_debugdata, by build-id or .gnu_debuglink below the usual
 * directories, those of the process's root and `debug_dir`, and through
 * debuginfod when DEBUGINFOD_URLS is set.
 */
struct debuginfo;

/*
 * ret for debuginfo_close().  image is borrowed until then; search_path lists
 * directories for debug files, separated by colons; NULL: the file alone is read.
 */
bool debuginfo_open(const struct image *image, const char *search_path,
		    struct debuginfo **ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void debuginfo_close(struct debuginfo *info);

/* The file that holds the debug information, or NULL; lives as long as info. */
const char *debuginfo_file(const struct debuginfo *info);

/*
 * Looks all symbols up; err is ARI_NO_SYMBOLS, with the package or option that
 * would help, when main_arena or mp_ is not among them.
 */
bool debuginfo_symbols(struct debuginfo *info, struct symbols *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The layout from DWARF.  err: ARI_NO_SYMBOLS when there is none, or no struct. */
bool debuginfo_layout(struct debuginfo *info, const struct symbols *symbols,
		      struct layout *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
