// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "analyse/totals.h"
#include "base/list.h"
#include "model/model.h"
#include "moments.h"
#include "unit.h"

void moments_add_arena(struct ari_model *model, uint64_t address)
{
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);
	struct ari_heap *heap;

	must(arena != NULL);
	heap = model_add_heap(arena, &err);
	must(heap != NULL);
	arena->index = model->arenas.count - 1;
	arena->address = address;
	arena->kind = arena->index == 0 ? ARI_ARENA_MAIN : ARI_ARENA_THREAD;
	arena->attached_threads = 1;
	arena->idle = ARI_NO;
	arena->state = ARI_STATE_STEADY;
	arena->system_bytes = 100;
	arena->in_use_bytes = 60;
	arena->free_bytes = 20;
	arena->fast.bytes = 0;
	arena->top.bytes = 20;
	arena->unread_bytes = arena->unwalked_bytes = 0;
	arena->resident.total_bytes = 100;
	heap->swapped_bytes = 0;
	arena->sizes.known = arena->damage.known = true;
}

static void add_memory(struct ari_model *model)
{
	for (uint64_t kind = 0; kind <= ARI_MEMORY_SHARED; kind++) {
		struct ari_error err;
		struct ari_memory *row = list_add(&model->memory, &err);

		must(row != NULL);
		*row = (struct ari_memory){ kind, 1, 100, 100, 0 };
	}
}

static struct ari_model *new_moment(uint64_t second)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	must(model != NULL);
	must(model_set_string(&model->process.boot_id, "a boot", &err));
	must(model_set_string(&model->process.comm, "worker", &err));
	model->process.pid = 4711;
	model->process.start_time_ticks = 99;
	model->taken.begun_ns = second * UINT64_C(1000000000);
	model->taken.depth = ARI_DEPTH_CHUNKS;
	model->totals.mmapped_chunks = 1;
	model->totals.mmapped_bytes = 100;
	moments_add_arena(model, 0x1000);
	moments_add_arena(model, 0x2000);
	add_memory(model);
	return model;
}

void moments_init(struct moments *moments)
{
	*moments = (struct moments){ new_moment(1000), new_moment(1060), NULL };
}

void moments_done(struct moments *moments)
{
	ari_diff_free(moments->diff);
	ari_model_free(moments->before);
	ari_model_free(moments->after);
}

void moments_use(struct ari_arena *arena, uint64_t size, uint64_t chunks)
{
	struct ari_error err;
	struct ari_size *row = list_add(&arena->sizes, &err);

	must(row != NULL);
	*row = (struct ari_size){ .from_bytes = size,
				  .to_bytes = size,
				  .in_use_chunks = chunks,
				  .in_use_bytes = chunks * size };
	arena->in_use_bytes += chunks * size;
	arena->system_bytes += chunks * size;
	arena->resident.total_bytes += chunks * size;
}

void moments_compare(struct moments *moments)
{
	struct ari_error err;

	totals_fill(moments->before);
	totals_fill(moments->after);
	ck_works(ari_diff(moments->before, moments->after, false, &moments->diff, &err),
		 &err);
}

const char *moments_verdict(const struct moments *moments)
{
	must(moments->diff->findings.known);
	if (moments->diff->findings.count > 1)
		return "several";
	return moments->diff->findings.count == 0 ? "" : moments->diff->findings.at[0].id;
}
