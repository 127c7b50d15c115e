// SPDX-License-Identifier: Apache-2.0
/* Where the resident set is: mmapped chunks, stacks, and what malloc has not. */
#include "base/cleanup.h"
#include "base/error.h"
#include "visit/visit.h"

/*
 * The stacks of all threads but the first (walk/owners.h says why).
 */
static bool find_stacks(struct visit *visit, struct ari_error *err)
{
	const struct walk *walk = &visit->walk;
	autofree uint64_t *pthreads = calloc(walk->threads.count + 1, sizeof(*pthreads));
	size_t count = 0;

	if (pthreads == NULL)
		return fail_memory(err);
	for (size_t i = 0; i < walk->threads.count && !visit->is_core; i++)
		if (walk->threads.at[i].pthread != 0 &&
		    walk->threads.at[i].tid != (uint64_t)visit->pid)
			pthreads[count++] = walk->threads.at[i].pthread;
	return owners_take_stacks(walk, pthreads, count, &visit->owners, err);
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
