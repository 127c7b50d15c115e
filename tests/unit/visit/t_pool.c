// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "unit.h"
#include "visit/pool.h"

#define MS 1000000u

/* What the jobs of a test share; results are numbers of their own. */
struct shared {
	atomic_int holds, releases, running, most_running, run;
	atomic_bool let_go; /* what hangs comes back */
	size_t hangs_from, hangs_to;
	uint64_t job_ns;
};

/* Not nanosleep(), which the tests' own stands in for. */
static void rest(uint64_t ns)
{
	poll(NULL, 0, (int)(ns / MS));
}

static void *run(void *data, size_t index)
{
	struct shared *shared = data;
	int running = atomic_fetch_add(&shared->running, 1) + 1;
	int most = atomic_load(&shared->most_running);
	size_t *result = malloc(sizeof(*result));

	must(result != NULL);
	while (running > most &&
	       !atomic_compare_exchange_weak(&shared->most_running, &most, running))
		;
	rest(shared->job_ns);
	while (index >= shared->hangs_from && index < shared->hangs_to &&
	       !atomic_load(&shared->let_go))
		rest(MS);
	atomic_fetch_add(&shared->run, 1);
	atomic_fetch_sub(&shared->running, 1);
	*result = index;
	return result;
}

static void drop(void *result)
{
	free(result);
}

static void hold(void *data)
{
	atomic_fetch_add(&((struct shared *)data)->holds, 1);
}

static void release(void *data)
{
	atomic_fetch_add(&((struct shared *)data)->releases, 1);
}

static struct pool_jobs jobs_of(struct shared *shared, size_t count, unsigned int threads)
{
	return (struct pool_jobs){
		.run = run,
		.drop = drop,
		.hold = hold,
		.release = release,
		.shared = shared,
		.count = count,
		.limit_ns = 60000u * (uint64_t)MS,
		.threads = threads,
	};
}

/* Everyone is through, those left behind, too. */
static void await_release(struct shared *shared)
{
	for (int tries = 0; tries < 60000; tries++) {
		if (atomic_load(&shared->releases) == atomic_load(&shared->holds))
			return;
		rest(MS);
	}
	ck_abort_msg("what the jobs share is never released");
}

static void expect_results(void **results, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		ck_assert_msg(results[i] != NULL, "job %zu has no result", i);
		ck_assert_uint_eq(*(size_t *)results[i], i);
		free(results[i]);
	}
}

TEST(every_job_is_done_once_and_its_result_is_its_own)
{
	struct shared shared = { 0 };
	struct pool_jobs jobs = jobs_of(&shared, 500, 4);
	void *results[500];
	struct ari_error err;

	ck_works(pool_run(&jobs, results, &err), &err);
	expect_results(results, 0, 500);
	ck_assert_int_eq(atomic_load(&shared.run), 500);
	ck_assert_int_eq(atomic_load(&shared.holds), 1);
	await_release(&shared);
}

TEST(jobs_run_side_by_side_and_no_more_than_asked_for)
{
	struct shared shared = { .job_ns = 20 * MS };
	struct pool_jobs jobs = jobs_of(&shared, 24, 3);
	void *results[24];
	struct ari_error err;

	ck_works(pool_run(&jobs, results, &err), &err);
	expect_results(results, 0, 24);
	ck_assert_int_eq(atomic_load(&shared.most_running), 3);
	await_release(&shared);
}

struct taken {
	size_t count;
	bool of[500];
};

static void take(void *data, size_t index, void *result)
{
	struct taken *taken = data;

	ck_assert_uint_eq(*(size_t *)result, index);
	ck_assert(!taken->of[index]);
	taken->of[index] = true;
	taken->count++;
	free(result);
}

TEST(result_is_taken_when_it_is_there_and_a_late_one_never)
{
	struct shared shared = { .hangs_from = 3, .hangs_to = 4 };
	struct pool_jobs jobs = jobs_of(&shared, 500, 4);
	struct taken taken = { 0 };
	void *results[500];
	struct ari_error err;

	jobs.limit_ns = 300 * (uint64_t)MS;
	jobs.take = take;
	jobs.take_data = &taken;
	ck_works(pool_run(&jobs, results, &err), &err);
	atomic_store(&shared.let_go, true);
	await_release(&shared);
	ck_assert_uint_eq(taken.count, 499);
	ck_assert(!taken.of[3]);
	for (size_t i = 0; i < 500; i++)
		ck_assert(results[i] == NULL);
}

