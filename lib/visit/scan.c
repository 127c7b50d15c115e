// SPDX-License-Identifier: Apache-2.0
/* All processes: a look at each, then a visit of those that it is worth. */
#include "visit/scan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jobs.h"
#include "base/list.h"
#include "model/fields.h"
#include "target/tasks.h"
#include "visit/pool.h"
#include "visit/scan_shared.h"
#include "visit/users.h"
#include "visit/visit.h"

#define LOOK_NS 2000000000u /* of one process; it should take a thousandth of that */

/* The scan while it is made. */
struct scan {
	const struct ari_scan_options *options;
	struct scan_shared *shared;
	struct ari_scan *ret;
	uint64_t begun_ns; /* monotonic */
	uint64_t skipped[ARI_SKIP_FAILED + 1];
	/* Of the rows in ret->processes, in their order. */
	ARI_LIST(struct scan_candidate) candidates;
};

static struct pool_jobs jobs_of(const struct scan *scan, size_t count)
{
	return (struct pool_jobs){
		.hold = scan_shared_hold,
		.release = scan_shared_release,
		.shared = scan->shared,
		.count = count,
		.limit_ns = scan_shared_limit(scan->shared),
		.threads = jobs_wanted(scan->options->visit.jobs),
	};
}

/* ---- the look ---- */

/* Whether a process has memory of its own, and so a row. */
static bool has_row(const struct ari_scanned *row)
{
	switch (row->skipped) {
	case ARI_SKIP_KERNEL_THREAD:
	case ARI_SKIP_ZOMBIE:
	case ARI_SKIP_GONE:
	case ARI_SKIP_SELF:
		return false;
	default:
		return true;
	}
}

static bool add_row(struct scan *scan, const struct look *look, struct ari_error *err)
{
	struct scan_candidate *candidate = list_add(&scan->candidates, err);
	struct ari_scanned *row = list_add(&scan->ret->processes, err);

	if (candidate == NULL || row == NULL)
		return false;
	*row = look->row;
	*candidate = (struct scan_candidate){ look->row, scan->candidates.count - 1,
					      look->no_libc, look->program };
	return true;
}

/* Takes what the look came to. */
static bool take_look(struct scan *scan, struct look *look, struct ari_error *err)
{
	struct ari_scanned *row = &look->row;

	if (row->skipped != ARI_UNKNOWN)
		scan->skipped[row->skipped]++;
	if (!has_row(row)) {
		look_done(look);
		return true;
	}
	if (add_row(scan, look, err))
		return true;
	look_done(look);
	return false;
}

/* It hung: all that is known is that it is there. */
static struct look look_of_hung(pid_t pid)
{
	struct look look = { 0 };

	record_clear(&scanned_record, &look.row);
	look.row.pid = (uint64_t)pid;
	look_skip(&look.row, ARI_SKIP_TIMEOUT, "it did not answer in time");
	return look;
}

static bool take_looks(struct scan *scan, const pid_t *pids, size_t count, void **looks,
		       struct ari_error *err)
{
	bool done = true;

	for (size_t i = 0; i < count; i++) {
		struct look look = looks[i] == NULL ? look_of_hung(pids[i])
						    : *(struct look *)looks[i];

		free(looks[i]);
		if (done)
			done = take_look(scan, &look, err);
		else
			look_done(&look);
	}
	return done;
}

static bool look_at_all(struct scan *scan, const pid_t *pids, size_t count,
			struct ari_error *err)
{
	struct pool_jobs jobs = jobs_of(scan, count);
	autofree void **looks = calloc(count + 1, sizeof(*looks));

	if (looks == NULL)
		return fail_memory(err);
	jobs.run = scan_shared_look;
	jobs.drop = scan_shared_drop_look;
	if (jobs.limit_ns > LOOK_NS)
		jobs.limit_ns = LOOK_NS;
	return pool_run(&jobs, looks, err) && take_looks(scan, pids, count, looks, err);
}

