/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_REFUSE_H
#define OUT_REFUSE_H

#include "arenainspect.h"

/*
 * The command's own errors, in the library's form: fills *err and returns false,
 * so that a check reads `return refuse(err, ARI_USAGE, "no column '%s'", name);`.
 */
bool refuse(struct ari_error *err, enum ari_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool refuse_memory(struct ari_error *err);

/* Adds a word to the list of what would have been right; cut at its room. */
void list_word(char *list, size_t room, const char *separator, const char *word);

#endif
