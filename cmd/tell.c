// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdlib.h>

#include "out/escape.h"
#include "out/table.h"
#include "tell.h"

void tell(const char *format, ...)
{
	va_list arguments;
	char *line;
	int length;

	va_start(arguments, format);
	length = vasprintf(&line, format, arguments);
	va_end(arguments);
	fputs("arenainspect: ", stderr);
	escape(stderr, length < 0 ? format : line, !locale_is_utf8(), "");
	putc('\n', stderr);
	if (length >= 0)
		free(line);
}

void tell_columns(const struct table_kind *kind)
{
	fprintf(stderr, "arenainspect: columns of %s: ", kind->name);
	for (size_t i = 0; i < kind->count; i++)
		fprintf(stderr, "%s%s", i == 0 ? "" : ", ", kind->columns[i].name);
	putc('\n', stderr);
}
