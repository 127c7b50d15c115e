/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_POOL_H
#define VISIT_POOL_H

#include "arenainspect.h"

/*
 * Jobs that may hang, each with a limit of time, on several threads.
 *
 * A job that is not done in time is given up: what it may still come to is dropped,
 * another thread takes the place of its thread, and that one is left behind until the
 * kernel lets it go.  So what the jobs share must outlive the call: hold() is called
 * once at the beginning, and release() when the last thread is through, which may be
 * long after.
 */
struct pool_jobs {
	/* Does the index-th job, in any thread; NULL: without a result. */
	void *(*run)(void *shared, size_t index);
	/* A result that came too late. */
	void (*drop)(void *result);
	void (*hold)(void *shared);
	void (*release)(void *shared);
	void *shared;
	size_t count;
	uint64_t limit_ns; /* of one job */
	unsigned int threads;
	/*
	 * From the calling thread: takes a result when it is there, which then is not
	 * among the results at the end.  May be NULL.
	 */
	void (*take)(void *data, size_t index, void *result);
	void *take_data;
	ari_progress_fn *progress; /* from the calling thread; may be NULL */
	void *progress_data;
};

/* At most so many threads are left behind; then no more jobs are begun. */
#define POOL_LEFT_BEHIND_MAX 64

/*
 * results  of each job, which then are the caller's; NULL: none, or given up
 * err      ARI_NO_MEMORY: no thread could be begun
 */
bool pool_run(const struct pool_jobs *jobs, void **results, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
