/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arenas64 [MIB]: 64 arenas with 4096 MiB of heap in all, every page of it present,
 * fragmented by frees; then all threads rest until stdin closes.
 */
#include "../targets/target.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

enum { ARENAS = 64 };

static size_t bytes_each;
static atomic_int filled;

static void fill(unsigned int random)
{
	size_t got = 0;

	while (got < bytes_each) {
		size_t size = 24 + (size_t)rand_r(&random) % 4000;
		char *block = malloc(size), *next = malloc(24);

		if (block == NULL || next == NULL)
			target_fail("malloc");
		memset(block, 1, size);
		got += malloc_usable_size(block) + malloc_usable_size(next) + 16;
		if (rand_r(&random) % 3 == 0)
			free(block); /* a hole: `next` keeps it from merging onwards */
	}
}

static void *fill_and_park(void *arg)
{
	fill((unsigned int)(uintptr_t)arg);
	atomic_fetch_add(&filled, 1);
	for (;;)
		pause();
	return NULL;
}

int main(int argc, char **argv)
{
	size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 4096;
	pthread_t thread;

	bytes_each = (mib << 20) / ARENAS;
	mallopt(M_ARENA_MAX, ARENAS);
	for (int i = 1; i < ARENAS; i++)
		if (pthread_create(&thread, NULL, fill_and_park, (void *)(uintptr_t)i) !=
		    0)
			target_fail("pthread_create");
	fill(ARENAS);
	while (atomic_load(&filled) < ARENAS - 1)
		usleep(1000);
	target_rest();
}
