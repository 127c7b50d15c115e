// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "names.h"
#include "out/refuse.h"

struct thread_row {
	struct ari_thread thread;      /* its name still belongs to the model */
	const struct ari_arena *arena; /* NULL: none, or not known */
	uint64_t sharing;	       /* threads that use the arena, this one included */
};

static uint64_t arena_address(const void *row)
{
	const struct ari_arena *arena = ((const struct thread_row *)row)->arena;

	return arena == NULL ? ARI_UNKNOWN : arena->address;
}

static uint64_t arena_system(const void *row)
{
	const struct ari_arena *arena = ((const struct thread_row *)row)->arena;

	return arena == NULL ? ARI_UNKNOWN : arena->system_bytes;
}

static uint64_t arena_in_use(const void *row)
{
	const struct ari_arena *arena = ((const struct thread_row *)row)->arena;

	return arena == NULL ? ARI_UNKNOWN : arena->in_use_bytes;
}

#define AT(member) .offset = offsetof(struct thread_row, member)

// clang-format off
static const struct column columns[] = {
	{ "tid", "TID", UNIT_INDEX, BY_DEFAULT,
	  "its id; that of the first thread is the PID", AT(thread.tid) },
	{ "ns_tid", "NS TID", UNIT_INDEX, ON_REQUEST,
	  "its id in its own pid namespace", AT(thread.ns_tid) },
	{ "name", "NAME", UNIT_TEXT, BY_DEFAULT,
	  "its name, as in /proc/PID/task/TID/comm", AT(thread.name) },
	{ "arena", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "index of the arena it allocates from; unknown if it has none", AT(thread.arena) },
	{ "arena_address", "ARENA ADDRESS", UNIT_ADDRESS, ON_REQUEST,
	  "of that arena's malloc_state", .number = arena_address },
	{ "sharing", "SHARING", UNIT_COUNT, BY_DEFAULT,
	  "threads that use that arena, this one included", AT(sharing) },
	{ "system", "ARENA SYSTEM", UNIT_BYTES, BY_DEFAULT,
	  "got from the system by that arena, for all of its threads", .number = arena_system },
	{ "in_use", "ARENA IN USE", UNIT_BYTES, ON_REQUEST,
	  "in use in that arena, whoever allocated it", .number = arena_in_use },
	{ "tcache_chunks", "TCACHE CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in its cache", AT(thread.tcache.chunks) },
	{ "tcache", "TCACHE", UNIT_BYTES, BY_DEFAULT,
	  "their sizes added up", AT(thread.tcache.bytes) },
};
// clang-format on

static const struct table_kind threads_table = {
	.name = "threads",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.rank = "tcache",
};

/* Threads of one name, with --group. */
struct group_row {
	const char *name;
	uint64_t threads, arenas;
	const char *in_arenas;
	uint64_t system_bytes, in_use_bytes; /* of these arenas */
	struct ari_chunks tcache;
};

#define GROUP(member) .offset = offsetof(struct group_row, member)

// clang-format off
static const struct column group_columns[] = {
	{ "name", "NAME", UNIT_TEXT, BY_DEFAULT,
	  "their name; * stands for a number in which they differ", GROUP(name) },
	{ "threads", "THREADS", UNIT_COUNT, BY_DEFAULT,
	  "threads of that name", GROUP(threads) },
	{ "arenas", "ARENAS", UNIT_COUNT, BY_DEFAULT,
	  "arenas they allocate from", GROUP(arenas) },
	{ "in_arenas", "IN ARENAS", UNIT_TEXT, ON_REQUEST,
	  "the indexes of these arenas", GROUP(in_arenas) },
	{ "system", "ARENA SYSTEM", UNIT_BYTES, BY_DEFAULT,
	  "got from the system by these arenas, for all of their threads", GROUP(system_bytes) },
	{ "in_use", "ARENA IN USE", UNIT_BYTES, BY_DEFAULT,
	  "in use in these arenas, whoever allocated it", GROUP(in_use_bytes) },
	{ "tcache_chunks", "TCACHE CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in their caches", GROUP(tcache.chunks) },
	{ "tcache", "TCACHE", UNIT_BYTES, BY_DEFAULT,
	  "the sizes of these added up", GROUP(tcache.bytes) },
};
// clang-format on

static const struct table_kind groups_table = {
	.name = "threads --group",
	.columns = group_columns,
	.count = sizeof(group_columns) / sizeof(group_columns[0]),
	.rank = "threads",
};

