// SPDX-License-Identifier: Apache-2.0
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "out/cell.h"
#include "out/escape.h"
#include "out/format.h"
#include "out/picture.h"
#include "out/refuse.h"
#include "out/wrap.h"

static const char *const shade_colors[] = {
	[SHADE_NONE] = NULL,
	[SHADE_QUIET] = "\033[2m",
	[SHADE_NOTABLE] = "\033[33m",
	[SHADE_BAD] = "\033[31m",
};

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

/* What every step of a table needs; smart is NULL once memory has run out. */
struct sheet {
	const struct table *table;
	const struct table_view *view;
	const struct style *style;
	struct libscols_table *smart;
};

/* What a terminal may be given of a text, for free(), or NULL when memory runs out. */
static char *escaped(const char *text, const struct style *style)
{
	char *data = NULL;
	size_t length;
	FILE *out = open_memstream(&data, &length);

	if (out == NULL)
		return NULL;
	escape(out, text, !style->utf8, "");
	if (fclose(out) != 0) {
		free(data);
		return NULL;
	}
	return data;
}

/* The text of one cell, as above. */
static char *cell_data(const struct sheet *sheet, const struct column *column,
		       const void *row)
{
	struct value value = column_value(column, row);
	char room[CELL_ROOM];
	const char *text = sheet->style->plain_bytes ? cell_exact(column, &value, room)
						     : cell_rounded(column, &value, room);

	return escaped(text == NULL ? "unknown" : text, sheet->style);
}

static bool add_column(const struct sheet *sheet, const struct column *column)
{
	int flags = unit_is_number(column->unit) ? SCOLS_FL_RIGHT : 0;
	struct libscols_column *smart =
		scols_table_new_column(sheet->smart, column->heading, 0, flags);

	return smart != NULL &&
	       (!sheet->style->color ||
		scols_cell_set_color(scols_column_get_header(smart), BOLD) == 0);
}

static bool add_row(const struct sheet *sheet, const void *row)
{
	const struct table_kind *kind = sheet->table->kind;
	struct libscols_line *line = scols_table_new_line(sheet->smart, NULL);
	const char *color = kind->shade == NULL ? NULL : shade_colors[kind->shade(row)];

	if (line == NULL || scols_line_set_color(line, color) != 0)
		return false;
	for (size_t i = 0; i < sheet->view->columns_count; i++) {
		char *data = cell_data(sheet, sheet->view->columns[i], row);

		if (data == NULL || scols_line_refer_data(line, i, data) != 0) {
			free(data);
			return false;
		}
	}
	return true;
}

/*
 * libsmartcols would escape our escapes, and would cut cells to the terminal's
 * width: numbers are not to be cut.
 */
static bool prepare_sheet(const struct sheet *sheet)
{
	struct libscols_table *smart = sheet->smart;
	const struct style *style = sheet->style;

	return scols_table_enable_noencoding(smart, 1) == 0 &&
	       scols_table_enable_colors(smart, style->color) == 0 &&
	       scols_table_enable_noheadings(smart, style->no_headings) == 0 &&
	       scols_table_set_termforce(smart, SCOLS_TERMFORCE_NEVER) == 0;
}

static bool fill_sheet(const struct sheet *sheet)
{
	const struct table_view *view = sheet->view;
	size_t columns = view->columns_count;

	for (size_t i = 0; i < columns; i++)
		if (!add_column(sheet, view->columns[i]))
			return false;
	for (size_t i = 0; i < view->rows_count; i++)
		if (!add_row(sheet, view->rows[i]))
			return false;
	if (sheet->style->width > 0 && view->columns[columns - 1]->unit == UNIT_TEXT)
		return wrap_last_column(sheet->smart, sheet->style->width);
	return true;
}

