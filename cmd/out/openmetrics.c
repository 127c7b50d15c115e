// SPDX-License-Identifier: Apache-2.0
/*
 * OpenMetrics 1.0, and "Text-based format" of Prometheus' documentation, for which UNIT
 * and EOF are comments.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "out/escape.h"
#include "out/openmetrics.h"

#define EXACT_INTEGERS 9007199254740992.0 /* 2^53 */

void openmetrics_family(FILE *out, const char *name, const char *unit, const char *help)
{
	fprintf(out, "# TYPE %s gauge\n", name);
	if (unit != NULL)
		fprintf(out, "# UNIT %s %s\n", name, unit);
	fprintf(out, "# HELP %s %s.\n", name, help);
}

static void write_quoted(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			putc('\\', out);
		putc(*text, out);
	}
}

/* The same characters as everywhere else are \xNN, and then a backslash is \\. */
static void write_label_value(FILE *out, const char *value)
{
	char *text = NULL;
	size_t length;
	FILE *escaped = open_memstream(&text, &length);

	if (escaped != NULL) {
		escape(escaped, value, false, "");
		if (fclose(escaped) == 0)
			write_quoted(out, text);
	}
	free(text);
}

void openmetrics_sample(FILE *out, const char *name, const struct label *labels,
			size_t count, double value)
{
	fputs(name, out);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		write_label_value(out, labels[i].value);
		putc('"', out);
	}
	fputs(count == 0 ? " " : "} ", out);
	if (fabs(value) <= EXACT_INTEGERS && value == (double)(int64_t)value)
		fprintf(out, "%.0f\n", value);
	else
		fprintf(out, "%.17g\n", value);
}

void openmetrics_end(FILE *out)
{
	fputs("# EOF\n", out);
}
