/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swapped INFO_XML TRUTH_JSON
 *
 * Parts of the heaps of two arenas of threads, and of main's, are in swap; one arena's
 * are not: the second of the ring.  The process itself pages them out, once the truth
 * is told.
 */
#include "truth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { THREADS = 3, BLOCKS = 6000 };

static struct truth_thread threads[THREADS + 1];
static char *blocks[THREADS + 1][BLOCKS];
static atomic_int resting;

/* Chunks of all kinds, small ones and some that span pages. */
static void fill(int n)
{
	char **own = blocks[n];

	for (int i = 0; i < BLOCKS; i++) {
		size_t bytes = 40 + (size_t)i * 37 % 900 + (i % 50 == 0 ? 20000 : 0);

		memset(own[i] = target_block(bytes), 1 + i % 255, bytes);
	}
	for (int i = 0; i < BLOCKS; i++)
		if (i % 3 != 0)
			free(own[i]);
	target_block(70000);
	for (int i = 0; i < BLOCKS; i += 30)
		free(own[i]);
	threads[n].tid = target_tid();
	threads[n].arena = target_my_arena();
}

static void *fill_and_park(void *arg)
{
	fill((int)((struct truth_thread *)arg - threads));
	atomic_fetch_add(&resting, 1);
	for (;;)
		pause();
	return NULL;
}

/* The pages between two blocks of one thread, neither theirs nor their neighbours'. */
static void page_out(int n, int from, int to)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t start = ((uint64_t)blocks[n][from] / page + 2) * page;
	uint64_t end = ((uint64_t)blocks[n][to] / page - 1) * page;

	if (start >= end || end - start > (UINT64_C(8) << 20))
		target_fail("choosing pages");
	if (madvise((void *)start, end - start, MADV_PAGEOUT) != 0)
		target_fail("madvise");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		target_fail("usage: swapped INFO_XML TRUTH_JSON");
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	truth_open(argv[1], argv[2]);
	fill(0);
	for (int i = 1; i <= THREADS; i++) {
		if (pthread_create(&thread, NULL, fill_and_park, &threads[i]) != 0)
			target_fail("pthread_create");
		while (atomic_load(&resting) < i)
			usleep(1000);
	}
	truth_tell(threads, THREADS + 1, 0);
	page_out(0, 1000, 2000);
	page_out(1, 900, 1000);
	page_out(1, 3000, 5000);
	for (int i = 0; i < 10; i++) /* every other page or so */
		page_out(3, 500 * i + 100, 500 * i + 180);
	target_rest();
}
