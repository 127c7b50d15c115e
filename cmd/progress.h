/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "options.h"

/*
 * One line on stderr that is written over itself, when stderr is a terminal, nobody
 * asked for quiet and the work takes more than a second.
 */
struct progress {
	bool wanted, shown;
	uint64_t begun_ns, told_ns;
};

struct progress progress_begin(const struct options *options);

/* At most some times a second. */
void progress_tell(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes the line away again. */
void progress_end(struct progress *progress);

#endif
