/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_SHOW_H
#define OUT_SHOW_H

#include "out/format.h"

/* Writes the document to a file (`--write`) or, with path NULL, to stdout. */
bool show(const struct document *document, const struct format *format,
	  const struct style *style, const char *path, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
