// SPDX-License-Identifier: Apache-2.0
/* Where the resident set is: mmapped chunks, stacks, and what malloc has not. */
#include "base/list.h"
#include "target/tasks.h"
#include "visit/visit.h"

/* Addresses of struct pthread, of all threads but the first (walk/owners.h says why). */
struct pthreads {
	ARI_LIST(uint64_t) list;
};

static bool find_pthreads(const struct visit *visit, struct pthreads *ret,
			  struct ari_error *err)
{
	uint16_t offset = visit->layout.arch->pthread_robust_head;
	struct tasks tasks;
	bool done = true;

	if (!tasks_read(visit->target.dir, &tasks, err))
		return false;
	for (size_t i = 0; i < tasks.list.count && done; i++) {
		pid_t tid = tasks.list.at[i];
		uint64_t head = tid == visit->pid ? 0 : task_robust_head(tid), *slot;

		if (head < offset || head == 0)
			continue;
		slot = list_add(&ret->list, err);
		done = slot != NULL;
		if (done)
			*slot = head - offset;
	}
	tasks_done(&tasks);
	return done;
}

static bool find_stacks(struct visit *visit, struct ari_error *err)
{
	struct pthreads pthreads = { 0 };
	bool done;

	if (visit->is_core)
		return true;
	done = find_pthreads(visit, &pthreads, err) &&
	       owners_take_stacks(&visit->walk, pthreads.list.at, pthreads.list.count,
				  &visit->owners, err);
	list_done(&pthreads.list);
	return done;
}

bool visit_mmapped(struct visit *visit, struct ari_error *err)
{
	uint64_t begun = clock_monotonic_ns();

	if (visit->options->depth == ARI_DEPTH_ARENAS)
		return visit_tell(visit, err, "not asked for");
	if (!visit->mem->ops->refresh(visit->mem, err) || !find_stacks(visit, err) ||
	    !owners_take_heaps(&visit->walk, &visit->owners, err) ||
	    !walk_mmapped(&visit->walk, &visit->owners, err))
		return false;
	return visit_tell(visit, err, "%zu found%s in %.1f ms",
			  visit->owners.chunks.list.count,
			  visit->owners.chunks_known ? "" : ", which are not all",
			  (double)(clock_monotonic_ns() - begun) / 1e6);
}

bool visit_memory(struct visit *visit, struct ari_error *err)
{
	uint64_t begun = clock_monotonic_ns();

	if (visit->options->depth == ARI_DEPTH_ARENAS)
		return visit_tell(visit, err, "not asked for");
	if (!walk_memory(&visit->walk, &visit->owners, err))
		return false;
	return visit_tell(visit, err, "%zu mappings, %zu stacks of threads, in %.1f ms",
			  visit->maps.list.count, visit->owners.stacks.list.count,
			  (double)(clock_monotonic_ns() - begun) / 1e6);
}
