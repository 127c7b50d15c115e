// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>

#include "out/cell.h"
#include "out/lines.h"
#include "out/refuse.h"

void write_name(FILE *out, const struct column *column)
{
	for (const char *at = column->name; *at != '\0'; at++)
		putc(toupper((unsigned char)*at), out);
}

static void write_headings(FILE *out, const struct table_view *view)
{
	for (size_t i = 0; i < view->columns_count; i++) {
		if (i > 0)
			putc(' ', out);
		write_name(out, view->columns[i]);
	}
	putc('\n', out);
}

static void write_row(FILE *out, const struct table_view *view, const void *row,
		      line_cell_fn *cell)
{
	for (size_t i = 0; i < view->columns_count; i++) {
		const struct column *column = view->columns[i];
		struct value value = column_value(column, row);
		char room[CELL_ROOM];

		if (i > 0)
			putc(' ', out);
		cell(out, column, cell_exact(column, &value, room));
	}
	putc('\n', out);
}

bool lines_write(const struct document *document, const struct style *style, FILE *out,
		 line_cell_fn *cell, bool headings, struct ari_error *err)
{
	const struct table *table = document_main(document);
	struct table_view *view;

	if (table == NULL)
		return true;
	view = view_new(table, &style->selection, false);
	if (view == NULL)
		return refuse_memory(err);
	if (headings)
		write_headings(out, view);
	for (size_t i = 0; i < view->rows_count; i++)
		write_row(out, view, view->rows[i], cell);
	view_free(view);
	return true;
}
