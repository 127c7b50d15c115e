/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_ESCAPE_H
#define OUT_ESCAPE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Writes text that may come from the target.  Control characters, those that
 * turn the direction of writing, what is not valid UTF-8, the backslash and every
 * byte of `more` become \xNN, so that nothing reaches a terminal or a shell but
 * what it looks like, and the bytes can be had back.  ascii: everything that is
 * not ASCII becomes \xNN, too.
 */
void escape(FILE *out, const char *text, bool ascii, const char *more);

/* Whether the locale has UTF-8; elsewhere text is written with `ascii`. */
bool locale_is_utf8(void);

#endif
