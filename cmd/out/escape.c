// SPDX-License-Identifier: Apache-2.0
#include <langinfo.h>
#include <stdint.h>
#include <string.h>

#include "out/escape.h"

/* How many bytes follow a leading byte, and the least code point they may make. */
static int followers(unsigned char lead, uint32_t *bits, uint32_t *least)
{
	if (lead >= 0xc2 && lead < 0xe0)
		return *bits = lead & 0x1f, *least = 0x80, 1;
	if (lead >= 0xe0 && lead < 0xf0)
		return *bits = lead & 0x0f, *least = 0x800, 2;
	if (lead >= 0xf0 && lead < 0xf5)
		return *bits = lead & 0x07, *least = 0x10000, 3;
	return -1;
}

/* Controls of the upper half, of the direction of writing, and line separators. */
static bool plays_tricks(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} bad[] = {
		{ 0x80, 0x9f },	    { 0xad, 0xad },	{ 0x61c, 0x61c },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (point >= bad[i].first && point <= bad[i].last)
			return true;
	return point > 0x10ffff;
}

/* The length of the character at text, which is not ASCII; 0: not fit to be seen. */
static size_t character(const unsigned char *text)
{
	uint32_t point, least;
	int more = followers(text[0], &point, &least);

	for (int i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (more < 0 || point < least || plays_tricks(point))
		return 0;
	return 1 + (size_t)more;
}

void escape(FILE *out, const char *text, bool ascii, const char *more)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != '\0') {
		size_t length = *at < 0x80 ? 1 : ascii ? 0 : character(at);
		bool plain = length > 1 || (length == 1 && *at >= ' ' && *at != 0x7f &&
					    *at != '\\' && strchr(more, *at) == NULL);

		if (plain) {
			fwrite(at, 1, length, out);
			at += length;
		} else {
			fprintf(out, "\\x%02x", *at++);
		}
	}
}

bool locale_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
