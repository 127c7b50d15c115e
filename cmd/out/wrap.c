// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "out/wrap.h"

/* Narrower than that, broken lines are no better than the terminal's own. */
#define LEAST_WIDTH 24

static char *cell_text(struct libscols_table *table, size_t row, size_t column)
{
	struct libscols_line *line = scols_table_get_line(table, row);

	return (char *)scols_cell_get_data(scols_line_get_cell(line, column));
}

/* In bytes: an upper bound of its width on the screen, and exact for ASCII. */
static size_t column_width(struct libscols_table *table, size_t column)
{
	struct libscols_column *smart = scols_table_get_column(table, column);
	size_t widest = strlen(scols_cell_get_data(scols_column_get_header(smart)));

	for (size_t row = 0; row < scols_table_get_nlines(table); row++) {
		size_t width = strlen(cell_text(table, row, column));

		if (width > widest)
			widest = width;
	}
	return widest;
}

/* A word that is longer than a line stands on one of its own. */
static void break_lines(char *text, size_t width)
{
	char *line = text, *blank = NULL;

	for (char *at = text; *at != '\0'; at++) {
		if (*at == ' ')
			blank = at;
		if (blank != NULL && (size_t)(at - line) >= width) {
			*blank = '\n';
			line = blank + 1;
			blank = NULL;
		}
	}
}

bool wrap_last_column(struct libscols_table *table, size_t width)
{
	size_t last = scols_table_get_ncols(table) - 1, used = 0;
	struct libscols_column *smart = scols_table_get_column(table, last);

	for (size_t i = 0; i < last; i++)
		used += column_width(table, i) + 1;
	if (used + LEAST_WIDTH > width)
		return true;
	for (size_t row = 0; row < scols_table_get_nlines(table); row++)
		break_lines(cell_text(table, row, last), width - used);
	return scols_column_set_flags(smart, SCOLS_FL_WRAP) == 0 &&
	       scols_column_set_wrapfunc(smart, scols_wrapnl_chunksize,
					 scols_wrapnl_nextchunk, NULL) == 0;
}

void wrap_words(FILE *out, const char *text, size_t used, size_t width)
{
	size_t at = used;
	bool breaks = used + LEAST_WIDTH <= width;

	while (*text != '\0') {
		size_t length = strcspn(text + 1, " ") + 1; /* with the blank before it */

		if (breaks && *text == ' ' && at + length > width) {
			fprintf(out, "\n%*s", (int)used, "");
			at = used;
			text++;
			length--;
		}
		fwrite(text, 1, length, out);
		at += length;
		text += length;
	}
}
