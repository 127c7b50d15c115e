// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>

#include "layout/allocators.h"
#include "layout/symtab.h"

#define FUNCTIONS_PER_ROW 4

static const struct row {
	const char *word, *files, *text;
	const char *functions[FUNCTIONS_PER_ROW];
} rows[] = {
#define ALLOCATOR(word, files, text, ...) { word, files, text, { __VA_ARGS__ } },
#include "layout/allocators.def"
#undef ALLOCATOR
};

#define ROWS (sizeof(rows) / sizeof(*rows))
_Static_assert(ROWS <= 32, "a bit of struct allocators' known for each");

/* In malloc.c of every release, and in no other file of glibc. */
#define GLIBC_TEXT "free(): invalid pointer"

#define GO_NOTE_BUILD_ID 4 /* cmd/internal/buildid */

const char *allocators_take(uint32_t *known)
{
	unsigned int row;

	if (*known == 0)
		return NULL;
	row = (unsigned int)__builtin_ctz(*known);
	*known &= *known - 1;
	return rows[row].word;
}

/* Whether the row has the function; most names differ in the first letter. */
static bool tells(const struct row *row, const char *name)
{
	for (size_t i = 0; i < FUNCTIONS_PER_ROW && row->functions[i] != NULL; i++)
		if (name[0] == row->functions[i][0] &&
		    strcmp(name, row->functions[i]) == 0)
			return true;
	return false;
}

static void take_function(const char *name, void *data)
{
	struct allocators *allocators = data;

	if (name[0] == 'm' && strcmp(name, "malloc") == 0)
		allocators->defines = true;
	for (size_t i = 0; i < ROWS; i++)
		if (tells(&rows[i], name))
			allocators->known |= UINT32_C(1) << i;
}

static void take_exports(const struct image *image, struct allocators *ret)
{
	struct exports exports;

	if (!symtab_open_exports(image, &exports))
		return;
	ret->exports = ret->defines = symtab_exports_function(&exports, "malloc");
	for (size_t i = 0; i < ROWS; i++)
		for (size_t n = 0; n < FUNCTIONS_PER_ROW && rows[i].functions[n] != NULL;
		     n++)
			if (symtab_exports_function(&exports, rows[i].functions[n]))
				ret->known |= UINT32_C(1) << i;
}

uint32_t allocators_by_name(const char *path)
{
	const char *base = strrchr(path, '/');
	char name[256];
	size_t length;

	base = base == NULL ? path : base + 1;
	length = maps_path_length(base);
	if (length >= sizeof(name))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)length, base);
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].files != NULL &&
		    fnmatch(rows[i].files, name, FNM_EXTMATCH) == 0)
			return UINT32_C(1) << i;
	return 0;
}

/* The file's bytes, if so many may still be searched: it may be huge, and full of holes.
 */
static const char *searchable(const struct image *image, uint64_t *left, size_t *ret)
{
	const char *file = elf_rawfile(image->elf, ret);

	if (file == NULL || *ret > *left)
		return NULL;
	*left -= *ret;
	return file;
}

static bool has_text(const char *file, size_t bytes, const char *text)
{
	return file != NULL && memmem(file, bytes, text, strlen(text)) != NULL;
}

static uint32_t by_text(const char *file, size_t bytes)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].text != NULL && has_text(file, bytes, rows[i].text))
			return UINT32_C(1) << i;
	return 0;
}

/* The linker of Go writes both; stripping leaves the note. */
static bool is_go(const struct image *image)
{
	size_t bytes;

	return symtab_has_section(image, ".go.buildinfo") ||
	       image_note(image, "Go", GO_NOTE_BUILD_ID, &bytes) != NULL;
}

static bool has_glibc(const struct image *image, uint64_t *left)
{
	size_t bytes;
	const char *file = searchable(image, left, &bytes);

	return has_text(file, bytes, GLIBC_TEXT);
}

static uint32_t name_malloc(const struct image *image, uint64_t *left)
{
	uint32_t known = allocators_by_name(image->path);
	size_t bytes;
	const char *file;

	if (known != 0)
		return known;
	file = searchable(image, left, &bytes);
	return by_text(file, bytes);
}

void allocators_look(const struct image *image, bool alone, uint64_t *left,
		     struct allocators *ret)
{
	*ret = (struct allocators){ .go = is_go(image) };
	take_exports(image, ret);
	symtab_each_function(image, take_function, ret);
	ret->glibc = alone && has_glibc(image, left);
	/* Then there is a malloc whose name must be found. */
	if (ret->known == 0 && (ret->exports || (alone && !ret->glibc && !ret->go)))
		ret->known = name_malloc(image, left);
}
