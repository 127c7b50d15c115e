/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy INFO_XML TRUTH_JSON
 *
 * Never rests: on every processor threads allocate, free each other's blocks, start
 * and end.  Three quiet arenas lie among theirs; the truth is told of them, before the
 * noise begins.  New arenas go right behind main_arena in the ring, so the quiet ones
 * are its last three, in the order of malloc_info.
 */
#include "truth.h"

#include <pthread.h>
#include <stdatomic.h>

enum { QUIET = 3, SHARED = 4096, BURST = 20000 };

static struct truth_thread threads[QUIET + 1];
static atomic_int quiet;
static _Atomic(void *) shared[SHARED];

static void *be_quiet(void *arg)
{
	static _Thread_local void *blocks[3000];
	struct truth_thread *truth = arg;

	for (size_t i = 0; i < 3000; i++)
		blocks[i] = target_block(24 + i * 37 % 5000);
	for (size_t i = 0; i < 3000; i += 1 + i % 3)
		free(blocks[i]);
	truth->tid = target_tid();
	truth->arena = target_my_arena();
	atomic_fetch_add(&quiet, 1);
	for (;;)
		pause();
	return NULL;
}

static void one_burst(unsigned int *random)
{
	for (int i = 0; i < BURST; i++) {
		size_t size = (size_t)rand_r(random) % (i % 50 == 0 ? 150000 : 2000);
		void *block = target_block(size + 1);

		free(atomic_exchange(&shared[(unsigned int)rand_r(random) % SHARED],
				     block));
	}
}

static void *live_shortly(void *arg)
{
	unsigned int random = (unsigned int)(uintptr_t)arg;

	one_burst(&random);
	return NULL;
}

/* Half of its work in threads that come and go. */
static void *never_rest(void *arg)
{
	unsigned int random = (unsigned int)(uintptr_t)arg;
	pthread_t thread;

	for (;;) {
		void *seed = (void *)(uintptr_t)rand_r(&random);

		if (pthread_create(&thread, NULL, live_shortly, seed) != 0)
			target_fail("pthread_create");
		one_burst(&random);
		pthread_join(thread, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		target_fail("usage: busy INFO_XML TRUTH_JSON");
	mallopt(M_ARENA_MAX,
		100); /* never reached: no noisy thread shares a quiet arena */
	truth_open(argv[1], argv[2]);
	threads[0].tid = target_tid();
	for (int i = 1; i <= QUIET; i++)
		if (pthread_create(&thread, NULL, be_quiet, &threads[i]) != 0)
			target_fail("pthread_create");
	while (atomic_load(&quiet) < QUIET)
		usleep(1000);
	truth_tell(threads, QUIET + 1, 0);
	for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN) && i < 16; i++)
		if (pthread_create(&thread, NULL, never_rest,
				   (void *)(uintptr_t)(i + 1)) != 0)
			target_fail("pthread_create");
	target_rest();
}
