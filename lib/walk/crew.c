// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/jobs.h"
#include "base/list.h"
#include "walk/depth.h"

/* A heap that waits for a worker; lives on the stack of its arena's. */
struct heap_task {
	struct heap_task *next;
	struct arena_visit *visit;
	size_t heap;
	size_t *left; /* of its arena's heaps, not walked yet */
};

struct crew {
	struct walk *walk;
	pthread_mutex_t gate; /* reads of headers, see crew_lock() */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	size_t next_arena, arenas_busy;
	struct heap_task *tasks;
	unsigned int waiting; /* workers that have nothing to do */
	bool failed;
	struct ari_error error; /* the first */
};

void crew_lock(struct crew *crew)
{
	pthread_mutex_lock(&crew->gate);
}

void crew_unlock(struct crew *crew)
{
	pthread_mutex_unlock(&crew->gate);
}

struct walk *crew_walk(struct crew *crew)
{
	return crew->walk;
}

static void set_failed(struct crew *crew, const struct ari_error *err)
{
	if (!crew->failed)
		crew->error = *err;
	crew->failed = true;
}

/* Takes one task, its own arena's when `only` is not NULL.  Under the lock. */
static struct heap_task *take_task(struct crew *crew, const struct arena_visit *only)
{
	for (struct heap_task **at = &crew->tasks; *at != NULL; at = &(*at)->next) {
		struct heap_task *task = *at;

		if (only != NULL && task->visit != only)
			continue;
		*at = task->next;
		return task;
	}
	return NULL;
}

/*
 * Two heaps at once take one worker less time than one after the other, but not two
 * workers.  Called and returns with the lock held.
 */
static void run_task(struct worker *worker, struct heap_task *task)
{
	struct crew *crew = worker->crew;
	struct heap_task *other = NULL;
	size_t heaps[2] = { task->heap, 0 }, count = 1;
	struct ari_error err;
	bool done;

	if (crew->waiting == 0)
		other = take_task(crew, task->visit);
	if (other != NULL)
		heaps[count++] = other->heap;
	if (!crew->failed) {
		pthread_mutex_unlock(&crew->lock);
		done = depth_walk_heaps(worker, task->visit, heaps, count, &err);
		pthread_mutex_lock(&crew->lock);
		if (!done)
			set_failed(crew, &err);
	}
	*task->left -= count;
	pthread_cond_broadcast(&crew->changed);
}

/* Called and returns with the lock held. */
static void wait_for_change(struct crew *crew)
{
	crew->waiting++;
	pthread_cond_wait(&crew->changed, &crew->lock);
	crew->waiting--;
}

static bool share_heaps(struct worker *worker, struct arena_visit *visit,
			struct heap_task *tasks, size_t count, struct ari_error *err)
{
	struct crew *crew = worker->crew;
	size_t left = count;
	bool failed;

	pthread_mutex_lock(&crew->lock);
	for (size_t i = count; i-- > 0;) {
		tasks[i] = (struct heap_task){ crew->tasks, visit, i, &left };
		crew->tasks = &tasks[i];
	}
	pthread_cond_broadcast(&crew->changed);
	while (left > 0) {
		struct heap_task *task = take_task(crew, visit);

		if (task != NULL)
			run_task(worker, task);
		else
			wait_for_change(crew);
	}
	failed = crew->failed;
	if (failed)
		*err = crew->error;
	pthread_mutex_unlock(&crew->lock);
	return !failed;
}

bool crew_walk_heaps(struct worker *worker, struct arena_visit *visit,
		     struct ari_error *err)
{
	size_t count = visit->arena->heaps.count;
	struct heap_task *tasks;
	bool done;

	if (count == 0)
		return true;
	if (count == 1)
		return depth_walk_heaps(worker, visit, &(size_t){ 0 }, 1, err);
	tasks = calloc(count, sizeof(*tasks));
	if (tasks == NULL)
		return fail_memory(err);
	done = share_heaps(worker, visit, tasks, count, err);
	free(tasks);
	return done;
}

/* Called and returns with the lock held. */
static void run_arena(struct worker *worker)
{
	struct crew *crew = worker->crew;
	struct ari_arena *arena = &crew->walk->model->arenas.at[crew->next_arena++];
	struct ari_error err;
	bool done;

	crew->arenas_busy++;
	pthread_mutex_unlock(&crew->lock);
	done = depth_visit_arena(worker, arena, &err);
	pthread_mutex_lock(&crew->lock);
	if (!done)
		set_failed(crew, &err);
	crew->arenas_busy--;
	pthread_cond_broadcast(&crew->changed);
}

static void *work(void *data)
{
	struct worker *worker = data;
	struct crew *crew = worker->crew;

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		struct heap_task *task = take_task(crew, NULL);

		if (task != NULL)
			run_task(worker, task);
		else if (!crew->failed &&
			 crew->next_arena < crew->walk->model->arenas.count)
			run_arena(worker);
		else if (crew->arenas_busy > 0)
			wait_for_change(crew);
		else
			break;
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

static void worker_done(struct worker *worker)
{
	for (size_t i = 0; i < 2; i++) {
		reader_close(&worker->readers[i]);
		list_done(&worker->chunks[i].pieces);
		runs_done(&worker->chunks[i].runs);
	}
	peek_close(&worker->peek);
}

static bool worker_init(struct worker *worker, struct crew *crew, struct ari_error *err)
{
	worker->crew = crew;
	if (reader_open(crew->walk->mem, &worker->readers[0], err) &&
	    reader_open(crew->walk->mem, &worker->readers[1], err) &&
	    peek_open(crew->walk->mem, &worker->peek, err)) {
		for (size_t i = 0; i < 2; i++)
			worker->readers[i].deadline = crew->walk->deadline;
		return true;
	}
	worker_done(worker);
	return false;
}

static void *new_worker(void *data)
{
	struct crew *crew = data;
	struct worker *worker = calloc(1, sizeof(*worker));
	struct ari_error err;

	/* One worker less is no failure: the others do its work. */
	if (worker == NULL || !worker_init(worker, crew, &err)) {
		free(worker);
		return NULL;
	}
	work(worker);
	worker_done(worker);
	free(worker);
	return NULL;
}

static bool note_refused(struct walk *walk, struct ari_error *err)
{
	return !walk->runs_refused ||
	       model_add_note(
		       walk->model, err,
		       "the pages of some heaps are not told, so that there are no "
		       "more than %" PRIu64 " runs of pages",
		       RUNS_MOST);
}

bool walk_depth(struct walk *walk, struct ari_error *err)
{
	struct crew crew = {
		.walk = walk,
		.gate = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	unsigned int wanted = jobs_wanted(walk->jobs), started = 0;
	pthread_t threads[JOBS_MAX];
	struct worker *own = calloc(1, sizeof(*own));

	if (own == NULL || !worker_init(own, &crew, err)) {
		if (own == NULL)
			return fail_memory(err);
		free(own);
		return false;
	}
	while (started + 1 < wanted &&
	       pthread_create(&threads[started], NULL, new_worker, &crew) == 0)
		started++;
	work(own);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	worker_done(own);
	free(own);
	if (crew.failed)
		*err = crew.error;
	return !crew.failed && note_refused(walk, err);
}
