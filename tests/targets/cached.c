/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cached SEED [large] INFO_XML TRUTH_JSON
 *
 * Threads whose caches hold known numbers of chunks of each class: some that they got
 * themselves, and some that another thread got, in its arena.  Besides malloc_info the
 * truth is a list of what each cached, by arena and size, and one of what is held, by
 * arena of a thread and size.  `large`: of the classes that 2.42 has besides, too, if a
 * tunable lets chunks of up to 4 MiB in.
 */
#include "truth.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	MEMBERS = 4,   /* threads with a cache; the first is the main thread */
	CLASSES = 64,  /* chunks of 32, 48, … 1040 bytes */
	PUT_INTO = 63, /* but those of 1040 are not cached in every release */
	LARGE = 6,
	SIZES = CLASSES + LARGE,
	AT_MOST = 7, /* tcache_count of every release, or less */
	HELD = 40,   /* more than a cache and bins can have of a class at the start */
	BLOCKS = HELD + 2 * AT_MOST,
	MMAPPED = 300000,
};

static const size_t large_sizes[LARGE] = { 1504, 2048, 4080, 20000, 65552, 120000 };

/* What a member got of a size.  From HELD on come those it frees, and those that the next
 * member does. */
static void *blocks[MEMBERS][SIZES][BLOCKS];
static struct {
	int own, foreign;
} cached[MEMBERS][SIZES];
static struct truth_thread threads[MEMBERS];
static pthread_barrier_t phase;
static atomic_int resting;
static uint64_t seed;
static int sizes = CLASSES;

static int random_below(int limit)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (int)((seed >> 33) % (unsigned int)limit);
}

static size_t size_of(int i)
{
	return i < CLASSES ? 32 + 16 * (size_t)i : large_sizes[i - CLASSES];
}

static void draw_numbers(void)
{
	for (int m = 0; m < MEMBERS; m++) {
		for (int i = 0; i < sizes; i++) {
			if (i == PUT_INTO || (m == 0 && i >= CLASSES))
				continue;
			cached[m][i].own = random_below(AT_MOST + 1);
			cached[m][i].foreign =
				random_below(AT_MOST + 1 - cached[m][i].own);
		}
	}
}

/* Uses up whatever the cache had, too. */
static void get_blocks(int m)
{
	for (int i = 0; i < sizes; i++) {
		int first = i < CLASSES ? 0 : HELD;

		for (int b = first; b < BLOCKS; b++)
			blocks[m][i][b] = target_block(size_of(i) - 8);
	}
}

static void free_some(void **from, int count)
{
	for (int i = 0; i < count; i++)
		free(from[i]);
}

static void fill_cache(int m)
{
	int other = (m + 1) % MEMBERS;

	for (int i = 0; i < sizes; i++) {
		free_some(&blocks[m][i][HELD], cached[m][i].own);
		free_some(&blocks[other][i][HELD + AT_MOST], cached[m][i].foreign);
	}
	/* It is mmapped, and 2.42 and later cache it all the same: that is no arena's. */
	if (m != 0 && sizes == SIZES)
		free(target_block(MMAPPED));
}

static void take_part(int m)
{
	threads[m].tid = target_tid();
	get_blocks(m);
	threads[m].arena = target_arena_of(blocks[m][0][BLOCKS - 1]);
	pthread_barrier_wait(&phase);
	fill_cache(m);
	pthread_barrier_wait(&phase);
}

static void *worker(void *arg)
{
	take_part((int)(intptr_t)arg);
	atomic_fetch_add(&resting, 1);
	for (;;)
		pause();
	return NULL;
}

static void add_arena(uint64_t arena)
{
	if (arena == 0)
		truth_add("\"arena\":\"main\"");
	else
		truth_add("\"arena\":\"0x%llx\"", (unsigned long long)arena);
}

static void add_cached(int m, int of, int i, int count)
{
	if (count == 0)
		return;
	truth_add("%s{\"tid\":%d,\"bytes\":%zu,\"chunks\":%d,",
		  truth_line[truth_used - 1] == '[' ? "" : ",", threads[m].tid,
		  size_of(i), count);
	add_arena(threads[of].arena);
	truth_add("}");
}

/* What the last freed of a member's blocks, and the next member, left to it. */
static void add_held(int m, int i)
{
	int previous = (m + MEMBERS - 1) % MEMBERS;
	int got = i < CLASSES ? BLOCKS : BLOCKS - HELD;

	truth_add("%s{\"bytes\":%zu,\"chunks\":%d,",
		  truth_line[truth_used - 1] == '[' ? "" : ",", size_of(i),
		  got - cached[m][i].own - cached[previous][i].foreign);
	add_arena(threads[m].arena);
	truth_add("}");
}

static void add_lists(void)
{
	truth_add(",\"cached\":[");
	for (int m = 0; m < MEMBERS; m++) {
		for (int i = 0; i < sizes; i++) {
			add_cached(m, m, i, cached[m][i].own);
			add_cached(m, (m + 1) % MEMBERS, i, cached[m][i].foreign);
		}
	}
	truth_add("],\"held\":[");
	for (int m = 1; m < MEMBERS; m++)
		for (int i = 0; i < sizes; i++)
			add_held(m, i);
	truth_add("]");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 4)
		target_fail("usage: cached SEED [large] INFO_XML TRUTH_JSON");
	seed = strtoull(argv[1], NULL, 10);
	if (strcmp(argv[2], "large") == 0)
		sizes = SIZES;
	truth_open(argv[argc - 2], argv[argc - 1]);
	truth_more = add_lists;
	draw_numbers();
	pthread_barrier_init(&phase, NULL, MEMBERS);
	for (intptr_t m = 1; m < MEMBERS; m++)
		if (pthread_create(&thread, NULL, worker, (void *)m) != 0)
			target_fail("pthread_create");
	take_part(0);
	while (atomic_load(&resting) < MEMBERS - 1)
		usleep(1000);
	truth_tell(threads, MEMBERS, 0);
	truth_rest();
}
