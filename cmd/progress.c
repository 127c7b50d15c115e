// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <unistd.h>

#include "progress.h"
#include "time_left.h"

#define PAUSE_NS 100000000u

struct progress progress_begin(const struct options *options)
{
	return (struct progress){
		.wanted = !options->quiet && isatty(STDERR_FILENO) == 1,
		.begun_ns = time_now(),
	};
}

void progress_tell(struct progress *progress, const char *format, ...)
{
	uint64_t now = time_now();
	va_list arguments;

	if (!progress->wanted || now - progress->begun_ns < NS_PER_SECOND ||
	    now - progress->told_ns < PAUSE_NS)
		return;
	progress->told_ns = now;
	progress->shown = true;
	fputs("\r", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
