// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "out/cell.h"
#include "out/format.h"
#include "out/picture.h"

#define WIDTH	   80 /* where there is no terminal */
#define INDENT	   2
#define LINE_CELLS 8		       /* the cells of a line are a multiple of it */
#define MORE_LINES 32		       /* in all, of strips that take more than one */
#define CELL_MOST  (UINT64_C(1) << 47) /* a line of any width is a number then */
#define PLAIN	   "\033[0m"

/* What drawing needs at every step. */
struct brush {
	const struct picture *picture;
	const struct table_view *view;
	const struct style *style;
	FILE *out;
	size_t line;			    /* cells in one */
	uint64_t cell;			    /* bytes of one */
	unsigned char tint;		    /* in force */
	uint64_t bytes[PICTURE_KINDS_MOST]; /* of all rows, by kind */
};

/* ---- the scale ---- */

static size_t line_cells(const struct style *style)
{
	size_t width = style->width == 0 ? WIDTH : style->width;
	size_t cells = width > INDENT ? (width - INDENT) / LINE_CELLS * LINE_CELLS : 0;

	return cells < LINE_CELLS ? LINE_CELLS : cells;
}

static bool is_drawn(const struct picture *picture, const void *row)
{
	struct picture_span span;

	return picture->span(row, 0, &span);
}

/* Lines beyond one for each row, were a cell of so many bytes. */
static uint64_t more_lines(const struct brush *brush, uint64_t cell)
{
	uint64_t lines = 0, line = cell * brush->line;

	for (size_t i = 0; i < brush->view->rows_count; i++) {
		uint64_t bytes = brush->picture->bytes(brush->view->rows[i]);

		if (bytes > 0 && is_drawn(brush->picture, brush->view->rows[i]))
			lines += (bytes - 1) / line;
	}
	return lines;
}

/* The finest that gives no more lines than can be looked through. */
static uint64_t choose_cell(const struct brush *brush)
{
	uint64_t cell = brush->picture->least;

	while (cell < CELL_MOST && more_lines(brush, cell) > MORE_LINES)
		cell *= 2;
	return cell;
}

/* ---- cells ---- */

static void set_tint(struct brush *brush, unsigned char tint)
{
	if (!brush->style->color || tint == brush->tint)
		return;
	if (tint == 0)
		fputs(PLAIN, brush->out);
	else
		fprintf(brush->out, "\033[0;%um", tint);
	brush->tint = tint;
}

static void draw_kind(struct brush *brush, size_t index)
{
	const struct picture_kind *kind = &brush->picture->kinds[index];

	set_tint(brush, kind->tint);
	if (brush->style->utf8)
		fputs(kind->glyph, brush->out);
	else
		putc(kind->letter, brush->out);
}

static size_t most_of(const struct brush *brush, const uint64_t *bytes)
{
	size_t most = 0;

	for (size_t i = 1; i < brush->picture->kinds_count; i++)
		if (bytes[i] > bytes[most])
			most = i;
	return most;
}

/* A strip on its way. */
struct strip {
	uint64_t bytes[PICTURE_KINDS_MOST]; /* of the cell in hand */
	uint64_t filled;		    /* their sum */
	size_t cells;			    /* of the line in hand */
};

static void end_line(struct brush *brush, struct strip *strip)
{
	if (strip->cells == 0)
		return;
	set_tint(brush, 0);
	putc('\n', brush->out);
	strip->cells = 0;
}

/* So many cells of one kind, line by line. */
static void draw_cells(struct brush *brush, struct strip *strip, uint64_t cells,
		       size_t kind)
{
	for (; cells > 0; cells--) {
		if (strip->cells == 0)
			fprintf(brush->out, "%*s", INDENT, "");
		draw_kind(brush, kind);
		if (++strip->cells == brush->line)
			end_line(brush, strip);
	}
}

