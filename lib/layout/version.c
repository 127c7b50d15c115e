// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "layout/layout.h"
#include "layout/version.h"

struct text {
	const char *at;
	size_t length;
};

static const char *find(struct text text, const char *word)
{
	return memmem(text.at, text.length, word, strlen(word));
}

/* The digits and dots at `at`, without a full stop behind them. */
static char *copy_number(const char *at, const char *end)
{
	size_t length = 0;

	while (at + length < end &&
	       (isdigit((unsigned char)at[length]) || at[length] == '.'))
		length++;
	while (length > 0 && at[length - 1] == '.')
		length--;
	return length == 0 ? NULL : strndup(at, length);
}

/* The shared library: "GNU C Library (…) stable release version 2.36." */
static char *from_banner(struct text file)
{
	static const char word[] = " version ";
	const char *at = find(file, "GNU C Library ("), *end;
	size_t left;

	if (at == NULL)
		return NULL;
	left = (size_t)(file.at + file.length - at);
	end = memchr(at, '\n', left > 300 ? 300 : left);
	if (end == NULL)
		return NULL;
	at = find((struct text){ at, (size_t)(end - at) }, word);
	return at == NULL ? NULL : copy_number(at + sizeof(word) - 1, end);
}

/*
 * A static program: __nptl_version is the release as a string of its own.  Two
 * different ones decide nothing.
 */
static char *from_nptl(struct text file)
{
	static const char head[] = "\0"
				   "2.";
	char *found = NULL;

	for (;;) {
		const char *end = file.at + file.length;
		const char *at = memmem(file.at, file.length, head, sizeof(head) - 1);
		char *number = at == NULL ? NULL : copy_number(at + 1, end);

		if (at == NULL)
			return found;
		if (number != NULL && at + 1 + strlen(number) < end &&
		    at[1 + strlen(number)] == '\0' && strlen(number) <= 9 &&
		    strlen(number) >= 4) {
			if (found != NULL && strcmp(found, number) != 0) {
				free(number);
				free(found);
				return NULL;
			}
			free(found);
			found = number;
		} else {
			free(number);
		}
		file.length -= (size_t)(at + 1 - file.at);
		file.at = at + 1;
	}
}

/* Texts that malloc has had since a release; a static program may show no more. */
static const struct hint {
	const char *text;
	unsigned int since;
} hints[] = {
	{ "malloc(): memory corruption", LAYOUT_RELEASE(2, 17) },
	{ "glibc.malloc.tcache_count", LAYOUT_RELEASE(2, 26) },
	{ "malloc(): corrupted top size", LAYOUT_RELEASE(2, 29) },
	{ "malloc(): unaligned tcache chunk detected", LAYOUT_RELEASE(2, 32) },
	{ "glibc.malloc.hugetlb", LAYOUT_RELEASE(2, 35) },
};

static unsigned int from_hints(struct text file)
{
	unsigned int release = 0;

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (find(file, hints[i].text) != NULL)
			release = hints[i].since;
	return release;
}

void version_find(struct image *image)
{
	struct text file;

	file.at = elf_rawfile(image->elf, &file.length);
	if (file.at == NULL)
		return;
	image->version = from_banner(file);
	if (image->version == NULL) {
		image->release = from_hints(file);
		if (image->release == 0)
			return;
		image->version = from_nptl(file);
	}
	image->is_glibc = true;
	if (image->version != NULL)
		image->release = layout_release(image->version);
}
