// SPDX-License-Identifier: Apache-2.0
#include "visit/scan_shared.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "model/model.h"

#define TIMEOUT_NS 10000000000u /* of one process, when the caller gives none */
#define GRACE_NS   100000000u

/* A program without any glibc: others that run it need not be looked into. */
struct refusal {
	struct program_id program;
	struct ari_error error;
};

struct scan_shared {
	pthread_mutex_t lock;
	unsigned int users;
	struct scan_ways ways;
	struct ari_options options;
	char *debug_dir;
	ari_log_fn *log; /* NULL once the scan is over */
	void *log_data;
	struct deadline end; /* of all visits */
	pid_t *pids;
	struct scan_candidate *candidates;
	ARI_LIST(struct refusal) refusals;
	struct resolve_cache *cache;
};

struct scan_shared *scan_shared_new(const struct scan_ways *ways,
				    const struct ari_options *options)
{
	struct scan_shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL)
		return NULL;
	pthread_mutex_init(&shared->lock, NULL);
	shared->users = 1;
	shared->ways = *ways;
	shared->options = *options;
	shared->options.jobs = 1;
	shared->options.log = NULL;
	if (options->timeout_ns == 0)
		shared->options.timeout_ns = TIMEOUT_NS;
	shared->log = options->log;
	shared->log_data = options->log_data;
	shared->cache = resolve_cache_new(NULL);
	if (options->debug_dir != NULL)
		shared->debug_dir = strdup(options->debug_dir);
	shared->options.debug_dir = shared->debug_dir;
	if (shared->cache != NULL &&
	    (options->debug_dir == NULL || shared->debug_dir != NULL))
		return shared;
	scan_shared_release(shared);
	return NULL;
}

void scan_shared_hold(void *data)
{
	struct scan_shared *shared = data;

	pthread_mutex_lock(&shared->lock);
	shared->users++;
	pthread_mutex_unlock(&shared->lock);
}

