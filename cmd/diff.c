// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "changes.h"
#include "command.h"
#include "meanings.h"
#include "open.h"
#include "out/refuse.h"
#include "out/show.h"
#include "pause.h"
#include "tell.h"

/* What fits into one screen beside the facts. */
#define ARENAS_SHOWN 12
#define SIZES_SHOWN  8
#define SIZE_LEAST   (64 << 10)

#define ARENA(member) .offset = offsetof(struct ari_arena_delta, member)
#define SIZE(member)  .offset = offsetof(struct ari_size_delta, member)

// clang-format off
static const struct column arena_columns[] = {
	{ "index", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "place in the ring of the second; of a missing one, of the first", ARENA(index) },
	{ "address", "ADDRESS", UNIT_ADDRESS, ON_REQUEST,
	  "of its malloc_state", ARENA(address) },
	{ "kind", "KIND", UNIT_WORD, ON_REQUEST,
	  "main or thread", ARENA(kind), .word = ari_arena_kind_name },
	{ "change", "CHANGE", UNIT_WORD, BY_DEFAULT,
	  "kept, new, reused (no thread was attached), gone-idle or missing",
	  ARENA(change), .word = ari_arena_change_name },
	{ "attached", "THREADS", UNIT_MORE, IF_ANY,
	  "threads attached to it, more", ARENA(attached_threads) },
	{ "heaps", "HEAPS", UNIT_MORE, IF_ANY,
	  "its heaps, more", ARENA(heaps) },
	{ "system", "SYSTEM", UNIT_MORE_BYTES, BY_DEFAULT,
	  "got from the system, more", ARENA(system_bytes) },
	{ "in_use", "IN USE", UNIT_MORE_BYTES, BY_DEFAULT,
	  "held by the application, more; cached chunks, too, while tcache is unknown",
	  ARENA(in_use_bytes) },
	{ "free", "FREE", UNIT_MORE_BYTES, BY_DEFAULT,
	  "in the unsorted, small and large bins, more", ARENA(free_bytes) },
	{ "fast", "FAST", UNIT_MORE_BYTES, IF_ANY,
	  "in fastbins, more", ARENA(fast.bytes) },
	{ "tcache", "TCACHE", UNIT_MORE_BYTES, IF_ANY,
	  "in threads' caches, more", ARENA(tcache.bytes) },
	{ "top", "TOP", UNIT_MORE_BYTES, BY_DEFAULT,
	  "of the top chunk, more", ARENA(top.bytes) },
	{ "unread", "UNREAD", UNIT_MORE_BYTES, IF_ANY,
	  "behind pages in swap or that cannot be read, more", ARENA(unread_bytes) },
	{ "unwalked", "UNWALKED", UNIT_MORE_BYTES, IF_ANY,
	  "not walked, more", ARENA(unwalked_bytes) },
	{ "resident", "RESIDENT", UNIT_MORE_BYTES, BY_DEFAULT,
	  "in memory, more", ARENA(resident.total_bytes) },
	{ "resident_in_use", "RES IN USE", UNIT_MORE_BYTES, ON_REQUEST,
	  "in memory: " MEANS_IN_USE ", more", ARENA(resident.in_use_bytes) },
	{ "resident_tcache", "RES TCACHE", UNIT_MORE_BYTES, ON_REQUEST,
	  "in memory: " MEANS_TCACHE ", more", ARENA(resident.tcache_bytes) },
	{ "trimmable", "TRIMMABLE", UNIT_MORE_BYTES, BY_DEFAULT,
	  "in memory: " MEANS_TRIMMABLE ", more",
	  ARENA(resident.trimmable_bytes) },
	{ "retained_top", "RETAINED TOP", UNIT_MORE_BYTES, ON_REQUEST,
	  "in memory: " MEANS_RETAINED_TOP " the top, more",
	  ARENA(resident.retained_top_bytes) },
	{ "pinned_free", "PINNED FREE", UNIT_MORE_BYTES, ON_REQUEST,
	  "in memory: free, " MEANS_PINNED_FREE ", more",
	  ARENA(resident.pinned_free_bytes) },
	{ "metadata", "METADATA", UNIT_MORE_BYTES, ON_REQUEST,
	  "in memory: " MEANS_METADATA ", more", ARENA(resident.metadata_bytes) },
	{ "max_system", "MAX SYSTEM", UNIT_MORE_BYTES, ON_REQUEST,
	  "the most it ever had from the system, more", ARENA(max_system_bytes) },
	{ "overhead", "OVERHEAD", UNIT_MORE_BYTES, ON_REQUEST,
	  "heap_info, malloc_state, alignment, fenceposts, more", ARENA(overhead_bytes) },
};

