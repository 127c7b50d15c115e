// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "time_left.h"

#define SECONDS_MAX 1e9 /* thirty years */

static const struct suffix {
	const char *text;
	double seconds;
} suffixes[] = {
	{ "", 1 },   { "ms", 0.001 }, { "s", 1 },
	{ "m", 60 }, { "h", 3600 },   { "d", 86400 },
};

bool duration_parse(const char *text, uint64_t *ret)
{
	size_t length = strspn(text, "0123456789.");
	char *end;
	double number = strtod(text, &end);

	/* strtod() knows more than digits: exponents, hexadecimals, infinities. */
	if (length == 0 || end != text + length)
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		double seconds = number * suffixes[i].seconds;

		if (strcmp(end, suffixes[i].text) != 0)
			continue;
		if (!(seconds * NS_PER_SECOND >= 1) || seconds > SECONDS_MAX)
			return false;
		*ret = (uint64_t)(seconds * NS_PER_SECOND);
		return true;
	}
	return false;
}
