// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/cell.h"
#include "out/escape.h"
#include "out/refuse.h"
#include "out/stream.h"

#define BYTES_WIDTH	  10 /* "1023.9 MiB" */
#define PLAIN_BYTES_WIDTH 13
#define NUMBER_WIDTH	  6
#define GROWN		  "\033[33m"
#define BOLD		  "\033[1m"
#define PLAIN		  "\033[0m"

/* ---- its columns ---- */

static bool settle_columns(struct selection *ret, const struct table_kind *kind,
			   const struct selection *wanted, struct ari_error *err)
{
	bool defaults = wanted->columns == NULL || wanted->add;

	*ret = (struct selection){ 0 };
	ret->columns = calloc(kind->count + wanted->count + 1, sizeof(*ret->columns));
	if (ret->columns == NULL)
		return refuse_memory(err);
	for (size_t i = 0; defaults && i < kind->count; i++)
		if (kind->columns[i].shown != ON_REQUEST)
			ret->columns[ret->count++] = &kind->columns[i];
	for (size_t i = 0; i < wanted->count; i++)
		ret->columns[ret->count++] = wanted->columns[i];
	return true;
}

bool stream_open(struct stream *ret, const struct table_kind *kind,
		 const struct format *format, const struct style *style, const char *path,
		 struct ari_error *err)
{
	struct stream stream = { .kind = kind, .format = format, .style = *style };

	if (!settle_columns(&stream.style.selection, kind, &style->selection, err))
		return false;
	if (!sink_open(&stream.sink, path, err)) {
		selection_done(&stream.style.selection);
		return false;
	}
	*ret = stream;
	return true;
}

bool stream_finish(struct stream *stream, struct ari_error *err)
{
	bool whole = sink_finish(&stream->sink, err);

	stream_drop(stream);
	return whole;
}

void stream_drop(struct stream *stream)
{
	sink_drop(&stream->sink);
	selection_done(&stream->style.selection);
}

/* ---- rows in text ---- */

/* Columns do not move when a number grows by a digit. */
static int width_of(const struct column *column, const struct style *style)
{
	int heading = (int)strlen(column->heading), least = NUMBER_WIDTH;

	if (column->unit == UNIT_BYTES)
		least = style->plain_bytes ? PLAIN_BYTES_WIDTH : BYTES_WIDTH;
	return heading > least ? heading : least;
}

/* As many rows as the terminal has below the headings; 0: there is no terminal. */
static size_t page_rows(const struct style *style)
{
	struct winsize size;

	if (style->width == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_row > 3 ? size.ws_row - 2u : 0;
}

/* `used` columns of a cell are written: fills up in front of what is aligned right. */
static void pad(FILE *out, int used, int width)
{
	for (; used < width; used++)
		putc(' ', out);
}

static void write_text(FILE *out, const char *text, const struct column *column,
		       bool is_last, const struct style *style)
{
	int width = width_of(column, style), length = (int)strlen(text);

	if (unit_is_number(column->unit))
		pad(out, length, width);
	escape(out, text, !style->utf8, "");
	if (!unit_is_number(column->unit) && !is_last)
		pad(out, length, width);
}

/* A mark's place is behind each number, in the headings, too. */
static void write_mark(FILE *out, char mark, const struct column *column, bool is_last)
{
	if (unit_is_number(column->unit) && (mark != ' ' || !is_last))
		putc(mark, out);
}

static void write_headings(const struct stream *stream)
{
	const struct selection *selection = &stream->style.selection;
	FILE *out = stream->sink.out;

	fputs(stream->style.color ? BOLD : "", out);
	for (size_t i = 0; i < selection->count; i++) {
		const struct column *column = selection->columns[i];
		bool is_last = i + 1 == selection->count;

		fputs(i == 0 ? "" : " ", out);
		write_text(out, column->heading, column, is_last, &stream->style);
		write_mark(out, ' ', column, is_last);
	}
	fputs(stream->style.color ? PLAIN "\n" : "\n", out);
}

static char mark_of(const struct column *column, const struct value *now,
		    const void *before)
{
	struct value was;

	if (before == NULL || !now->known || !unit_is_number(column->unit))
		return ' ';
	was = column_value(column, before);
	if (!was.known || was.number == now->number)
		return ' ';
	return now->number > was.number ? '+' : '-';
}

static void write_cell(const struct stream *stream, const struct column *column,
		       bool is_last, const void *row, const void *before)
{
	const struct style *style = &stream->style;
	struct value value = column_value(column, row);
	char room[CELL_ROOM], mark = mark_of(column, &value, before);
	const char *text = style->plain_bytes ? cell_exact(column, &value, room)
					      : cell_rounded(column, &value, room);
	bool colored = style->color && mark == '+';
	FILE *out = stream->sink.out;

	fputs(colored ? GROWN : "", out);
	write_text(out, text == NULL ? "unknown" : text, column, is_last, style);
	write_mark(out, mark, column, is_last);
	fputs(colored ? PLAIN : "", out);
}

static void write_row(struct stream *stream, const void *row, const void *before)
{
	const struct selection *selection = &stream->style.selection;
	size_t page = page_rows(&stream->style);

	if (!stream->style.no_headings &&
	    (stream->rows == 0 || (page > 0 && stream->on_page >= page))) {
		write_headings(stream);
		stream->on_page = 0;
	}
	for (size_t i = 0; i < selection->count; i++) {
		fputs(i == 0 ? "" : " ", stream->sink.out);
		write_cell(stream, selection->columns[i], i + 1 == selection->count, row,
			   before);
	}
	putc('\n', stream->sink.out);
	stream->on_page++;
}

/* ---- rows in any format ---- */

/* The formats for machines write a document: here, of one row. */
static bool write_document(struct stream *stream, const void *row,
			   const struct ari_model *model, struct ari_error *err)
{
	struct style style = stream->style;
	struct document document;
	bool done;

	style.no_headings |= stream->rows > 0;
	document_init(&document, model, style.plain_bytes);
	document_table(&document, (struct table){
					  .kind = stream->kind,
					  .rows = row,
					  .row_size = 1, /* there is no second one */
					  .count = 1,
				  });
	done = document.failed
		       ? refuse_memory(err)
		       : stream->format->write(&document, &style, stream->sink.out, err);
	document_done(&document);
	return done;
}

bool stream_row(struct stream *stream, const void *row, const void *before,
		const struct ari_model *model, struct ari_error *err)
{
	if (!stream->format->for_machines)
		write_row(stream, row, before);
	else if (!write_document(stream, row, model, err) && !ferror(stream->sink.out))
		return false;
	stream->rows++;
	if (fflush(stream->sink.out) == 0 && !ferror(stream->sink.out))
		return true;
	/* The sink knows the name of what cannot be written to. */
	return sink_finish(&stream->sink, err);
}
