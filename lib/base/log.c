// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

void log_line(const struct ari_options *options, const char *format, ...)
{
	char line[512];
	va_list ap;

	if (options == NULL || options->log == NULL)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	options->log(options->log_data, line);
}
