/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_LINES_H
#define OUT_LINES_H

#include "out/format.h"

/*
 * The formats that write one line per row of the document's table.  `cell` writes
 * the value of one column; text is NULL where it is not known, and not escaped.
 */
typedef void line_cell_fn(FILE *out, const struct column *column, const char *text);

bool lines_write(const struct document *document, const struct style *style, FILE *out,
		 line_cell_fn *cell, bool headings, struct ari_error *err);

/* A column's name in capitals: a word that a shell takes for a variable. */
void write_name(FILE *out, const struct column *column);

#endif