static bool name_users(struct scan *scan, struct ari_error *err)
{
	struct users users = { 0 };
	bool done = true;

	for (size_t i = 0; i < scan->ret->processes.count && done; i++)
		done = users_name(&users, &scan->ret->processes.at[i].user, err);
	users_done(&users);
	return done;
}

/* ---- the visits ---- */

/* What could hold most comes first: when time or the limit is over, the rest is small. */
static uint64_t weight(const struct ari_scanned *row)
{
	return (row->anon_bytes == ARI_UNKNOWN ? 0 : row->anon_bytes) +
	       (row->swap_bytes == ARI_UNKNOWN ? 0 : row->swap_bytes);
}

static int by_weight(const void *a, const void *b)
{
	const struct scan_candidate *left = a, *right = b;
	uint64_t of_left = weight(&left->row), of_right = weight(&right->row);

	if (of_left != of_right)
		return of_left > of_right ? -1 : 1;
	return left->row.pid < right->row.pid ? -1 : 1;
}

static void skip(struct scan *scan, size_t index, enum ari_skip why, const char *reason)
{
	look_skip(&scan->ret->processes.at[index], why, reason);
	scan->skipped[why]++;
}

/* Leaves those that are to be visited, in the order of their visits. */
static void choose_candidates(struct scan *scan)
{
	size_t kept = 0, limit = scan->options->limit;

	for (size_t i = 0; i < scan->candidates.count; i++) {
		if (scan->candidates.at[i].row.skipped != ARI_UNKNOWN)
			continue;
		scan->candidates.at[kept] = scan->candidates.at[i];
		scan->candidates.at[kept].row = scan->ret->processes.at[i];
		kept++;
	}
	if (kept > 1)
		qsort(scan->candidates.at, kept, sizeof(*scan->candidates.at), by_weight);
	for (; limit != 0 && kept > limit; kept--)
		skip(scan, scan->candidates.at[kept - 1].index, ARI_SKIP_LIMIT, NULL);
	scan->candidates.count = kept;
}

static void take_visit(struct scan *scan, const struct scan_candidate *candidate,
		       const struct scan_visited *visited)
{
	const struct ari_error *why = &visited->error;
	struct ari_scanned *row = &scan->ret->processes.at[candidate->index];
	enum ari_skip reason;

	*row = visited->row;
	if (row->libc == NULL && row->depth >= ARI_SEEN_ARENAS)
		row->libc = strdup("glibc"); /* linked into the program */
	if (why->code == ARI_OK)
		return;
	reason = candidate->no_libc && why->code == ARI_NOT_GLIBC
			 ? ARI_SKIP_NO_LIBC
			 : look_skip_of(why->code);
	skip(scan, candidate->index, reason, why->message);
}

static void take_visits(struct scan *scan, void **visits)
{
	for (size_t i = 0; i < scan->candidates.count; i++) {
		const struct scan_candidate *candidate = &scan->candidates.at[i];

		if (visits[i] == NULL)
			skip(scan, candidate->index, ARI_SKIP_TIMEOUT,
			     "it did not answer in time");
		else
			take_visit(scan, candidate, visits[i]);
		free(visits[i]);
	}
}

static bool visit_all(struct scan *scan, struct ari_error *err)
{
	struct pool_jobs jobs;
	autofree void **visits = NULL;

	choose_candidates(scan);
	visits = calloc(scan->candidates.count + 1, sizeof(*visits));
	if (visits == NULL ||
	    !scan_shared_set_candidates(scan->shared, scan->candidates.at,
					scan->candidates.count))
		return fail_memory(err);
	jobs = jobs_of(scan, scan->candidates.count);
	jobs.run = scan_shared_visit;
	jobs.drop = scan_shared_drop_visit;
	jobs.progress = scan->options->progress;
	jobs.progress_data = scan->options->progress_data;
	if (!pool_run(&jobs, visits, err))
		return false;
	take_visits(scan, visits);
	return true;
}

/* ---- the result ---- */

/* Those that ended meanwhile have no row. */
static void drop_rows(struct ari_scan *ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < ret->processes.count; i++) {
		if (has_row(&ret->processes.at[i]))
			ret->processes.at[kept++] = ret->processes.at[i];
		else
			record_done(&scanned_record, &ret->processes.at[i]);
	}
	ret->processes.count = kept;
}

