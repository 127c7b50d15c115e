// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "snapshot/stopped.h"

/* What ends a visit that has something to tell.  The last is for all others. */
static const struct {
	enum ari_code code;
	const char *word;
} reasons[] = {
	{ ARI_TIMED_OUT, "timed-out" },
	{ ARI_UNSTABLE, "unstable" },
};

#define LAST (sizeof(reasons) / sizeof(*reasons) - 1)

const char *stopped_word(enum ari_code code)
{
	size_t i = 0;

	while (i < LAST && reasons[i].code != code)
		i++;
	return reasons[i].word;
}

enum ari_code stopped_code(const char *word)
{
	size_t i = 0;

	while (i < LAST && strcmp(reasons[i].word, word) != 0)
		i++;
	return reasons[i].code;
}