static const struct column size_columns[] = {
	{ "from", "FROM", UNIT_SIZE, BY_DEFAULT,
	  "least size of a chunk in this row", SIZE(from_bytes) },
	{ "to", "TO", UNIT_SIZE, BY_DEFAULT,
	  "largest size of a chunk in this row; the last has no limit, and says unknown",
	  SIZE(to_bytes) },
	{ "in_use_chunks", "IN USE CHUNKS", UNIT_MORE, BY_DEFAULT,
	  "chunks in use, more", SIZE(in_use_chunks) },
	{ "in_use", "IN USE", UNIT_MORE_BYTES, BY_DEFAULT,
	  "their sizes added up, more", SIZE(in_use_bytes) },
	{ "free_chunks", "FREE CHUNKS", UNIT_MORE, BY_DEFAULT,
	  "free chunks, more", SIZE(free_chunks) },
	{ "free", "FREE", UNIT_MORE_BYTES, BY_DEFAULT,
	  "their sizes added up, more", SIZE(free_bytes) },
	{ "tcache_chunks", "CACHED CHUNKS", UNIT_MORE, ON_REQUEST,
	  "chunks in threads' caches, more", SIZE(tcache_chunks) },
	{ "tcache", "CACHED", UNIT_MORE_BYTES, ON_REQUEST,
	  "their sizes added up, more", SIZE(tcache_bytes) },
};
// clang-format on

static enum shade arena_shade(const void *row)
{
	uint64_t change = ((const struct ari_arena_delta *)row)->change;

	return change == ARI_ARENA_KEPT ? SHADE_NONE : SHADE_NOTABLE;
}

static const struct table_kind arenas_table = {
	.name = "diff",
	.columns = arena_columns,
	.count = sizeof(arena_columns) / sizeof(arena_columns[0]),
	.rank = "system",
	.shade = arena_shade,
};

static const struct table_kind sizes_table = {
	.name = "diff --sizes",
	.columns = size_columns,
	.count = sizeof(size_columns) / sizeof(size_columns[0]),
	.rank = "in_use",
};

/* ---- rows ---- */

static bool has_changed(const struct table_kind *kind, const void *row)
{
	for (size_t i = 0; i < kind->count; i++) {
		struct value value = column_value(&kind->columns[i], row);

		if (unit_is_change(kind->columns[i].unit) && value.known &&
		    value.number != 0)
			return true;
	}
	return false;
}

static bool arena_shown(const void *row)
{
	const struct ari_arena_delta *arena = row;

	return arena->change != ARI_ARENA_KEPT || has_changed(&arenas_table, row);
}

static bool size_shown(const void *row)
{
	return has_changed(&sizes_table, row);
}

/* Beside the arenas only what matters is shown. */
static bool size_grew(const void *row)
{
	return ((const struct ari_size_delta *)row)->in_use_bytes >= SIZE_LEAST;
}

/* The rows of a list that are to be shown. */
static struct table table_of(struct document *document, const struct ari_list *list,
			     size_t row_size, bool (*shown)(const void *))
{
	struct table table = { .row_size = row_size };
	char *rows = document_memory(document, list->count, row_size);

	for (size_t i = 0; rows != NULL && i < list->count; i++) {
		const char *row = (const char *)list->at + i * row_size;

		if (shown(row))
			memcpy(rows + table.count++ * row_size, row, row_size);
	}
	table.rows = rows;
	return table;
}

static int by_in_use(const void *a, const void *b)
{
	int64_t left = ((const struct ari_size_delta *)a)->in_use_bytes;
	int64_t right = ((const struct ari_size_delta *)b)->in_use_bytes;

	return (left < right) - (left > right);
}

static void add_sizes(struct document *document, const struct ari_diff *diff, bool aside)
{
	struct table table =
		table_of(document, &diff->sizes.raw, sizeof(diff->sizes.at[0]),
			 aside ? size_grew : size_shown);

	table.kind = &sizes_table;
	table.aside = aside;
	if (aside) {
		qsort((void *)table.rows, table.count, table.row_size, by_in_use);
		table.screenful = SIZES_SHOWN;
		table.rest = "arenainspect diff --sizes shows all";
	} else {
		table.none = diff->sizes.known
				     ? "Of no size there are more or fewer chunks."
				     : "How many chunks there are of each size is not "
				       "known.";
	}
	document_table(document, table);
}

static void add_arenas(struct document *document, const struct ari_diff *diff)
{
	struct table table = table_of(document, &diff->arenas.raw,
				      sizeof(diff->arenas.at[0]), arena_shown);

	table.kind = &arenas_table;
	table.screenful = ARENAS_SHOWN;
	table.rest = "--top 1000 shows them";
	table.none = diff->arenas.known ? "No arena has changed." : NULL;
	document_table(document, table);
}

static void build_diff(const struct ari_diff *diff, const struct options *options,
		       struct document *document)
{
	changes_answer(document, diff);
	changes_facts(document, diff);
	if (options->sizes) {
		add_sizes(document, diff, false);
		return;
	}
	add_arenas(document, diff);
	add_sizes(document, diff, true);
}

/* ---- the two models ---- */

/* One operand, as another command would open it. */
static bool open_one(const struct options *options, const struct subject *subject,
		     struct ari_model **ret, struct ari_error *err)
{
	struct options one = *options;

	one.subject = *subject;
	if (subject_given(subject))
		one.comm = one.unit = one.core = one.exe = NULL;
	return open_model(&one, ret, err);
}

