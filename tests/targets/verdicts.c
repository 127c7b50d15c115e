// LDFLAGS: -ldl
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdicts SCENARIO SEED
 *
 * A process that shows one verdict, or one that comes near it and must not: scenarios are
 * named for the verdict, "trimmable", with "-not" behind it for the near miss.  The seed
 * decides amounts and sizes.
 */
#include "target.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define MB ((size_t)1 << 20)

enum {
	BLOCKS = 1 << 17,
	THREADS = 4,
	KEPT_OF = 16, /* of blocks that are freed one in so many is kept */
	LID = 3000,   /* no tcache and no fastbin takes it, and it has no page */
};

struct owner {
	pthread_t thread;
	uint64_t random;
	size_t count;
	void *blocks[BLOCKS];
};

static struct owner owners[1 + THREADS]; /* main's first */
static struct owner *const own = &owners[0];
static pthread_barrier_t filled;
static size_t total;

static uint64_t below(uint64_t *random, uint64_t limit)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*random >> 33) % limit;
}

/* ---- blocks ---- */

static void *written(size_t bytes)
{
	return memset(target_block(bytes), 'x', bytes);
}

static void add_blocks(struct owner *owner, size_t bytes, size_t least, size_t most)
{
	for (size_t sum = 0; sum < bytes;) {
		size_t size = least + below(&owner->random, most - least);

		if (owner->count == BLOCKS)
			target_fail("room for blocks");
		owner->blocks[owner->count++] = written(size);
		sum += size;
	}
}

/* Pages each, and none is mapped on its own. */
static void add_large(struct owner *owner, size_t bytes)
{
	add_blocks(owner, bytes, 60000, 120000);
}

static void free_all_but_some(struct owner *owner)
{
	for (size_t i = 0; i < owner->count; i++)
		if (i % KEPT_OF != KEPT_OF - 1 && i + 1 != owner->count)
			free(owner->blocks[i]);
}

static void free_all(struct owner *owner)
{
	for (size_t i = 0; i < owner->count; i++)
		free(owner->blocks[i]);
}

static void fragments(void)
{
	add_large(own, total);
	free_all_but_some(own);
}

/* ---- threads ---- */

static void (*thread_work)(struct owner *owner);
static bool threads_end;

static void *run_thread(void *arg)
{
	struct owner *owner = arg;

	thread_work(owner);
	pthread_barrier_wait(&filled);
	while (!threads_end)
		pause();
	return NULL;
}

/* All at the same time, so that none gets another's arena. */
static void run_threads(void (*work)(struct owner *owner), bool end)
{
	thread_work = work;
	threads_end = end;
	pthread_barrier_init(&filled, NULL, THREADS + 1);
	for (int i = 1; i <= THREADS; i++) {
		owners[i].random = own->random + (uint64_t)i;
		if (pthread_create(&owners[i].thread, NULL, run_thread, &owners[i]) != 0)
			target_fail("pthread_create");
	}
	pthread_barrier_wait(&filled);
	for (int i = 1; i <= THREADS && end; i++)
		pthread_join(owners[i].thread, NULL);
}

static void fill_and_free_some(struct owner *owner)
{
	add_large(owner, total / THREADS);
	free_all_but_some(owner);
}

static void fill_and_free_all(struct owner *owner)
{
	add_large(owner, total / THREADS);
	free_all(owner);
}

static void take_little(struct owner *owner)
{
	add_blocks(owner, 50000, 1000, 2000);
}

/* ---- scenarios ---- */

static void trimmed(void)
{
	fragments();
	malloc_trim(0);
}

/* Small blocks of which every second one is freed, or every one of the first half. */
static void add_small(void)
{
	add_blocks(own, 2 * total, 1100, 3000);
}

static void checkerboard(void)
{
	add_small();
	for (size_t i = 0; i < own->count; i += 2)
		free(own->blocks[i]);
}

static void half_board(void)
{
	add_small();
	for (size_t i = 0; i < own->count / 2; i++)
		free(own->blocks[i]);
}

/* A large block that was freed once raises the dynamic threshold of trimming. */
static void high_tops(void)
{
	free(written(30 * MB));
	run_threads(fill_and_free_all, false);
}

static void low_tops(void)
{
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
	high_tops();
}

static void lid_behind(void)
{
	add_large(own, total);
	written(LID);
	free_all(own);
}

static void lid_before(void)
{
	written(LID);
	add_large(own, total);
	free_all(own);
}

static void lock_all(void)
{
	fragments();
	if (mlockall(MCL_CURRENT) != 0)
		target_fail("mlockall");
}

static void lock_a_little(void)
{
	fragments();
	if (mlock(written(MB), MB) != 0)
		target_fail("mlock");
}

static void idle(void)
{
	run_threads(fill_and_free_some, true);
}

static void not_idle(void)
{
	run_threads(fill_and_free_some, false);
}

static void page_out(void)
{
	char *at = (char *)((uintptr_t)own->blocks[0] & ~(uintptr_t)4095);

	if (madvise(at, (size_t)((char *)sbrk(0) - at), MADV_PAGEOUT) != 0)
		target_fail("MADV_PAGEOUT");
}

static void swap_free(void)
{
	total = 30 * MB;
	fragments();
	page_out();
}

