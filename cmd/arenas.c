// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "arenas.h"
#include "command.h"
#include "meanings.h"
#include "names.h"
#include "out/refuse.h"

static uint64_t heaps_count(const void *row)
{
	const struct ari_arena *arena = &((const struct arena_row *)row)->arena;

	return arena->heaps.known ? arena->heaps.count : ARI_UNKNOWN;
}

static uint64_t damage_count(const void *row)
{
	const struct ari_arena *arena = &((const struct arena_row *)row)->arena;

	return arena->damage.known ? arena->damage.count : ARI_UNKNOWN;
}

static enum shade arena_shade(const void *row)
{
	const struct ari_arena *arena = &((const struct arena_row *)row)->arena;

	if (arena->damage.count > 0 || arena->state == ARI_STATE_TORN)
		return SHADE_BAD;
	return arena->idle == ARI_YES ? SHADE_NOTABLE : SHADE_NONE;
}

#define AT(member) .offset = offsetof(struct arena_row, arena.member)

// clang-format off
static const struct column columns[] = {
	{ "index", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "place in the ring, 0 is main; heap nr of malloc_info(3)", AT(index) },
	{ "address", "ADDRESS", UNIT_ADDRESS, ON_REQUEST,
	  "of its malloc_state", AT(address) },
	{ "kind", "KIND", UNIT_WORD, BY_DEFAULT,
	  "main or thread", AT(kind), .word = ari_arena_kind_name },
	{ "attached", "THREADS", UNIT_COUNT, BY_DEFAULT,
	  "threads attached to it", AT(attached_threads) },
	{ "idle", "IDLE", UNIT_YESNO, ON_REQUEST,
	  "no thread is attached", AT(idle) },
	{ "locked", "LOCKED", UNIT_YESNO, IF_ANY,
	  "its mutex was held when it was read", AT(locked) },
	{ "state", "STATE", UNIT_WORD, IF_ANY,
	  "steady, busy (changed while read) or torn (numbers do not fit)",
	  AT(state), .word = ari_arena_state_name },
	{ "heaps", "HEAPS", UNIT_COUNT, BY_DEFAULT,
	  "its heaps; main's segments", .number = heaps_count },
	{ "system", "SYSTEM", UNIT_BYTES, BY_DEFAULT,
	  "got from the system", AT(system_bytes) },
	{ "max_system", "MAX SYSTEM", UNIT_BYTES, ON_REQUEST,
	  "the most it ever had from the system", AT(max_system_bytes) },
	{ "in_use", "IN USE", UNIT_BYTES, BY_DEFAULT,
	  "held by the application, headers included; cached chunks, too, while tcache is unknown",
	  AT(in_use_bytes) },
	{ "free", "FREE", UNIT_BYTES, BY_DEFAULT,
	  "in the unsorted, small and large bins", AT(free_bytes) },
	{ "fast", "FAST", UNIT_BYTES, IF_ANY,
	  "in fastbins", AT(fast.bytes) },
	{ "tcache", "TCACHE", UNIT_BYTES, IF_ANY,
	  "in threads' caches", AT(tcache.bytes) },
	{ "top", "TOP", UNIT_BYTES, BY_DEFAULT,
	  "of the top chunk", AT(top.bytes) },
	{ "overhead", "OVERHEAD", UNIT_BYTES, ON_REQUEST,
	  "heap_info, malloc_state, alignment, fenceposts", AT(overhead_bytes) },
	{ "unread", "UNREAD", UNIT_BYTES, IF_ANY,
	  "behind pages in swap or that cannot be read", AT(unread_bytes) },
	{ "unwalked", "UNWALKED", UNIT_BYTES, IF_ANY,
	  "not walked: a foreign sbrk, or the walk was torn", AT(unwalked_bytes) },
	{ "resident", "RESIDENT", UNIT_BYTES, BY_DEFAULT,
	  "in memory, all of it", AT(resident.total_bytes) },
	{ "resident_in_use", "RES IN USE", UNIT_BYTES, ON_REQUEST,
	  "in memory: " MEANS_IN_USE, AT(resident.in_use_bytes) },
	{ "resident_tcache", "RES TCACHE", UNIT_BYTES, ON_REQUEST,
	  "in memory: " MEANS_TCACHE, AT(resident.tcache_bytes) },
	{ "trimmable", "TRIMMABLE", UNIT_BYTES, BY_DEFAULT,
	  "in memory: " MEANS_TRIMMABLE, AT(resident.trimmable_bytes) },
	{ "retained_top", "RETAINED TOP", UNIT_BYTES, ON_REQUEST,
	  "in memory: " MEANS_RETAINED_TOP " the top", AT(resident.retained_top_bytes) },
	{ "pinned_free", "PINNED FREE", UNIT_BYTES, ON_REQUEST,
	  "in memory: free, " MEANS_PINNED_FREE,
	  AT(resident.pinned_free_bytes) },
	{ "metadata", "METADATA", UNIT_BYTES, ON_REQUEST,
	  "in memory: " MEANS_METADATA, AT(resident.metadata_bytes) },
	{ "resident_unwalked", "RES UNWALKED", UNIT_BYTES, ON_REQUEST,
	  "in memory: " MEANS_UNWALKED, AT(resident.unwalked_bytes) },
	{ "unsorted", "UNSORTED", UNIT_BYTES, ON_REQUEST,
	  "in the unsorted bin", AT(unsorted.bytes) },
	{ "small", "SMALL", UNIT_BYTES, ON_REQUEST,
	  "in small bins", AT(small.bytes) },
	{ "large", "LARGE", UNIT_BYTES, ON_REQUEST,
	  "in large bins", AT(large.bytes) },
	{ "fast_chunks", "FAST CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in fastbins", AT(fast.chunks) },
	{ "tcache_chunks", "TCACHE CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in threads' caches", AT(tcache.chunks) },
	{ "unsorted_chunks", "UNSORTED CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in the unsorted bin", AT(unsorted.chunks) },
	{ "small_chunks", "SMALL CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in small bins", AT(small.chunks) },
	{ "large_chunks", "LARGE CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "chunks in large bins", AT(large.chunks) },
	{ "top_address", "TOP ADDRESS", UNIT_ADDRESS, ON_REQUEST,
	  "where the top chunk starts", AT(top.address) },
	{ "top_resident", "RES TOP", UNIT_BYTES, ON_REQUEST,
	  "in memory: of the top chunk", AT(top.resident_bytes) },
	{ "last_remainder", "LAST REMAINDER", UNIT_ADDRESS, ON_REQUEST,
	  "the chunk that the last split left", AT(last_remainder) },
	{ "damage", "DAMAGE", UNIT_COUNT, IF_ANY,
	  "odd things found in it; report names them", .number = damage_count },
	{ "names", "NAMES", UNIT_TEXT, ON_REQUEST,
	  "of its threads; * stands for numbers, x12 for twelve of a name",
	  .offset = offsetof(struct arena_row, names) },
};
// clang-format on

const struct table_kind arenas_table = {
	.name = "arenas",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.rank = "system",
	.shade = arena_shade,
};

/* ---- the threads of each arena ---- */

static int largest_first(const void *a, const void *b)
{
	const struct name_group *left = a, *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	if (left->name == NULL || right->name == NULL)
		return (left->name == NULL) - (right->name == NULL);
	return strcmp(left->name, right->name);
}

/* "worker-* x12, java" */
static const char *list_groups(struct document *document, struct name_group *groups,
			       size_t count)
{
	char *text = NULL;
	size_t length = 0;
	const char *list = "";
	FILE *out = open_memstream(&text, &length);

	if (out == NULL) {
		document->failed = true;
		return list;
	}
	qsort(groups, count, sizeof(*groups), largest_first);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s%s", i == 0 ? "" : ", ",
			groups[i].name == NULL ? "unknown" : groups[i].name);
		if (groups[i].count > 1)
			fprintf(out, " x%zu", groups[i].count);
	}
	if (fclose(out) == 0)
		list = document_format(document, "%s", text);
	free(text);
	return list;
}

