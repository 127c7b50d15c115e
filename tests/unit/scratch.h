/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/* A directory of files, in place of one of /proc; gone when the test ends. */
struct scratch {
	char path[64];
	int dir;
};

void scratch_open(struct scratch *scratch);
void scratch_close(struct scratch *scratch);

/* A file with these bytes; `name` may go through one directory, which is made. */
void scratch_file(struct scratch *scratch, const char *name, const void *bytes,
		  size_t length);
void scratch_text(struct scratch *scratch, const char *name, const char *text);

#endif
