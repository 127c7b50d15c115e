// SPDX-License-Identifier: Apache-2.0
#include "out/escape.h"
#include "out/lines.h"

/* Fit for eval: what a shell expands inside double quotes is escaped. */
static void pairs_cell(FILE *out, const struct column *column, const char *text)
{
	write_name(out, column);
	fputs("=\"", out);
	if (text != NULL)
		escape(out, text, false, "\"$`!");
	putc('"', out);
}

static bool pairs_write(const struct document *document, const struct style *style,
			FILE *out, struct ari_error *err)
{
	return lines_write(document, style, out, pairs_cell, false, err);
}

const struct format format_pairs = {
	.name = "pairs",
	.for_machines = true,
	.write = pairs_write,
};
