/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_WORDS_H
#define ANALYSE_WORDS_H

#include "base/text.h"

/*
 * What is said differently of different processes: by the language that runs there, by
 * the release of its glibc, by its settings.  Adds the word of that name, which has
 * `length` bytes; false: there is none of that name.
 */
bool word_say(struct text *to, const struct ari_model *model, const char *name,
	      size_t length);

#endif
