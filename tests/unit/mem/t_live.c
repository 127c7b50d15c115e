// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem/live.h"
#include "unit.h"

#define RANGES 1500 /* more than one call takes */

/* Our own memory, which we may always read. */
struct own {
	struct target target;
	struct maps maps;
	struct live live;
	uint8_t *pages; /* readable, one that is not, readable */
	uint64_t page, at;
};

static void open_own(struct own *own)
{
	struct ari_error err;

	*own = (struct own){ .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	own->pages = mmap(NULL, 3 * own->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(own->pages, MAP_FAILED);
	memset(own->pages, 0x5a, 3 * own->page);
	ck_assert_int_eq(mprotect(own->pages + own->page, own->page, PROT_NONE), 0);
	own->at = (uint64_t)(uintptr_t)own->pages;
	ck_works(target_open(getpid(), &own->target, &err), &err);
	ck_works(target_maps(&own->target, &own->maps, &err), &err);
	ck_works(live_open(&own->target, &own->maps, &own->live, &err), &err);
}

static void close_own(struct own *own)
{
	live_close(&own->live);
	maps_done(&own->maps);
	target_close(&own->target);
	munmap(own->pages, 3 * own->page);
}

/* Both ways to read: by process_vm_readv, and through /proc/PID/mem. */
static void take_way(struct own *own, int way)
{
	if (way == 1)
		own->live.mem_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(own->live.mem_fd >= 0, way == 1);
}

TEST(memory_is_read_either_way)
{
	for (int way = 0; way < 2; way++) {
		struct own own;
		struct ari_error err;
		uint64_t word;

		open_own(&own);
		take_way(&own, way);
		ck_works(mem_read_word(&own.live.mem, own.at + 16, &word, &err), &err);
		ck_assert_uint_eq(word, 0x5a5a5a5a5a5a5a5a);
		close_own(&own);
	}
}

static size_t copy_ranges(struct own *own, size_t bad, uint8_t *bytes, bool *ret,
			  struct ari_error *err)
{
	static struct mem_range ranges[RANGES];
	size_t done = SIZE_MAX;

	for (size_t i = 0; i < RANGES; i++)
		ranges[i] = (struct mem_range){ own->at + i % own->page, bytes + i, 1 };
	if (bad < RANGES)
		ranges[bad].address = own->at + own->page;
	*ret = own->live.mem.ops->copy(&own->live.mem, ranges, RANGES, &done, err);
	return done;
}

TEST(many_ranges_are_copied_in_order)
{
	for (int way = 0; way < 2; way++) {
		struct own own;
		struct ari_error err;
		uint8_t bytes[RANGES];
		bool done;

		open_own(&own);
		take_way(&own, way);
		for (size_t i = 0; i < own.page; i++)
			own.pages[i] = (uint8_t)i;
		ck_assert_uint_eq(copy_ranges(&own, SIZE_MAX, bytes, &done, &err),
				  RANGES);
		ck_works(done, &err);
		for (size_t i = 0; i < RANGES; i++)
			must(bytes[i] == (uint8_t)(i % own.page));
		close_own(&own);
	}
}

/* Through /proc/PID/mem even PROT_NONE is read, so that way has another hole. */
TEST(first_bad_range_ends_the_copy_and_is_named)
{
	static const size_t places[] = { 0, 1, 511, 512, 513, 1499 };

	for (int way = 0; way < 2; way++)
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
			struct own own;
			struct ari_error err;
			uint8_t bytes[RANGES] = { 0 };
			bool done;

			open_own(&own);
			take_way(&own, way);
			if (way == 1)
				munmap(own.pages + own.page, own.page);
			ck_assert_uint_eq(
				copy_ranges(&own, places[i], bytes, &done, &err),
				places[i]);
			ck_fails(done, &err, ARI_FAULT);
			ck_assert_uint_eq(err.address, own.at + own.page);
			ck_assert(places[i] == 0 || bytes[places[i] - 1] == 0x5a);
			close_own(&own);
		}
}

TEST(range_that_runs_into_a_hole_names_the_hole)
{
	struct own own;
	struct ari_error err;
	uint64_t word;

	open_own(&own);
	ck_fails(mem_read_word(&own.live.mem, own.at + own.page - 4, &word, &err), &err,
		 ARI_FAULT);
	ck_assert_uint_eq(err.address, own.at + own.page);
	ck_works(mem_read_word(&own.live.mem, own.at + 2 * own.page, &word, &err), &err);
	close_own(&own);
}

TEST(refresh_sees_new_mappings)
{
	struct own own;
	struct ari_error err;
	uint64_t hole;

	open_own(&own);
	hole = own.at + own.page;
	ck_assert(!maps_covers(own.live.mem.maps, hole, 1, MAP_WRITE));
	mprotect(own.pages + own.page, own.page, PROT_READ | PROT_WRITE);
	ck_works(own.live.mem.ops->refresh(&own.live.mem, &err), &err);
	ck_assert(maps_covers(own.live.mem.maps, hole, 1, MAP_WRITE));
	close_own(&own);
}

/* Its file of memory can still be read, and has nothing in it. */
TEST(process_that_ended_is_gone_either_way)
{
	for (int way = 0; way < 2; way++) {
		struct own own;
		struct ari_error err;
		uint64_t word;
		size_t done;
		struct mem_range range;
		pid_t child;

		open_own(&own);
		range = (struct mem_range){ own.at, &word, sizeof(word) };
		child = fork();
		if (child == 0)
			for (;;)
				pause();
		ck_assert_int_gt(child, 0);
		own.target.pid = own.target.task = child;
		if (way == 1) {
			char path[64];

			snprintf(path, sizeof(path), "/proc/%d/mem", (int)child);
			own.live.mem_fd = open(path, O_RDONLY | O_CLOEXEC);
			ck_assert_int_ge(own.live.mem_fd, 0);
		}
		ck_works(own.live.mem.ops->copy(&own.live.mem, &range, 1, &done, &err),
			 &err);
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, NULL, 0), child);
		ck_fails(own.live.mem.ops->copy(&own.live.mem, &range, 1, &done, &err),
			 &err, ARI_GONE);
		close_own(&own);
	}
}

TEST(page_of_a_file_is_what_the_file_holds)
{
	static const char word[] = "a word of this program";
	struct own own;
	struct ari_error err;
	const struct map *map;
	uint8_t bytes[4];

	open_own(&own);
	map = maps_find(&own.maps, (uintptr_t)word);
	ck_assert_ptr_nonnull(map);
	while (map->offset != 0)
		map--;
	ck_works(own.live.mem.ops->file(&own.live.mem, map, map->start, bytes, 4, &err),
		 &err);
	ck_assert_mem_eq(bytes,
			 "\x7f"
			 "ELF",
			 4);
	close_own(&own);
}

UNIT_MAIN("mem/live", memory_is_read_either_way, many_ranges_are_copied_in_order,
	  first_bad_range_ends_the_copy_and_is_named,
	  range_that_runs_into_a_hole_names_the_hole, refresh_sees_new_mappings,
	  process_that_ended_is_gone_either_way, page_of_a_file_is_what_the_file_holds)
