/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd ARENAS CHUNKS: so many arenas, each with chunks in use and free of many sizes,
 * and so many chunks that have a mapping of their own; then all threads rest.
 */
#include "target.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	BLOCKS = 160, /* of each arena; their sizes go up to ... */
	LARGEST = 3000,
	THRESHOLD = 16 << 10, /* and far above begin the mappings */
	STACK = 64 << 10,
};

static atomic_int filled;

static void fill(unsigned int random)
{
	for (int i = 0; i < BLOCKS; i++) {
		char *block = target_block(24 + (size_t)rand_r(&random) % LARGEST);
		char *next = target_block(24);

		*next = *block = 1;
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

static void make_arenas(int arenas)
{
	pthread_attr_t attributes;
	pthread_t thread;

	mallopt(M_ARENA_MAX, arenas);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	for (int i = 1; i < arenas; i++)
		if (pthread_create(&thread, &attributes, fill_and_park,
				   (void *)(uintptr_t)i) != 0)
			target_fail("pthread_create");
	fill((unsigned int)arenas);
	while (atomic_load(&filled) < arenas - 1)
		usleep(1000);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		target_fail("crowd ARENAS CHUNKS");
	make_arenas(atoi(argv[1]));
	mallopt(M_MMAP_MAX, atoi(argv[2]));
	mallopt(M_MMAP_THRESHOLD, THRESHOLD);
	for (int i = 0; i < atoi(argv[2]); i++)
		target_block(THRESHOLD + (size_t)i % 16 * 4096);
	target_rest();
}
