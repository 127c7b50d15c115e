// SPDX-License-Identifier: Apache-2.0
/* The threads of each arena against what glibc counts. */
#include "base/list.h"
#include "base/set.h"
#include "model/model.h"
#include "walk/threads.h"

/* How many threads have each arena, in order of the model's. */
struct counts {
	ARI_LIST(uint64_t) list;
	bool all_known; /* of every thread it is known whose it is */
};

static bool count_threads(const struct walk *walk, struct counts *ret,
			  struct ari_error *err)
{
	const struct ari_model *model = walk->model;

	ret->all_known = model->threads.known;
	for (size_t i = 0; i < model->arenas.count; i++)
		if (list_add(&ret->list, err) == NULL)
			return false;
	for (size_t i = 0; i < walk->threads.count; i++) {
		uint64_t index = model->threads.at[i].arena;

		if (index < ret->list.count)
			ret->list.at[index]++;
		ret->all_known &= walk->threads.at[i].arena != ARI_UNKNOWN;
	}
	return true;
}

/* A release that does not count them: then ours is the number. */
static void fill_attached(struct ari_model *model, const struct counts *counts)
{
	for (size_t i = 0; i < model->arenas.count && counts->all_known; i++) {
		struct ari_arena *arena = &model->arenas.at[i];

		arena->attached_threads = counts->list.at[i];
		arena->idle = counts->list.at[i] == 0 ? ARI_YES : ARI_NO;
	}
}

/* pthread_exit() of the first thread leaves it counted by its arena, for good. */
static bool note_first_ended(struct walk *walk, struct ari_error *err)
{
	return model_add_note(
		walk->model, err,
		"the main thread has ended; glibc goes on to count it among "
		"the threads attached to the main arena");
}

static bool note_difference(struct walk *walk, const struct ari_arena *arena,
			    uint64_t threads, size_t differ, struct ari_error *err)
{
	return model_add_note(walk->model, err,
			      "the threads of %zu arenas are not as many as glibc counts "
			      "(arena %llu: %llu, attached_threads %llu): threads begin, "
			      "end or change their arena while they are read",
			      differ, (unsigned long long)arena->index,
			      (unsigned long long)threads,
			      (unsigned long long)arena->attached_threads);
}

static bool compare(struct walk *walk, const struct counts *counts, bool first_ended,
		    struct ari_error *err)
{
	const struct ari_model *model = walk->model;
	const struct ari_arena *example = NULL;
	size_t differ = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];
		uint64_t threads = counts->list.at[i];

		if (arena->attached_threads == ARI_UNKNOWN ||
		    arena->attached_threads == threads)
			continue;
		if (i == 0 && first_ended && arena->attached_threads == threads + 1) {
			if (!note_first_ended(walk, err))
				return false;
			continue;
		}
		example = example == NULL ? arena : example;
		differ++;
	}
	return differ == 0 ||
	       note_difference(walk, example, counts->list.at[example - model->arenas.at],
			       differ, err);
}

bool walk_attached(struct walk *walk, struct ari_error *err)
{
	struct counts counts = { 0 };
	bool done = count_threads(walk, &counts, err);

	if (done && walk->layout->members[MS_ATTACHED_THREADS].size == 0)
		fill_attached(walk->model, &counts);
	else if (done && counts.all_known)
		done = compare(walk, &counts, walk->first_ended, err);
	list_done(&counts.list);
	return done;
}