void scan_shared_release(void *data)
{
	struct scan_shared *shared = data;
	bool last;

	pthread_mutex_lock(&shared->lock);
	last = --shared->users == 0;
	pthread_mutex_unlock(&shared->lock);
	if (!last)
		return;
	resolve_cache_free(shared->cache);
	list_done(&shared->refusals);
	free(shared->candidates);
	free(shared->pids);
	free(shared->debug_dir);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

void scan_shared_close(struct scan_shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	shared->log = NULL;
	pthread_mutex_unlock(&shared->lock);
	scan_shared_release(shared);
}

static void *copied(const void *from, size_t count, size_t bytes)
{
	void *copy = calloc(count + 1, bytes);

	if (copy != NULL && count > 0)
		memcpy(copy, from, count * bytes);
	return copy;
}

void scan_shared_set_end(struct scan_shared *shared, struct deadline end)
{
	shared->end = end;
}

bool scan_shared_set_pids(struct scan_shared *shared, const pid_t *pids, size_t count)
{
	shared->pids = copied(pids, count, sizeof(*pids));
	return shared->pids != NULL;
}

bool scan_shared_set_candidates(struct scan_shared *shared,
				const struct scan_candidate *candidates, size_t count)
{
	shared->candidates = copied(candidates, count, sizeof(*candidates));
	return shared->candidates != NULL;
}

uint64_t scan_shared_limit(const struct scan_shared *shared)
{
	uint64_t timeout = shared->options.timeout_ns;

	return timeout + timeout / 2 + GRACE_NS;
}

/* ---- the look ---- */

void *scan_shared_look(void *data, size_t index)
{
	struct scan_shared *shared = data;
	struct look *look = malloc(sizeof(*look));
	struct ari_error err;

	if (look == NULL || shared->ways.look(shared->pids[index], look, &err))
		return look;
	free(look);
	return NULL;
}

/* ---- the visit ---- */

struct logger {
	struct scan_shared *shared;
	pid_t pid;
};

static void log_with_pid(void *data, const char *line)
{
	const struct logger *logger = data;
	struct scan_shared *shared = logger->shared;
	char text[512];

	snprintf(text, sizeof(text), "%d: %s", (int)logger->pid, line);
	pthread_mutex_lock(&shared->lock);
	if (shared->log != NULL)
		shared->log(shared->log_data, text);
	pthread_mutex_unlock(&shared->lock);
}

static bool is_refused(struct scan_shared *shared, const struct program_id *program,
		       struct ari_error *err)
{
	bool refused = false;

	pthread_mutex_lock(&shared->lock);
	for (size_t i = 0; i < shared->refusals.count && !refused; i++) {
		const struct refusal *refusal = &shared->refusals.at[i];

		refused = refusal->program.inode == program->inode &&
			  refusal->program.device == program->device;
		if (refused)
			*err = refusal->error;
	}
	pthread_mutex_unlock(&shared->lock);
	return refused;
}

static void refuse(struct scan_shared *shared, const struct program_id *program,
		   const struct ari_error *err)
{
	struct refusal *refusal;

	pthread_mutex_lock(&shared->lock);
	refusal = list_add(&shared->refusals, NULL);
	if (refusal != NULL)
		*refusal = (struct refusal){ *program, *err };
	pthread_mutex_unlock(&shared->lock);
}

/* Whether the program itself, a large file maybe, is searched for a C library. */
static bool may_be_refused(const struct scan_candidate *candidate)
{
	return candidate->no_libc && candidate->program.inode != 0;
}

/* Of the time for one process what is left of the time for all. */
static uint64_t time_for_one(const struct scan_shared *shared)
{
	uint64_t now = clock_monotonic_ns(), timeout = shared->options.timeout_ns;

	if (shared->end.at_ns == 0 || now + timeout < shared->end.at_ns)
		return timeout;
	return now < shared->end.at_ns ? shared->end.at_ns - now : 1;
}

static bool visit_pid(struct scan_shared *shared, pid_t pid, struct ari_model **ret,
		      struct ari_error *err)
{
	struct logger logger = { shared, pid };
	struct ari_options options = shared->options;

	options.timeout_ns = time_for_one(shared);
	options.log = log_with_pid;
	options.log_data = &logger;
	return shared->ways.visit(pid, &options, shared->cache, ret, err);
}

static void visit_one(struct scan_shared *shared, const struct scan_candidate *candidate,
		      struct scan_visited *visited)
{
	pid_t pid = (pid_t)candidate->row.pid;
	struct ari_model *model = NULL;

	if (may_be_refused(candidate) &&
	    is_refused(shared, &candidate->program, &visited->error))
		return;
	if (visit_pid(shared, pid, &model, &visited->error)) {
		scan_fill_row(&visited->row, model);
		visited->error = model->stopped;
		ari_model_free(model);
	} else if (may_be_refused(candidate) && visited->error.code == ARI_NOT_GLIBC) {
		refuse(shared, &candidate->program, &visited->error);
	}
}

void *scan_shared_visit(void *data, size_t index)
{
	struct scan_shared *shared = data;
	struct scan_visited *visited = calloc(1, sizeof(*visited));

	if (visited == NULL)
		return NULL;
	visited->row = shared->candidates[index].row;
	visit_one(shared, &shared->candidates[index], visited);
	return visited;
}

void *scan_shared_model(void *data, size_t index)
{
	struct scan_shared *shared = data;
	struct scan_model *visited = calloc(1, sizeof(*visited));

	if (visited != NULL &&
	    !visit_pid(shared, shared->pids[index], &visited->model, &visited->error))
		visited->model = NULL;
	return visited;
}

void scan_shared_drop_look(void *result)
{
	look_done(result);
	free(result);
}

void scan_shared_drop_visit(void *result)
{
	free(result);
}

void scan_shared_drop_model(void *result)
{
	struct scan_model *visited = result;

	ari_model_free(visited->model);
	free(visited);
}
