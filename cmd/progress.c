// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define NS_PER_SECOND 1000000000u
#define PAUSE_NS      100000000u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

struct progress progress_begin(const struct options *options)
{
	return (struct progress){
		.wanted = !options->quiet && isatty(STDERR_FILENO) == 1,
		.begun_ns = now_ns(),
	};
}

void progress_tell(struct progress *progress, const char *format, ...)
{
	uint64_t now = now_ns();
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