/* A failing stream is not its business: the sink sees to that. */
static bool write_sheet(struct sheet *sheet, FILE *out, struct ari_error *err)
{
	bool done;

	sheet->smart = scols_new_table();
	if (sheet->smart == NULL)
		return refuse_memory(err);
	done = prepare_sheet(sheet) && fill_sheet(sheet) &&
	       scols_table_set_stream(sheet->smart, out) == 0 &&
	       scols_print_table(sheet->smart) == 0;
	scols_unref_table(sheet->smart);
	return done || refuse_memory(err);
}

/* The table and what is drawn below its rows. */
static bool write_drawn(struct sheet *sheet, FILE *out, struct ari_error *err)
{
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);
	bool done = memory != NULL && write_sheet(sheet, memory, err);

	if (memory == NULL || fclose(memory) != 0)
		done = refuse_memory(err);
	if (done)
		picture_write(sheet->table->picture, sheet->view, text, sheet->style,
			      out);
	free(text);
	return done;
}

static bool write_rows(struct sheet *sheet, FILE *out, struct ari_error *err)
{
	if (sheet->table->picture != NULL && sheet->view->rows_count > 0)
		return write_drawn(sheet, out, err);
	return write_sheet(sheet, out, err);
}

static bool write_table(const struct table *table, const struct style *style, FILE *out,
			struct ari_error *err)
{
	static const struct selection defaults;
	const struct selection *selection = table->aside ? &defaults : &style->selection;
	struct table_view *view = view_new(table, selection, true);
	struct sheet sheet = { table, view, style, NULL };
	bool done;

	if (view == NULL)
		return refuse_memory(err);
	done = view->columns_count == 0 || write_rows(&sheet, out, err);
	if (done && view->rows_count < table->count && selection->top == 0)
		fprintf(out, "and %zu more: %s\n", table->count - view->rows_count,
			table->rest);
	view_free(view);
	return done;
}

/* ---- prose ---- */

static int widest_label(const struct document *document)
{
	size_t widest = 0;

	for (size_t i = 0; i < document->count; i++) {
		const struct block *block = &document->blocks[i];

		if (block->kind == BLOCK_FACT && strlen(block->label) > widest)
			widest = strlen(block->label);
	}
	return (int)widest;
}

/* A line that has `used` columns already. */
static bool write_prose(const char *text, size_t used, const struct style *style,
			FILE *out, struct ari_error *err)
{
	char *safe = escaped(text, style);

	if (safe == NULL)
		return refuse_memory(err);
	wrap_words(out, safe, used, style->width);
	putc('\n', out);
	free(safe);
	return true;
}

static bool write_fact(const struct block *block, int width, const struct style *style,
		       FILE *out, struct ari_error *err)
{
	fprintf(out, "%s%-*s%s  ", style->color ? BOLD : "", width, block->label,
		style->color ? PLAIN : "");
	return write_prose(block->text, (size_t)width + 2, style, out, err);
}

static bool write_block(const struct document *document, const struct block *block,
			const struct style *style, FILE *out, struct ari_error *err)
{
	switch (block->kind) {
	case BLOCK_PARAGRAPH:
		return write_prose(block->text, 0, style, out, err);
	case BLOCK_FACT:
		return write_fact(block, widest_label(document), style, out, err);
	case BLOCK_TABLE:
		if (block->table.count == 0)
			return write_prose(block->table.none, 0, style, out, err);
		return write_table(&block->table, style, out, err);
	}
	return true;
}

static bool is_empty(const struct block *block)
{
	return block->kind == BLOCK_TABLE && block->table.count == 0 &&
	       block->table.none == NULL;
}

static bool text_write(const struct document *document, const struct style *style,
		       FILE *out, struct ari_error *err)
{
	const struct block *before = NULL;

	for (size_t i = 0; i < document->count; i++) {
		const struct block *block = &document->blocks[i];

		if (is_empty(block))
			continue;
		if (before != NULL &&
		    (block->kind != BLOCK_FACT || before->kind != BLOCK_FACT))
			putc('\n', out);
		if (!write_block(document, block, style, out, err))
			return false;
		before = block;
	}
	return true;
}

const struct format format_text = {
	.name = "text",
	.write = text_write,
};
