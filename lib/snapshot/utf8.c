// SPDX-License-Identifier: Apache-2.0
#include "snapshot/utf8.h"

size_t utf8_length(const unsigned char *at)
{
	// clang-format off
	static const struct {
		unsigned char first, last, low, high; /* lead byte; second byte */
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	// clang-format on

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (*at < forms[i].first || *at > forms[i].last)
			continue;
		if (forms[i].length == 1)
			return 1;
		if (at[1] < forms[i].low || at[1] > forms[i].high)
			return 0;
		for (size_t n = 2; n < forms[i].length; n++)
			if ((at[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool utf8_is_valid(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != '\0') {
		size_t length = utf8_length(at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}
