// SPDX-License-Identifier: Apache-2.0
/*
 * What scripts/demo inspects: a server after a busy hour.
 *
 * An upload at its start raised malloc's dynamic thresholds.  At the peak 64 workers
 * handled requests at the same time, which spread them over as many arenas as glibc
 * allows.  A session cache kept a block here and there of what they allocated; the
 * rest they freed, in no order.  Then the load went down and most workers ended.
 */
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>

enum {
	WORKERS = 64,
	STAYING = 8,
	BLOCKS = 2000,	/* of a worker, at the peak */
	CACHED_OF = 40, /* one block in so many outlives its worker */
	REPLY = 96 << 10,
	REPLIES = 6,
	UPLOAD = 4 << 20,
	CACHE = WORKERS * BLOCKS / CACHED_OF,
};

struct worker {
	pthread_t thread;
	int number;
	uint64_t random;
	void *blocks[BLOCKS];
};

static struct worker workers[WORKERS];
static void *cache[CACHE];
static atomic_int cached;
static pthread_barrier_t peak;

static uint64_t below(uint64_t *random, uint64_t limit)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*random >> 33) % limit;
}

/* A block that has been written to, so that its pages are there. */
static void *filled(size_t size)
{
	void *block = malloc(size);

	if (block == NULL)
		target_fail("malloc");
	return memset(block, 'x', size);
}

static size_t request_size(uint64_t *random)
{
	switch (below(random, 10)) {
	case 0:
		return 4096 + below(random, 12 << 10);
	case 1:
	case 2:
		return 512 + below(random, 2048);
	default:
		return 24 + below(random, 400);
	}
}

static void shuffle(struct worker *w)
{
	for (size_t i = BLOCKS - 1; i > 0; i--) {
		size_t other = below(&w->random, i + 1);
		void *block = w->blocks[i];

		w->blocks[i] = w->blocks[other];
		w->blocks[other] = block;
	}
}

/* After the shuffle, "the first ones" are blocks from anywhere in the heap. */
static void free_in_fragments(struct worker *w)
{
	shuffle(w);
	for (int i = 0; i < BLOCKS; i++) {
		if (i < BLOCKS / CACHED_OF)
			cache[atomic_fetch_add(&cached, 1)] = w->blocks[i];
		else
			free(w->blocks[i]);
		w->blocks[i] = NULL;
	}
}

static void *work(void *at)
{
	struct worker *w = at;
	void *replies[REPLIES];
	char name[16];

	snprintf(name, sizeof name, "worker-%d", w->number);
	pthread_setname_np(pthread_self(), name);

	for (int i = 0; i < BLOCKS; i++)
		w->blocks[i] = filled(request_size(&w->random));
	for (int i = 0; i < REPLIES; i++)
		replies[i] = filled(REPLY);
	pthread_barrier_wait(&peak);

	for (int i = 0; i < REPLIES; i++)
		free(replies[i]);
	free_in_fragments(w);
	pthread_barrier_wait(&peak);

	if (w->number >= WORKERS - STAYING)
		for (;;)
			pause();
	return NULL;
}

int main(void)
{
	/* Where Yama allows a parent only, the inspector is a mere sibling. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);

	free(filled(UPLOAD));
	pthread_barrier_init(&peak, NULL, WORKERS + 1);
	for (int i = 0; i < WORKERS; i++) {
		workers[i].number = i;
		workers[i].random = i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			target_fail("pthread_create");
	}
	pthread_barrier_wait(&peak);
	pthread_barrier_wait(&peak);
	for (int i = 0; i < WORKERS - STAYING; i++)
		pthread_join(workers[i].thread, NULL);
	target_rest();
}
