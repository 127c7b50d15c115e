// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"
#include "visit/resolve_cache.h"

#define ARENA 0x1000u

static struct scratch scratch;

static struct resolve_cache *new_cache(void)
{
	struct ari_error err;
	struct resolve_cache *cache = resolve_cache_new(&err);

	ck_assert_ptr_nonnull(cache);
	return cache;
}

/* A library's file, mapped so that its address 0 lies at bias. */
static struct image image_of(const char *name, const char *build_id, uint64_t bias)
{
	int fd = openat(scratch.dir, name, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return (struct image){ .fd = fd, .build_id = (char *)build_id, .bias = bias };
}

static struct resolved found_at(uint64_t bias)
{
	struct resolved found = { .debug_file = (char *)"/a/file.debug" };

	found.symbols.address[SYM_MAIN_ARENA] = bias + ARENA;
	found.symbols.source = ARI_SYMBOLS_SEARCH;
	found.layout.bytes[MALLOC_STATE] = 2200;
	return found;
}

static bool find(struct resolve_cache *cache, const struct image *image,
		 struct resolved *ret)
{
	return resolve_cache_find(cache, image, deadline_in(0), ret);
}

static void begin(void)
{
	scratch_open(&scratch);
	scratch_text(&scratch, "libc", "one");
	scratch_text(&scratch, "other", "two");
}

TEST(what_was_found_moves_with_the_image)
{
	struct resolve_cache *cache = new_cache();
	struct resolved found = found_at(0x7f0000000000), got;
	struct image first, second;

	begin();
	first = image_of("libc", "ab", 0x7f0000000000);
	second = image_of("libc", "ab", 0x550000000000);
	ck_assert(!find(cache, &first, &got));
	resolve_cache_settle(cache, &first, &found);
	ck_assert(find(cache, &second, &got));
	ck_assert_uint_eq(got.symbols.address[SYM_MAIN_ARENA], 0x550000000000 + ARENA);
	ck_assert_uint_eq(got.symbols.address[SYM_FREE_LIST], 0);
	ck_assert_uint_eq(got.symbols.source, ARI_SYMBOLS_SEARCH);
	ck_assert_uint_eq(got.layout.bytes[MALLOC_STATE], 2200);
	ck_assert_str_eq(got.debug_file, "/a/file.debug");
	resolved_done(&got);
	resolve_cache_free(cache);
	close(first.fd);
	close(second.fd);
	scratch_close(&scratch);
}

/* The build-id is the word of whoever made the file. */
TEST(another_file_with_the_same_build_id_is_another)
{
	struct resolve_cache *cache = new_cache();
	struct resolved found = found_at(0), got;
	struct image first, second;

	begin();
	first = image_of("libc", "ab", 0);
	second = image_of("other", "ab", 0);
	ck_assert(!find(cache, &first, &got));
	resolve_cache_settle(cache, &first, &found);
	ck_assert(!find(cache, &second, &got));
	resolve_cache_settle(cache, &second, NULL);
	resolve_cache_free(cache);
	close(first.fd);
	close(second.fd);
	scratch_close(&scratch);
}

TEST(file_that_was_written_to_is_another)
{
	struct resolve_cache *cache = new_cache();
	struct resolved found = found_at(0), got;
	struct image image;

	begin();
	image = image_of("libc", NULL, 0);
	ck_assert(!find(cache, &image, &got));
	resolve_cache_settle(cache, &image, &found);
	ck_assert(find(cache, &image, &got));
	resolved_done(&got);
	scratch_text(&scratch, "libc", "longer than before");
	ck_assert(!find(cache, &image, &got));
	resolve_cache_settle(cache, &image, NULL);
	resolve_cache_free(cache);
	close(image.fd);
	scratch_close(&scratch);
}

TEST(what_was_not_found_is_looked_for_by_the_next)
{
	struct resolve_cache *cache = new_cache();
	struct resolved found = found_at(0), got;
	struct image image;

	begin();
	image = image_of("libc", "ab", 0);
	ck_assert(!find(cache, &image, &got));
	resolve_cache_settle(cache, &image, NULL);
	ck_assert(!find(cache, &image, &got));
	resolve_cache_settle(cache, &image, &found);
	ck_assert(find(cache, &image, &got));
	resolved_done(&got);
	resolve_cache_free(cache);
	close(image.fd);
	scratch_close(&scratch);
}

struct seeker {
	struct resolve_cache *cache;
	struct image image;
	bool found;
};

static void *seek(void *data)
{
	struct seeker *seeker = data;
	struct resolved got;

	seeker->found = find(seeker->cache, &seeker->image, &got);
	if (seeker->found)
		resolved_done(&got);
	return NULL;
}

TEST(others_wait_for_the_one_who_is_at_it)
{
	struct resolve_cache *cache = new_cache();
	struct resolved found = found_at(0), got;
	struct seeker seekers[8];
	pthread_t threads[8];
	struct image image;

	begin();
	image = image_of("libc", "ab", 0);
	ck_assert(!find(cache, &image, &got));
	for (int i = 0; i < 8; i++) {
		seekers[i] = (struct seeker){ cache, image, false };
		must(pthread_create(&threads[i], NULL, seek, &seekers[i]) == 0);
	}
	poll(NULL, 0, 100);
	resolve_cache_settle(cache, &image, &found);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		ck_assert(seekers[i].found);
	}
	resolve_cache_free(cache);
	close(image.fd);
	scratch_close(&scratch);
}

TEST(who_hangs_while_he_is_at_it_is_not_waited_for_long)
{
	struct resolve_cache *cache = new_cache();
	struct resolved found = found_at(0), got;
	uint64_t begun;
	struct image image;

	begin();
	image = image_of("libc", "ab", 0);
	ck_assert(!find(cache, &image, &got));
	begun = clock_monotonic_ns();
	ck_assert(!resolve_cache_find(cache, &image, deadline_in(50000000), &got));
	ck_assert_uint_ge(clock_monotonic_ns() - begun, 50000000);
	ck_assert(!find(cache, &image, &got));
	ck_assert_uint_ge(clock_monotonic_ns() - begun, RESOLVE_WAIT_NS);
	/* Whoever comes first serves the others. */
	resolve_cache_settle(cache, &image, &found);
	ck_assert(find(cache, &image, &got));
	resolved_done(&got);
	resolve_cache_settle(cache, &image, NULL);
	ck_assert(find(cache, &image, &got));
	resolved_done(&got);
	resolve_cache_free(cache);
	close(image.fd);
	scratch_close(&scratch);
}

UNIT_MAIN("visit/resolve_cache", what_was_found_moves_with_the_image,
	  another_file_with_the_same_build_id_is_another,
	  file_that_was_written_to_is_another,
	  what_was_not_found_is_looked_for_by_the_next,
	  others_wait_for_the_one_who_is_at_it,
	  who_hangs_while_he_is_at_it_is_not_waited_for_long)
