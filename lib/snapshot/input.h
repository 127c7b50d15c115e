/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_INPUT_H
#define SNAPSHOT_INPUT_H

#include <stddef.h>

#include "arenainspect.h"

/*
 * The text of a file, a window at a time, unpacked on the way when zstd has packed it
 * (told by its content).  However small the file, what comes out of it has a bound, and
 * so has the memory it takes.
 */
struct input {
	const char *name; /* borrowed, for messages */
	int fd;
	struct ZSTD_DCtx_s *zstd; /* NULL: the file is the text */
	char *packed;		  /* read from the file, not yet unpacked */
	size_t packed_at, packed_count;
	bool frame_open; /* what zstd packed is not at its end */

	char *text;
	size_t at, count; /* the window is [at, count); the user moves `at` */
	size_t held;	  /* behind it the beginning of a character */
	uint64_t passed;  /* bytes of text before `text` */
	bool ended;
};

/* The bytes of a document that are taken at most, unpacked. */
#define INPUT_MOST (UINT64_C(1) << 30)

/* Errors: ARI_IO, ARI_NO_MEMORY.  After a failure there is nothing to close. */
bool input_open(struct input *ret, const char *file, struct ari_error *err)
	__attribute__((warn_unused_result));
void input_close(struct input *input);

/*
 * The next window, once all of the one before is used; empty at the end.  It never cuts
 * a UTF-8 character in two, and holds no NUL.  Errors: ARI_IO.
 */
bool input_more(struct input *input, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
