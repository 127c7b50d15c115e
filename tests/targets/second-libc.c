// LDFLAGS: -ldl
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * second-libc INFO_XML TRUTH_JSON
 *
 * A second libc in a namespace of its own (dlmopen), whose malloc is used too: another
 * main_arena, another mp_, of which malloc_info(3) of the first says nothing.
 */
#include "truth.h"

#include <dlfcn.h>
#include <pthread.h>

enum { BLOCKS = 100 };

static struct truth_thread threads[2];
static pthread_barrier_t filled;

static void fill(struct truth_thread *truth)
{
	for (size_t i = 0; i < BLOCKS; i++)
		free(target_block(40 + i * 37));
	truth->tid = target_tid();
	truth->arena = target_my_arena();
}

static void *fill_and_park(void *arg)
{
	fill(arg);
	pthread_barrier_wait(&filled);
	for (;;)
		pause();
	return NULL;
}

static void use_second_libc(void)
{
	void *libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
	void *(*second_malloc)(size_t);
	void (*second_free)(void *);

	if (libc == NULL)
		target_fail("dlmopen");
	*(void **)&second_malloc = dlsym(libc, "malloc");
	*(void **)&second_free = dlsym(libc, "free");
	if (second_malloc == NULL || second_free == NULL || second_malloc == malloc)
		target_fail("dlsym");
	for (size_t i = 0; i < BLOCKS; i++) {
		char *block = second_malloc(1000 + i * 37);

		if (block == NULL)
			target_fail("the second malloc");
		block[0] = 1;
		if (i % 2 == 0)
			second_free(block);
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		target_fail("usage: second-libc INFO_XML TRUTH_JSON");
	truth_open(argv[1], argv[2]);
	pthread_barrier_init(&filled, NULL, 2);
	if (pthread_create(&thread, NULL, fill_and_park, &threads[0]) != 0)
		target_fail("pthread_create");
	pthread_barrier_wait(&filled);
	use_second_libc();
	fill(&threads[1]);
	truth_tell(threads, 2, 0);
	truth_rest();
}
