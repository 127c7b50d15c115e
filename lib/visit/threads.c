// SPDX-License-Identifier: Apache-2.0
/* What the kernel, a core and the libraries' symbols say of the threads. */
#include <string.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "layout/symtab.h"
#include "target/tasks.h"
#include "visit/visit.h"
#include "walk/threads.h"

/* A descriptor for libthread_db: bits of an element, elements, offset in the struct. */
enum { DESCRIPTOR_WORDS = 3, DESCRIPTOR_OFFSET = 2 };

/* By the names of nptl_db, and by those they have where libc is linked in. */
static const char *const descriptors[2] = { "_thread_db_rtld_global__dl_stack_used",
					    "_thread_db_rtld_global__dl_stack_user" };
static const char *const objects[][2] = {
	{ "stack_used", "__stack_user" }, /* of libpthread, before it was libc's */
	{ "_dl_stack_used", "_dl_stack_user" },
};

/* ---- nptl's lists of stacks ---- */

/* A pointer of libc's to _rtld_global, which has them. */
static void find_in_loader(struct visit *visit, struct thread_clues *clues)
{
	uint64_t address, bytes, global;

	if (!symtab_exported(&visit->image, "__nptl_rtld_global", &address, &bytes) ||
	    !mem_read_word(visit->mem, address, &global, NULL))
		return;
	for (int i = 0; i < 2; i++) {
		uint32_t words[DESCRIPTOR_WORDS];

		if (symtab_exported(&visit->image, descriptors[i], &address, &bytes) &&
		    mem_read(visit->mem, address, words, sizeof(words), NULL))
			clues->stacks[i] = global + words[DESCRIPTOR_OFFSET];
	}
}

static void find_in_image(const struct image *image, struct thread_clues *clues)
{
	for (size_t n = 0; n < sizeof(objects) / sizeof(*objects); n++)
		for (int i = 0; i < 2; i++)
			if (clues->stacks[i] == 0)
				clues->stacks[i] = symtab_object(image, objects[n][i]);
}

static const struct map *find_libpthread(const struct maps *maps)
{
	static const char name[] = "libpthread";

	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];
		const char *base = strrchr(map->path, '/');

		if (map->inode != 0 && map->offset == 0 && base != NULL &&
		    strncmp(base + 1, name, sizeof(name) - 1) == 0)
			return map;
	}
	return NULL;
}

static void find_in_libpthread(struct visit *visit, struct thread_clues *clues)
{
	const struct map *map = visit->is_core ? NULL : find_libpthread(visit->mem->maps);
	struct image image;

	if (map == NULL || !image_open(&visit->target, map, &image, NULL))
		return;
	find_in_image(&image, clues);
	image_done(&image);
}

/* A core's threads may have pointers that are their makers'. */
static bool is_told(const struct thread_clue *clue)
{
	return clue->ended ||
	       (clue->robust_head != 0 && clue->robust_head != ARI_UNKNOWN);
}

/* Not for nothing: symbols cost more than most visits' threads. */
static void find_lists(struct visit *visit, struct thread_clues *clues)
{
	bool all_told = true;

	for (size_t i = 0; i < clues->list.count; i++)
		all_told &= is_told(&clues->list.at[i]);
	if (all_told)
		return;
	find_in_loader(visit, clues);
	if (clues->stacks[0] == 0)
		find_in_libpthread(visit, clues);
	if (clues->stacks[0] == 0)
		find_in_image(&visit->image, clues);
}

/* ---- who there is ---- */

struct found {
	ARI_LIST(struct task) list;
};

/* Those that end meanwhile are left out. */
static bool read_tasks(struct visit *visit, struct found *ret, struct ari_error *err)
{
	struct tasks tasks;
	bool done = true;

	if (!tasks_read(visit->target.dir, &tasks, err))
		return false;
	for (size_t i = 0; i < tasks.list.count && done; i++) {
		struct task task, *slot;

		done = deadline_ok(visit->deadline, err);
		if (!done)
			break;
		if (!task_read(visit->target.dir, tasks.list.at[i], &task, err)) {
			done = err->code != ARI_NO_MEMORY;
			continue;
		}
		slot = list_add(&ret->list, err);
		done = slot != NULL;
		if (done)
			*slot = task;
	}
	tasks_done(&tasks);
	return done;
}

static bool take_tasks(struct visit *visit, const struct found *found,
		       struct thread_clues *clues, struct ari_error *err)
{
	for (size_t i = 0; i < found->list.count; i++) {
		const struct task *task = &found->list.at[i];
		struct thread_clue *clue = list_add(&clues->list, err);

		if (clue == NULL)
			return false;
		*clue = (struct thread_clue){
			.tid = (uint64_t)task->tid,
			.ns_tid = task->ns_tid,
			.robust_head = task->ended ? 0 : task_robust_head(task->tid),
			.ended = task->ended,
			.name = task->name,
		};
	}
	/* The stacks of new threads must be among the mappings. */
	return visit->mem->ops->refresh(visit->mem, err);
}

static bool take_core(struct visit *visit, struct thread_clues *clues,
		      struct ari_error *err)
{
	for (size_t i = 0; i < visit->core.threads.count; i++) {
		const struct core_thread *thread = &visit->core.threads.at[i];
		struct thread_clue *clue = list_add(&clues->list, err);

		if (clue == NULL)
			return false;
		*clue = (struct thread_clue){
			.tid = thread->tid,
			.ns_tid = ARI_UNKNOWN,
			.robust_head = ARI_UNKNOWN,
			.pointer = thread->pointer,
		};
	}
	return true;
}

static bool walk_them(struct visit *visit, struct found *found,
		      struct thread_clues *clues, struct ari_error *err)
{
	bool done = visit->is_core ? take_core(visit, clues, err)
				   : read_tasks(visit, found, err) &&
					     take_tasks(visit, found, clues, err);

	if (!done)
		return false;
	clues->tls_bytes = image_tls_bytes(&visit->image);
	find_lists(visit, clues);
	return walk_threads(&visit->walk, clues, err);
}

static bool tell(struct visit *visit, uint64_t begun, struct ari_error *err)
{
	const struct walk *walk = &visit->walk;
	size_t arenas = 0, caches = 0;

	for (size_t i = 0; i < walk->threads.count; i++) {
		arenas += walk->threads.at[i].arena != 0 &&
			  walk->threads.at[i].arena != ARI_UNKNOWN;
		caches += walk->threads.at[i].tcache != 0 &&
			  walk->threads.at[i].tcache != ARI_UNKNOWN;
	}
	return visit_tell(visit, err,
			  "%zu threads, %zu with an arena, %zu with a cache, in %.1f ms",
			  walk->threads.count, arenas, caches,
			  (double)(clock_monotonic_ns() - begun) / 1e6);
}

bool visit_threads(struct visit *visit, struct ari_error *err)
{
	uint64_t begun = clock_monotonic_ns();
	struct thread_clues clues = { 0 };
	struct found found = { 0 };
	bool done = walk_them(visit, &found, &clues, err);

	list_done(&clues.list);
	list_done(&found.list);
	return done && tell(visit, begun, err);
}