static const struct ari_arena *arena_of(const struct ari_model *model,
					const struct ari_thread *thread)
{
	return thread->arena < model->arenas.count ? &model->arenas.at[thread->arena]
						   : NULL;
}

/* ---- one row per thread ---- */

static void fill_rows(const struct ari_model *model, uint64_t *sharing,
		      struct thread_row *rows)
{
	for (size_t i = 0; i < model->threads.count; i++)
		if (arena_of(model, &model->threads.at[i]) != NULL)
			sharing[model->threads.at[i].arena]++;
	for (size_t i = 0; i < model->threads.count; i++) {
		rows[i].thread = model->threads.at[i];
		rows[i].arena = arena_of(model, &model->threads.at[i]);
		rows[i].sharing = rows[i].arena == NULL ? ARI_UNKNOWN
							: sharing[rows[i].thread.arena];
	}
}

static bool build_rows(const struct ari_model *model, struct document *document,
		       struct table *ret)
{
	size_t count = model->threads.count;
	struct thread_row *rows = document_memory(document, count, sizeof(*rows));
	uint64_t *sharing =
		document_memory(document, model->arenas.count, sizeof(*sharing));

	if (rows == NULL || sharing == NULL)
		return false;
	fill_rows(model, sharing, rows);
	*ret = (struct table){ .kind = &threads_table,
			       .rows = rows,
			       .row_size = sizeof(*rows),
			       .count = count };
	return true;
}

/* ---- one row per name ---- */

static int by_arena(const void *a, const void *b)
{
	uint64_t left = (*(const struct ari_thread *const *)a)->arena;
	uint64_t right = (*(const struct ari_thread *const *)b)->arena;

	return (left > right) - (left < right);
}

static void add_arena(const struct ari_arena *arena, struct group_row *row, FILE *list)
{
	fprintf(list, "%s%" PRIu64, row->arenas == 0 ? "" : ",", arena->index);
	row->arenas++;
	row->system_bytes = ari_plus(row->system_bytes, arena->system_bytes);
	row->in_use_bytes = ari_plus(row->in_use_bytes, arena->in_use_bytes);
}

/* Each arena once. */
static void add_threads(const struct ari_model *model, const struct name_group *group,
			struct group_row *row, FILE *list)
{
	const struct ari_arena *last = NULL;

	qsort(group->threads, group->count, sizeof(*group->threads), by_arena);
	for (size_t i = 0; i < group->count; i++) {
		const struct ari_arena *arena = arena_of(model, group->threads[i]);

		row->tcache.chunks =
			ari_plus(row->tcache.chunks, group->threads[i]->tcache.chunks);
		row->tcache.bytes =
			ari_plus(row->tcache.bytes, group->threads[i]->tcache.bytes);
		if (arena != NULL && arena != last)
			add_arena(arena, row, list);
		last = arena;
	}
}

static bool add_group(struct document *document, const struct ari_model *model,
		      const struct name_group *group, struct group_row *row)
{
	char *text = NULL;
	size_t length = 0;
	FILE *list = open_memstream(&text, &length);

	if (list == NULL)
		return false;
	*row = (struct group_row){ .name = group->name, .threads = group->count };
	add_threads(model, group, row, list);
	if (fclose(list) == 0)
		row->in_arenas = document_format(document, "%s", text);
	free(text);
	return row->in_arenas != NULL;
}

static bool build_groups(const struct ari_model *model, struct document *document,
			 struct table *ret)
{
	size_t count;
	const struct name_group *groups = name_groups(document, model, false, &count);
	struct group_row *rows = document_memory(document, count, sizeof(*rows));

	if (groups == NULL || rows == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_group(document, model, &groups[i], &rows[i]))
			return false;
	*ret = (struct table){ .kind = &groups_table,
			       .rows = rows,
			       .row_size = sizeof(*rows),
			       .count = count };
	return true;
}

static bool build_threads(const struct ari_model *model, const struct options *options,
			  struct document *document, struct ari_error *err)
{
	struct table table;
	bool done = options->group ? build_groups(model, document, &table)
				   : build_rows(model, document, &table);

	if (!done)
		return refuse_memory(err);
	table.none = "The threads of this process are not known.";
	document_table(document, table);
	return true;
}

const struct command command_threads = {
	.name = "threads",
	.arguments = "PID",
	.help = "one row per thread: its arena, its cache",
	.table = &threads_table,
	.own = OWN_GROUP,
	.own_table = &groups_table,
	.own_table_for = OWN_GROUP,
	.run = run_visit,
	.build = build_threads,
};