TEST(no_job_is_no_work)
{
	struct shared shared = { 0 };
	struct pool_jobs jobs = jobs_of(&shared, 0, 4);
	void *results[1];
	struct ari_error err;

	ck_works(pool_run(&jobs, results, &err), &err);
	ck_assert_int_eq(atomic_load(&shared.holds), atomic_load(&shared.releases));
}

/* The first jobs hang, as many as there are threads: the others are done all the same. */
TEST(job_that_hangs_is_given_up_and_the_others_are_done)
{
	struct shared shared = { .hangs_from = 0, .hangs_to = 2 };
	struct pool_jobs jobs = jobs_of(&shared, 200, 2);
	void *results[200];
	struct ari_error err;
	uint64_t begun = clock_monotonic_ns();

	jobs.limit_ns = 300 * MS;
	ck_works(pool_run(&jobs, results, &err), &err);
	ck_assert_uint_lt(clock_monotonic_ns() - begun, 30000 * (uint64_t)MS);
	ck_assert_ptr_null(results[0]);
	ck_assert_ptr_null(results[1]);
	expect_results(results, 2, 200);
	ck_assert_int_eq(atomic_load(&shared.releases), 0);
	atomic_store(&shared.let_go, true);
	await_release(&shared);
	ck_assert_int_eq(atomic_load(&shared.run), 200);
}

/* When it comes back it writes nowhere: the caller's array may be gone by then. */
TEST(result_that_comes_too_late_is_dropped)
{
	struct shared shared = { .hangs_from = 1, .hangs_to = 2 };
	struct pool_jobs jobs = jobs_of(&shared, 3, 1);
	void *results[3];
	struct ari_error err;

	jobs.limit_ns = 100 * MS;
	ck_works(pool_run(&jobs, results, &err), &err);
	atomic_store(&shared.let_go, true);
	await_release(&shared);
	ck_assert_ptr_null(results[1]);
	free(results[0]);
	free(results[2]);
}

TEST(threads_that_are_left_behind_have_a_bound)
{
	enum { JOBS = 3 * POOL_LEFT_BEHIND_MAX };
	struct shared shared = { .hangs_from = 0, .hangs_to = JOBS };
	struct pool_jobs jobs = jobs_of(&shared, JOBS, 8);
	void *results[JOBS];
	struct ari_error err;

	jobs.limit_ns = 20 * MS;
	ck_works(pool_run(&jobs, results, &err), &err);
	for (size_t i = 0; i < JOBS; i++)
		ck_assert_ptr_null(results[i]);
	ck_assert_int_le(atomic_load(&shared.most_running), POOL_LEFT_BEHIND_MAX + 8);
	atomic_store(&shared.let_go, true);
	await_release(&shared);
}

struct seen {
	size_t calls, last, all;
};

static void see(void *data, size_t done, size_t all)
{
	struct seen *seen = data;

	ck_assert_uint_ge(done, seen->last);
	seen->last = done;
	seen->all = all;
	seen->calls++;
}

TEST(progress_is_told_and_goes_up_to_the_end)
{
	struct shared shared = { .job_ns = MS };
	struct pool_jobs jobs = jobs_of(&shared, 100, 2);
	void *results[100];
	struct seen seen = { 0 };
	struct ari_error err;

	jobs.progress = see;
	jobs.progress_data = &seen;
	ck_works(pool_run(&jobs, results, &err), &err);
	expect_results(results, 0, 100);
	ck_assert_uint_gt(seen.calls, 0);
	ck_assert_uint_eq(seen.last, 100);
	ck_assert_uint_eq(seen.all, 100);
	await_release(&shared);
}

UNIT_MAIN("visit/pool", every_job_is_done_once_and_its_result_is_its_own,
	  jobs_run_side_by_side_and_no_more_than_asked_for, no_job_is_no_work,
	  result_is_taken_when_it_is_there_and_a_late_one_never,
	  job_that_hangs_is_given_up_and_the_others_are_done,
	  result_that_comes_too_late_is_dropped,
	  threads_that_are_left_behind_have_a_bound,
	  progress_is_told_and_goes_up_to_the_end)
