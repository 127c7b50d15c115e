// SPDX-License-Identifier: Apache-2.0
#include "visit/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

#define GLANCE_NS 20000000u /* how often what runs is held against its limit */

struct worker {
	struct pool *pool;
	size_t job;
	uint64_t begun_ns; /* of its job; 0: it has none */
	bool left_behind;
};

/* Lives until the last thread is through; all but `jobs` is under the lock. */
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pool_jobs jobs;
	void **results; /* the caller's; a thread that was left behind keeps off */
	size_t next, settled, left_behind;
	unsigned int users; /* the caller, and every thread */
	/* Those that count: each of them is replaced when it is left behind. */
	struct worker **workers;
	unsigned int count;
};

/* ---- from beginning to end ---- */

static struct pool *pool_new(const struct pool_jobs *jobs, void **results)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t clock;

	if (pool == NULL)
		return NULL;
	pool->workers = calloc(jobs->threads, sizeof(*pool->workers));
	if (pool->workers == NULL) {
		free(pool);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &clock);
	pthread_condattr_destroy(&clock);
	pool->jobs = *jobs;
	pool->results = results;
	pool->users = 1;
	jobs->hold(jobs->shared);
	return pool;
}

/* Called with the lock held, which is gone afterwards. */
static void pool_leave(struct pool *pool)
{
	bool last = --pool->users == 0;

	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	if (!last)
		return;
	pool->jobs.release(pool->jobs.shared);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->workers);
	free(pool);
}

/* ---- in a thread ---- */

/* Under the lock: one job after the other, as long as nobody gives the thread up. */
static void work(struct worker *worker)
{
	struct pool *pool = worker->pool;

	while (!worker->left_behind && pool->next < pool->jobs.count) {
		void *result;

		worker->job = pool->next++;
		worker->begun_ns = clock_monotonic_ns();
		pthread_mutex_unlock(&pool->lock);
		result = pool->jobs.run(pool->jobs.shared, worker->job);
		pthread_mutex_lock(&pool->lock);
		if (worker->left_behind) {
			if (result != NULL)
				pool->jobs.drop(result);
			return;
		}
		worker->begun_ns = 0;
		pool->results[worker->job] = result;
		pool->settled++;
		pthread_cond_broadcast(&pool->changed);
	}
}

/* Under the lock: it is no longer among those that count. */
static void forget_worker(struct pool *pool, const struct worker *worker)
{
	for (unsigned int i = 0; i < pool->count; i++)
		if (pool->workers[i] == worker)
			pool->workers[i] = pool->workers[--pool->count];
}

static void *thread_main(void *data)
{
	struct worker *worker = data;
	struct pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	work(worker);
	forget_worker(pool, worker);
	free(worker);
	pool_leave(pool);
	return NULL;
}

/* ---- in the caller's thread, under the lock ---- */

static bool add_worker(struct pool *pool)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_attr_t detached;
	pthread_t thread;
	bool begun;

	if (worker == NULL)
		return false;
	worker->pool = pool;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	begun = pthread_create(&thread, &detached, thread_main, worker) == 0;
	pthread_attr_destroy(&detached);
	if (!begun) {
		free(worker);
		return false;
	}
	pool->workers[pool->count++] = worker;
	pool->users++;
	return true;
}

static bool is_over(const struct pool *pool, const struct worker *worker, uint64_t now)
{
	return worker->begun_ns != 0 && now - worker->begun_ns > pool->jobs.limit_ns;
}

/* Gives up the jobs that had their time; others take the places of their threads. */
static void give_up(struct pool *pool)
{
	uint64_t now = clock_monotonic_ns();

	for (unsigned int i = 0; i < pool->count;) {
		struct worker *worker = pool->workers[i];

		if (!is_over(pool, worker, now)) {
			i++;
			continue;
		}
		worker->left_behind = true;
		forget_worker(pool, worker);
		pool->settled++;
		pool->left_behind++;
		if (pool->next < pool->jobs.count &&
		    pool->left_behind < POOL_LEFT_BEHIND_MAX)
			add_worker(pool);
	}
}

static void glance(struct pool *pool)
{
	uint64_t at = clock_monotonic_ns() + GLANCE_NS;
	struct timespec until = { (time_t)(at / NS_PER_SECOND),
				  (long)(at % NS_PER_SECOND) };

	pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
}

/* It may take its time: not with the lock held. */
static void tell_progress(struct pool *pool)
{
	size_t settled = pool->settled;

	if (pool->jobs.progress == NULL)
		return;
	pthread_mutex_unlock(&pool->lock);
	pool->jobs.progress(pool->jobs.progress_data, settled, pool->jobs.count);
	pthread_mutex_lock(&pool->lock);
}

/* Nor is this done with the lock held. */
static void hand_over(struct pool *pool)
{
	for (size_t i = 0; pool->jobs.take != NULL && i < pool->next; i++) {
		void *result = pool->results[i];

		if (result == NULL)
			continue;
		pool->results[i] = NULL;
		pthread_mutex_unlock(&pool->lock);
		pool->jobs.take(pool->jobs.take_data, i, result);
		pthread_mutex_lock(&pool->lock);
	}
}

/* Until every thread that counts is through, which has settled what it began. */
static void await_workers(struct pool *pool)
{
	while (pool->count > 0) {
		glance(pool);
		give_up(pool);
		hand_over(pool);
		tell_progress(pool);
	}
	hand_over(pool);
	tell_progress(pool);
}

bool pool_run(const struct pool_jobs *jobs, void **results, struct ari_error *err)
{
	struct pool *pool;
	bool begun;

	memset(results, 0, jobs->count * sizeof(*results));
	if (jobs->count == 0)
		return true;
	pool = pool_new(jobs, results);
	if (pool == NULL)
		return fail_memory(err);
	pthread_mutex_lock(&pool->lock);
	while (pool->count < jobs->threads && pool->count < jobs->count &&
	       add_worker(pool))
		;
	begun = pool->count > 0;
	await_workers(pool);
	pool_leave(pool);
	return begun || fail(err, ARI_NO_MEMORY, "no thread can be begun");
}
