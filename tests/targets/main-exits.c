/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main-exits INFO_XML TRUTH_JSON
 *
 * The main thread ends and the others live on: /proc/PID itself is a zombie's then,
 * without maps and without memory; only /proc/PID/task/TID of the others shows them.
 * The main thread leaves by a way that does not detach it from main_arena.
 */
#include "truth.h"

#include <pthread.h>

enum { THREADS = 3 };

static struct truth_thread threads[THREADS];
static pthread_barrier_t all_filled;
static pthread_t main_thread;

static void fill(struct truth_thread *truth)
{
	for (int i = 0; i < 1000; i++)
		free(target_block(40 + (size_t)i * 7));
	truth->tid = target_tid();
	truth->arena = target_my_arena();
	pthread_barrier_wait(&all_filled);
}

static void *fill_and_park(void *arg)
{
	fill(arg);
	for (;;)
		pause();
	return NULL;
}

static void *fill_and_tell(void *arg)
{
	fill(arg);
	if (pthread_join(main_thread, NULL) != 0)
		target_fail("pthread_join");
	truth_tell(threads, THREADS, 1);
	truth_rest();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		target_fail("usage: main-exits INFO_XML TRUTH_JSON");
	truth_open(argv[1], argv[2]);
	main_thread = pthread_self();
	pthread_barrier_init(&all_filled, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, i == 0 ? fill_and_tell : fill_and_park,
				   &threads[i]) != 0)
			target_fail("pthread_create");
	pthread_exit(NULL);
}
