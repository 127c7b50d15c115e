// SPDX-License-Identifier: Apache-2.0
/* Visits of several processes, none of which waits for another. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/jobs.h"
#include "visit/pool.h"
#include "visit/scan_shared.h"
#include "visit/visit.h"

struct takes {
	const struct ari_visits *visits;
	bool *taken; /* of each */
	bool failed;
	struct ari_error *err;
};

/* One that cannot be taken ends it for the others, too. */
static void take(struct takes *takes, size_t index, struct ari_model *model,
		 const struct ari_error *why)
{
	const struct ari_visits *visits = takes->visits;

	takes->taken[index] = true;
	if (!takes->failed)
		takes->failed =
			!visits->take(visits->data, index, model, why, takes->err);
	ari_model_free(model);
}

static void take_result(void *data, size_t index, void *result)
{
	struct scan_model *visited = result;

	take(data, index, visited->model, &visited->error);
	free(visited);
}

static void take_hung(struct takes *takes)
{
	for (size_t i = 0; i < takes->visits->count; i++) {
		struct ari_error why;

		if (takes->taken[i])
			continue;
		fail(&why, ARI_TIMED_OUT, "process %ld did not answer in time",
		     (long)takes->visits->pids[i]);
		take(takes, i, NULL, &why);
	}
}

static bool visit_them(const struct ari_visits *visits, struct scan_shared *shared,
		       struct takes *takes, struct ari_error *err)
{
	autofree void **results = calloc(visits->count + 1, sizeof(*results));
	struct pool_jobs jobs = {
		.run = scan_shared_model,
		.drop = scan_shared_drop_model,
		.hold = scan_shared_hold,
		.release = scan_shared_release,
		.shared = shared,
		.count = visits->count,
		.limit_ns = scan_shared_limit(shared),
		.threads = jobs_wanted(visits->options->jobs),
		.take = take_result,
		.take_data = takes,
	};

	scan_shared_set_end(shared, deadline_in(visits->timeout_ns));
	if (results == NULL || !scan_shared_set_pids(shared, visits->pids, visits->count))
		return fail_memory(err);
	if (!pool_run(&jobs, results, err))
		return false;
	take_hung(takes);
	return !takes->failed;
}

bool ari_visit_all(const struct ari_visits *visits, struct ari_error *err)
{
	static const struct scan_ways ways = { .visit = visit_with };
	struct scan_shared *shared = scan_shared_new(&ways, visits->options);
	autofree bool *taken = calloc(visits->count + 1, sizeof(*taken));
	struct takes takes = { visits, taken, false, err };
	bool done;

	if (shared == NULL || taken == NULL)
		done = fail_memory(err);
	else
		done = visit_them(visits, shared, &takes, err);
	if (shared != NULL)
		scan_shared_close(shared);
	return done;
}