static bool any_name(const struct ari_model *model)
{
	for (size_t i = 0; i < model->threads.count; i++)
		if (model->threads.at[i].name != NULL)
			return true;
	return false;
}

static uint64_t arena_of(const struct name_group *group)
{
	return group->threads[0]->arena;
}

static void name_arenas(struct document *document, const struct ari_model *model,
			struct arena_row *rows)
{
	size_t count, next;
	struct name_group *groups = name_groups(document, model, true, &count);

	for (size_t i = 0; i < model->arenas.count; i++)
		rows[i].names = "";
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count; next++)
			if (arena_of(&groups[next]) != arena_of(&groups[i]))
				break;
		if (arena_of(&groups[i]) < model->arenas.count)
			rows[arena_of(&groups[i])].names =
				list_groups(document, &groups[i], next - i);
	}
}

struct arena_row *arena_rows(struct document *document, const struct ari_model *model)
{
	struct arena_row *rows =
		document_memory(document, model->arenas.count, sizeof(*rows));

	for (size_t i = 0; i < model->arenas.count && rows != NULL; i++)
		rows[i].arena = model->arenas.at[i];
	if (rows != NULL && any_name(model))
		name_arenas(document, model, rows);
	return rows;
}

static bool build_arenas(const struct ari_model *model, const struct options *options,
			 struct document *document, struct ari_error *err)
{
	const struct arena_row *rows = arena_rows(document, model);

	(void)options;
	if (rows == NULL)
		return refuse_memory(err);
	document_table(document, (struct table){
					 .kind = &arenas_table,
					 .rows = rows,
					 .row_size = sizeof(*rows),
					 .count = model->arenas.count,
				 });
	return true;
}

const struct command command_arenas = {
	.name = "arenas",
	.arguments = "PID",
	.help = "one row per arena",
	.table = &arenas_table,
	.run = run_visit,
	.build = build_arenas,
};
