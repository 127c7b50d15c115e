// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "out/escape.h"
#include "out/lines.h"

/* Every field has a character; - alone is unknown, and "" is an empty text. */
static void raw_cell(FILE *out, const struct column *column, const char *text)
{
	(void)column;
	if (text == NULL)
		putc('-', out);
	else if (*text == '\0')
		fputs("\"\"", out);
	else
		escape(out, text, false, strcmp(text, "-") == 0 ? "-" : " \"");
}

static bool raw_write(const struct document *document, const struct style *style,
		      FILE *out, struct ari_error *err)
{
	return lines_write(document, style, out, raw_cell, !style->no_headings, err);
}

const struct format format_raw = {
	.name = "raw",
	.for_machines = true,
	.write = raw_write,
};