static enum pause_says says(const struct options *options)
{
	if (options->quiet)
		return PAUSE_SAYS_NOTHING;
	if (isatty(STDERR_FILENO) == 1)
		return PAUSE_SHOWS_IT;
	return options->verbose > 0 ? PAUSE_SAYS_IT : PAUSE_SAYS_NOTHING;
}

static bool open_later(const struct options *options, struct ari_model **before,
		       struct ari_model **after, struct ari_error *err)
{
	struct subject subject = { 0 };

	/* Once: later the name may be another's. */
	if (!open_pid(options, &subject.pid, err) ||
	    !open_one(options, &subject, before, err))
		return false;
	pause_for(options->after_ns, subject.pid, says(options));
	return open_one(options, &subject, after, err);
}

static bool open_both(const struct options *options, struct ari_model **before,
		      struct ari_model **after, struct ari_error *err)
{
	if (options->after_ns > 0)
		return open_later(options, before, after, err);
	return open_one(options, &options->before, before, err) &&
	       open_one(options, &options->subject, after, err);
}

static void tell_notes(const struct options *options, const struct ari_diff *diff)
{
	if (options->quiet || !options->format->for_machines ||
	    options->format->whole_model)
		return;
	for (size_t i = 0; i < diff->notes.count; i++)
		tell("%s", diff->notes.at[i]);
}

static bool write_document(const void *whole, FILE *out, struct ari_error *err)
{
	return ari_diff_write(whole, out, err);
}

static bool show_diff(const struct ari_diff *diff, const struct options *options,
		      struct ari_error *err)
{
	struct document document;
	bool shown;

	document_init(&document, NULL, options->style.plain_bytes);
	document_whole(&document, write_document, diff);
	build_diff(diff, options, &document);
	shown = show(&document, options->format, &options->style, options->write, err);
	document_done(&document);
	if (shown)
		tell_notes(options, diff);
	return shown;
}

static bool compare(const struct options *options, const struct ari_model *before,
		    const struct ari_model *after, struct ari_error *err)
{
	const struct ari_error *stopped =
		before->stopped.code != ARI_OK ? &before->stopped : &after->stopped;
	struct ari_diff *diff;
	bool shown, found;

	if (!ari_diff(before, after, options->force, &diff, err))
		return false;
	shown = show_diff(diff, options, err);
	/* Whatever its severity: all of them say that something grew. */
	found = options->exit_code && diff->findings.count > 0;
	ari_diff_free(diff);
	/* What was read is given, and then why it is not all. */
	if (shown && stopped->code != ARI_OK) {
		*err = *stopped;
		return false;
	}
	return shown && (!found || run_found(err));
}

static bool run_diff(const struct options *options, struct ari_error *err)
{
	struct ari_model *before = NULL, *after = NULL;
	bool done = open_both(options, &before, &after, err) &&
		    compare(options, before, after, err);

	ari_model_free(before);
	ari_model_free(after);
	return done;
}

/* ---- the command line ---- */

static bool check_after(const struct options *options, struct ari_error *err)
{
	if (options->operands_count > 1)
		return refuse(err, ARI_USAGE,
			      "--after visits one process twice: '%s' is too much",
			      options->operands[1]);
	if (options->subject.file != NULL || options->core != NULL)
		return refuse(err, ARI_USAGE,
			      "--after visits a running process twice: %s is none",
			      options->core != NULL ? options->core
						    : options->subject.file);
	return true;
}

static bool same_pid(const struct options *options)
{
	return options->before.pid != 0 && options->before.pid == options->subject.pid;
}

/* A and B, A and a process that is named otherwise, or with --after one process. */
static bool take_two(struct options *options, struct ari_error *err)
{
	size_t count = options->operands_count;
	bool named =
		options->comm != NULL || options->unit != NULL || options->core != NULL;

	if (options->after_ns > 0) {
		return (count == 0 ||
			subject_parse(options->operands[0], &options->subject, err)) &&
		       check_after(options, err);
	}
	if (count + named > 2)
		return refuse(err, ARI_USAGE, "two at a time: '%s' is too much",
			      options->operands[count - 1]);
	if (count + named < 2)
		return refuse(err, ARI_USAGE,
			      "diff needs two: snapshots A B, or A and a PID; or "
			      "--after TIME PID visits one process twice");
	if (!subject_parse(options->operands[0], &options->before, err) ||
	    (count == 2 && !subject_parse(options->operands[1], &options->subject, err)))
		return false;
	if (same_pid(options))
		return refuse(err, ARI_USAGE,
			      "a process is compared with itself: --after TIME PID "
			      "visits it twice");
	return true;
}

const struct command command_diff = {
	.name = "diff",
	.arguments = "A B|A PID|--after TIME PID",
	.help = "what changed between two snapshots, or until now, and what grew",
	.table = &arenas_table,
	.own = OWN_SIZES | OWN_AFTER | OWN_FORCE,
	.own_table = &sizes_table,
	.own_table_for = OWN_SIZES,
	.own_least_depth = ARI_DEPTH_CHUNKS,
	.take_operands = take_two,
	.run = run_diff,
};