static void end_cell(struct brush *brush, struct strip *strip)
{
	if (strip->filled == 0)
		return;
	draw_cells(brush, strip, 1, most_of(brush, strip->bytes));
	memset(strip->bytes, 0, sizeof(strip->bytes));
	strip->filled = 0;
}

static void draw_span(struct brush *brush, struct strip *strip,
		      const struct picture_span *span)
{
	uint64_t left = span->bytes;

	while (left > 0) {
		uint64_t step = brush->cell - strip->filled;

		if (strip->filled == 0 && left >= brush->cell) {
			draw_cells(brush, strip, left / brush->cell, span->kind);
			left %= brush->cell;
			continue;
		}
		step = step < left ? step : left;
		strip->bytes[span->kind] += step;
		strip->filled += step;
		left -= step;
		if (strip->filled == brush->cell)
			end_cell(brush, strip);
	}
	brush->bytes[span->kind] += span->bytes;
}

/*
 * No more than the row stands for, whatever its spans say: they may come from a file that
 * anybody has written.
 */
static void draw_strip(struct brush *brush, const void *row)
{
	const struct picture *picture = brush->picture;
	uint64_t left = picture->bytes(row);
	struct strip strip = { 0 };
	struct picture_span span;

	if (!is_drawn(picture, row)) {
		fprintf(brush->out, "%*s%s\n", INDENT, "", picture->none(row));
		return;
	}
	for (size_t i = 0; picture->span(row, i, &span); i++) {
		span.bytes = span.bytes < left ? span.bytes : left;
		left -= span.bytes;
		draw_span(brush, &strip, &span);
	}
	end_cell(brush, &strip);
	end_line(brush, &strip);
}

/* ---- what stands around them ---- */

static const char *size_text(const struct style *style, uint64_t bytes,
			     char room[CELL_ROOM])
{
	if (!style->plain_bytes)
		return bytes_text(bytes, room);
	snprintf(room, CELL_ROOM, "%" PRIu64, bytes);
	return room;
}

static int widest_name(const struct brush *brush)
{
	size_t widest = 0;

	for (size_t i = 0; i < brush->picture->kinds_count; i++) {
		size_t length = strlen(brush->picture->kinds[i].name);

		if (brush->bytes[i] > 0 && length > widest)
			widest = length;
	}
	return (int)widest;
}

/* Of what occurs. */
static void write_legend(struct brush *brush)
{
	int width = widest_name(brush);

	for (size_t i = 0; i < brush->picture->kinds_count; i++) {
		const struct picture_kind *kind = &brush->picture->kinds[i];
		char room[CELL_ROOM];

		if (brush->bytes[i] == 0)
			continue;
		draw_kind(brush, i);
		set_tint(brush, 0);
		fprintf(brush->out, " %-*s  %10s  %s\n", width, kind->name,
			size_text(brush->style, brush->bytes[i], room), kind->help);
	}
}

static void write_scale(struct brush *brush)
{
	char cell[CELL_ROOM], line[CELL_ROOM];

	fprintf(brush->out,
		"\nA cell is %s and shows what most of it is; a line is %s.\n\n",
		size_text(brush->style, brush->cell, cell),
		size_text(brush->style, brush->cell * brush->line, line));
}

/* The next line of the table; *table goes on behind it. */
static void pass_line(struct brush *brush, const char **table)
{
	size_t length = strcspn(*table, "\n");

	fwrite(*table, 1, length, brush->out);
	putc('\n', brush->out);
	*table += length + ((*table)[length] == '\n');
}

void picture_write(const struct picture *picture, const struct table_view *view,
		   const char *table, const struct style *style, FILE *out)
{
	struct brush brush = { .picture = picture,
			       .view = view,
			       .style = style,
			       .out = out,
			       .line = line_cells(style) };

	brush.cell = choose_cell(&brush);
	if (!style->no_headings)
		pass_line(&brush, &table);
	for (size_t i = 0; i < view->rows_count; i++) {
		pass_line(&brush, &table);
		draw_strip(&brush, view->rows[i]);
	}
	write_scale(&brush);
	write_legend(&brush);
}