static bool list_skipped(struct scan *scan, struct ari_error *err)
{
	scan->ret->skipped.known = true;
	for (uint64_t reason = 0; reason <= ARI_SKIP_FAILED; reason++) {
		struct ari_skipped *slot;

		if (scan->skipped[reason] == 0)
			continue;
		slot = list_add(&scan->ret->skipped, err);
		if (slot == NULL)
			return false;
		*slot = (struct ari_skipped){ reason, scan->skipped[reason] };
	}
	return true;
}

static bool finish(struct scan *scan, struct ari_error *err)
{
	struct ari_scan *ret = scan->ret;

	drop_rows(ret);
	if (ret->processes.count > 1)
		qsort(ret->processes.at, ret->processes.count, sizeof(*ret->processes.at),
		      scan_compare_rows);
	ret->taken.ended_ns = clock_real_ns();
	ret->taken.duration_ns = clock_monotonic_ns() - scan->begun_ns;
	return list_skipped(scan, err);
}

static bool begin(struct scan *scan, const struct scan_ways *ways,
		  const struct ari_scan_options *options, struct ari_error *err)
{
	*scan = (struct scan){ .options = options, .begun_ns = clock_monotonic_ns() };
	scan->ret = calloc(1, sizeof(*scan->ret));
	scan->shared = scan_shared_new(ways, &options->visit);
	if (scan->ret == NULL || scan->shared == NULL)
		return fail_memory(err);
	record_clear(&scan_record, scan->ret);
	scan->ret->processes.known = true;
	scan->ret->taken.begun_ns = clock_real_ns();
	scan->ret->taken.depth = options->visit.depth;
	return true;
}

bool scan_with(const struct scan_ways *ways, const struct ari_scan_options *options,
	       const pid_t *pids, size_t count, struct ari_scan **ret,
	       struct ari_error *err)
{
	struct scan scan;
	bool done =
		begin(&scan, ways, options, err) &&
		(scan_shared_set_pids(scan.shared, pids, count) || fail_memory(err)) &&
		look_at_all(&scan, pids, count, err) && name_users(&scan, err) &&
		visit_all(&scan, err) && finish(&scan, err);

	list_done(&scan.candidates);
	if (scan.shared != NULL)
		scan_shared_close(scan.shared);
	if (done)
		*ret = scan.ret;
	else
		ari_scan_free(scan.ret);
	return done;
}

void ari_scan_free(struct ari_scan *scan)
{
	if (scan == NULL)
		return;
	record_done(&scan_record, scan);
	free(scan);
}

/* ---- of this host ---- */

/* Our own id in that /proc, which may be another namespace's than getpid()'s. */
static bool is_self(pid_t pid)
{
	char self[32], link[32];
	ssize_t length = readlink("/proc/self", link, sizeof(link) - 1);

	if (length < 0)
		return false;
	link[length] = '\0';
	snprintf(self, sizeof(self), "%d", (int)pid);
	return strcmp(self, link) == 0;
}

static bool look_unless_self(pid_t pid, struct look *ret, struct ari_error *err)
{
	if (!is_self(pid))
		return look_at(pid, ret, err);
	*ret = (struct look){ 0 };
	record_clear(&scanned_record, &ret->row);
	ret->row.pid = (uint64_t)pid;
	ret->row.skipped = ARI_SKIP_SELF;
	return true;
}

bool ari_scan(const struct ari_scan_options *options, struct ari_scan **ret,
	      struct ari_error *err)
{
	static const struct scan_ways ways = { look_unless_self, visit_with };
	struct tasks pids = { 0 };
	bool done;

	if (options->pids != NULL)
		return scan_with(&ways, options, options->pids, options->pids_count, ret,
				 err);
	done = tasks_read_processes(&pids, err) &&
	       scan_with(&ways, options, pids.list.at, pids.list.count, ret, err);
	tasks_done(&pids);
	return done;
}