static void swap_in_use(void)
{
	total = 30 * MB;
	add_large(own, total);
	page_out();
}

/*
 * Free chunks of which one byte in 1 MiB was written to.  Their pages come with it where
 * the heap may have huge pages.
 */
static void touch_little(bool huge)
{
	uint64_t start;

	if (prctl(PR_SET_THP_DISABLE, !huge, 0, 0, 0) != 0)
		target_fail("PR_SET_THP_DISABLE");
	mallopt(M_TOP_PAD, (int)(total + 4 * MB));
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	start = ((uint64_t)target_block(LID) + 2 * MB) & ~(2 * MB - 1);
	if (madvise((void *)start, total, MADV_HUGEPAGE) != 0)
		target_fail("MADV_HUGEPAGE");
	for (size_t i = 0; i < total / MB; i++) {
		own->blocks[own->count++] = target_block(MB);
		target_block(LID);
	}
	free_all(own);
}

static void huge(void)
{
	touch_little(true);
}

static void not_huge(void)
{
	touch_little(false);
}

/* As many as there may be, or four of five. */
static void map_blocks(size_t of_five)
{
	size_t most = 50 + below(&own->random, 50);

	mallopt(M_MMAP_MAX, (int)most);
	for (size_t i = 0; i < most * of_five / 5; i++)
		target_block(200000);
}

static void mmap_limit(void)
{
	map_blocks(5);
}

static void not_mmap_limit(void)
{
	map_blocks(4);
}

static void two_arenas(void)
{
	mallopt(M_ARENA_MAX, 2);
	run_threads(take_little, false);
}

static void many_arenas(void)
{
	mallopt(M_ARENA_MAX, 8);
	run_threads(take_little, false);
}

static void hold(void)
{
	add_large(own, total);
}

/* Of four blocks one is kept. */
static void hold_little(void)
{
	add_large(own, total);
	for (size_t i = 0; i < own->count; i++)
		if (i % 4 != 0)
			free(own->blocks[i]);
}

static void map_outside(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		target_fail("mmap");
	memset(at, 'x', bytes);
}

static void outside(void)
{
	add_large(own, total / 3);
	map_outside(total);
}

static void not_outside(void)
{
	add_large(own, total);
	map_outside(total / 3);
}

static void returned(void)
{
	total += 60 * MB;
	trimmed();
}

/* It is free, and its pages are there. */
static void not_returned(void)
{
	total += 60 * MB;
	fragments();
}

/* Whoever is preloaded gets most; glibc serves what asks for it by name. */
static void hold_both(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	void *(*glibc)(size_t);

	if (libc == NULL)
		target_fail("dlopen");
	*(void **)&glibc = dlsym(libc, "malloc");
	add_large(own, total);
	for (int i = 0; i < 100; i++)
		memset(glibc(10000), 'x', 10000);
}

/* The whole file of an allocator, as data that can be read. */
static void hold_beside_file(void)
{
	const char *library = getenv("LIBRARY");
	int fd = library == NULL ? -1 : open(library, O_RDONLY);

	if (fd < 0 ||
	    mmap(NULL, MB, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0) == MAP_FAILED)
		target_fail("LIBRARY in the environment");
	hold_both();
}

/* Of a limit of 128 MiB. */
static void near_limit(void)
{
	add_large(own, 118 * MB + below(&own->random, 2 * MB));
}

static void not_near_limit(void)
{
	add_large(own, 100 * MB + below(&own->random, 5 * MB));
}

// clang-format off
static const struct scenario {
	const char *name;
	void (*show)(void);
	void (*miss)(void);
} scenarios[] = {
	{ "trimmable", fragments, trimmed },
	{ "pinned-free", checkerboard, half_board },
	{ "retained-top", high_tops, low_tops },
	{ "pinned-by-one", lid_behind, lid_before },
	{ "locked", lock_all, lock_a_little },
	{ "idle-arenas", idle, not_idle },
	{ "swapped-free", swap_free, swap_in_use },
	{ "thp-inflated", huge, not_huge },
	{ "mmap-limit", mmap_limit, not_mmap_limit },
	{ "arena-limit", two_arenas, many_arenas },
	{ "application-holds-it", hold, hold_little },
	{ "outside-malloc", outside, not_outside },
	{ "already-returned", returned, not_returned },
	{ "other-allocator", hold_both, hold_beside_file },
	{ "near-limit", near_limit, not_near_limit },
};
// clang-format on

/* NAME or NAME-not; NULL: neither. */
static void (*find(const char *name))(void)
{
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		size_t length = strlen(scenarios[i].name);

		if (strncmp(scenarios[i].name, name, length) != 0)
			continue;
		if (name[length] == '\0')
			return scenarios[i].show;
		if (strcmp(name + length, "-not") == 0)
			return scenarios[i].miss;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	void (*run)(void);

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	malloc_trim(0); /* its code is there before anybody counts pages */
	if (argc != 3)
		target_fail("verdicts SCENARIO SEED");
	own->random = strtoull(argv[2], NULL, 10);
	total = 24 * MB + below(&own->random, 24 * MB);
	run = find(argv[1]);
	if (run == NULL)
		target_fail("no such scenario");
	run();
	target_rest();
}
