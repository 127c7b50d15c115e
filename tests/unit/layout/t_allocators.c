// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "layout/allocators.h"
#include "scratch.h"
#include "unit.h"

static void expect_name(const char *path, const char *word)
{
	uint32_t known = allocators_by_name(path);
	const char *found = allocators_take(&known);

	if (word == NULL)
		ck_assert_msg(found == NULL, "%s: %s", path, found);
	else
		ck_assert_msg(found != NULL && strcmp(found, word) == 0, "%s: %s", path,
			      found == NULL ? "nothing" : found);
	ck_assert_uint_eq(known, 0);
}

TEST(names_of_the_distributions_files_are_known)
{
	expect_name("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "jemalloc");
	expect_name("/usr/lib/libtcmalloc_minimal.so.4.5.10", "tcmalloc");
	expect_name("/usr/lib/libtcmalloc.so.4 (deleted)", "tcmalloc");
	expect_name("/usr/lib/libmimalloc-secure.so.2.0", "mimalloc");
	expect_name("/lib/x86_64-linux-gnu/libc_malloc_debug.so.0", "libc_malloc_debug");
	expect_name("/lib/ld-musl-x86_64.so.1", "musl");
	expect_name("/usr/lib/x86_64-linux-gnu/libasan.so.8.0.0", "asan");
}

TEST(other_names_are_not)
{
	expect_name("/usr/lib/libc.so.6", NULL);
	expect_name("/opt/libjemalloc.so.2/plugin.so", NULL);
	expect_name("/opt/my-libjemalloc.so.2", NULL);
	expect_name("/opt/libjemalloc.a", NULL);
	expect_name("/opt/libjemalloc (deleted)", NULL);
	expect_name("", NULL);
}

TEST(rows_are_taken_one_by_one)
{
	uint32_t known = allocators_by_name("libmimalloc.so.2") |
			 allocators_by_name("libjemalloc.so.2") |
			 allocators_by_name("libtcmalloc.so.4");

	ck_assert_str_eq(allocators_take(&known), "jemalloc");
	ck_assert_str_eq(allocators_take(&known), "tcmalloc");
	ck_assert_str_eq(allocators_take(&known), "mimalloc");
	ck_assert_ptr_null(allocators_take(&known));
}

static uint64_t searchable = UINT64_MAX;

/* A mapping of the whole file, from its beginning. */
static bool look(const char *file, bool alone, struct allocators *ret)
{
	struct map map = { .start = 0x10000, .end = 0x20000, .path = file, .inode = 1 };
	struct image image;

	if (!image_open_path(file, &map, &image, NULL))
		return false;
	allocators_look(&image, alone, &searchable, ret);
	image_done(&image);
	return true;
}

/*
 * A copy of this very program, which is no allocator and may be anything after some of
 * its bytes have been changed.
 */
static char *read_self(size_t *ret)
{
	FILE *self = fopen("/proc/self/exe", "r");
	char *bytes = malloc((size_t)64 << 20);

	ck_assert_ptr_nonnull(self);
	ck_assert_ptr_nonnull(bytes);
	*ret = fread(bytes, 1, (size_t)64 << 20, self);
	fclose(self);
	return bytes;
}

TEST(program_that_only_calls_malloc_has_none)
{
	struct allocators has;

	ck_assert(look("/proc/self/exe", false, &has));
	ck_assert(!has.go);
	ck_assert(!has.glibc);
#ifndef __SANITIZE_ADDRESS__
	ck_assert(!has.exports);
	ck_assert(!has.defines);
#endif
}

/* Would it run alone, it were glibc's: it has a text of glibc, the one below. */
TEST(files_are_searched_while_as_many_bytes_may_be)
{
	static const char *volatile text = "free(): invalid pointer";
	struct allocators has;
	uint64_t bytes;

	ck_assert_uint_gt(strlen(text), 0);
	ck_assert(look("/proc/self/exe", true, &has));
	ck_assert(has.glibc);
	bytes = UINT64_MAX - searchable;
	ck_assert_uint_gt(bytes, 0);
	searchable = 2 * bytes - 1;
	ck_assert(look("/proc/self/exe", true, &has));
	ck_assert(has.glibc);
	ck_assert_uint_eq(searchable, bytes - 1);
	ck_assert(look("/proc/self/exe", true, &has));
	ck_assert(!has.glibc);
	searchable = UINT64_MAX;
}

/* Other bytes at `count` places of [from, from + span). */
static void spoil(char *at, size_t from, size_t span, size_t count, uint64_t *seed)
{
	for (size_t i = 0; i < count; i++)
		at[from + unit_random(seed) % span] = (char)unit_random(seed);
}

/* Whichever that is: under a sanitizer it is that one's runtime. */
TEST(file_that_malloc_is_in_exports_it)
{
	void *(*volatile asked)(size_t) = malloc;
	struct allocators has;
	Dl_info info;

	ck_assert_int_ne(dladdr((void *)asked, &info), 0);
	ck_assert(look(info.dli_fname, false, &has));
	ck_assert(has.exports);
	ck_assert(has.defines);
	ck_assert(!has.go);
#ifdef __SANITIZE_ADDRESS__
	ck_assert_str_eq(allocators_take(&has.known), "asan");
#else
	ck_assert_uint_eq(has.known, 0);
#endif
}

/* Headers, dynamic section, symbols and names of a file are whatever they are. */
TEST(ruined_files_are_looked_at_to_an_end)
{
	struct scratch scratch;
	autofree char *bytes = NULL, *copy = NULL;
	uint64_t seed = 1;
	unsigned int opened = 0;
	char name[128];
	size_t length;

	scratch_open(&scratch);
	bytes = read_self(&length);
	copy = malloc(length);
	ck_assert_ptr_nonnull(copy);
	snprintf(name, sizeof(name), "%s/self", scratch.path);
	for (unsigned int round = 0; round < 60; round++) {
		struct allocators has;
		size_t cut = round % 3 == 0 ? unit_random(&seed) % length : 0;

		memcpy(copy, bytes, length);
		spoil(copy, 64, 4096, 8, &seed);
		spoil(copy, length - 4096, 4096, 64, &seed);
		spoil(copy, 64, length - 64, 64, &seed);
		scratch_file(&scratch, "self", copy, length - cut);
		opened += look(name, round % 2 == 0, &has);
	}
	ck_assert_uint_gt(opened, 10);
	scratch_close(&scratch);
}

UNIT_MAIN("layout/allocators", names_of_the_distributions_files_are_known,
	  other_names_are_not, rows_are_taken_one_by_one,
	  program_that_only_calls_malloc_has_none,
	  files_are_searched_while_as_many_bytes_may_be,
	  file_that_malloc_is_in_exports_it, ruined_files_are_looked_at_to_an_end)
