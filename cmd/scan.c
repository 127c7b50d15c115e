// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "meanings.h"
#include "open.h"
#include "out/refuse.h"
#include "out/show.h"
#include "progress.h"
#include "tell.h"

#define SCREENFUL 25

/* A scope that is named after the container says no more than its id. */
static const char *unit_text(const void *row)
{
	const struct ari_scanned *process = row;
	bool named_after = process->unit != NULL && process->container != NULL &&
			   strstr(process->unit, process->container) != NULL;

	return process->unit != NULL && !named_after ? process->unit : process->container;
}

/* Empty where there is none; not known where nobody has looked for one. */
static const char *finding_text(const void *row)
{
	const struct ari_scanned *process = row;

	return process->finding == NULL && process->judged ? "" : process->finding;
}

static const char *skipped_text(const void *row)
{
	const struct ari_scanned *process = row;

	return process->skipped == ARI_UNKNOWN ? "" : ari_skip_name(process->skipped);
}

static const char *reason_text(const void *row)
{
	const struct ari_scanned *process = row;

	return process->reason == NULL ? "" : process->reason;
}

#define AT(member) .offset = offsetof(struct ari_scanned, member)

// clang-format off
static const struct column columns[] = {
	{ "pid", "PID", UNIT_INDEX, BY_DEFAULT,
	  "process id, in the namespace of this /proc", AT(pid) },
	{ "user", "USER", UNIT_TEXT, BY_DEFAULT,
	  "its real user", AT(user) },
	{ "comm", "COMM", UNIT_TEXT, BY_DEFAULT,
	  "its name, 15 bytes at most", AT(comm) },
	{ "unit", "UNIT", UNIT_ID, BY_DEFAULT,
	  "its systemd unit or container, where the control group tells", .text = unit_text },
	{ "container", "CONTAINER", UNIT_ID, ON_REQUEST,
	  "the id of its container, or its name", AT(container) },
	{ "cgroup", "CGROUP", UNIT_TEXT, ON_REQUEST,
	  "path of its control group", AT(cgroup) },
	{ "libc", "LIBC", UNIT_TEXT, ON_REQUEST,
	  "the C library that it has mapped or linked in", AT(libc) },
	{ "rss", "RSS", UNIT_BYTES, BY_DEFAULT,
	  "resident set", AT(rss_bytes) },
	{ "anon", "ANON", UNIT_BYTES, ON_REQUEST,
	  "of that, without a file behind it", AT(anon_bytes) },
	{ "swap", "SWAP", UNIT_BYTES, IF_ANY,
	  "in swap", AT(swap_bytes) },
	{ "malloc", "MALLOC", UNIT_BYTES, BY_DEFAULT,
	  "glibc's share of the resident set: arenas and mmapped chunks", AT(malloc_bytes) },
	{ "arenas", "ARENAS", UNIT_COUNT, BY_DEFAULT,
	  "arenas", AT(arenas) },
	{ "idle_arenas", "IDLE", UNIT_COUNT, ON_REQUEST,
	  "arenas without a thread", AT(idle_arenas) },
	{ "in_use", "IN USE", UNIT_BYTES, BY_DEFAULT,
	  "in the arenas, " MEANS_IN_USE, AT(in_use_bytes) },
	{ "free", "FREE", UNIT_BYTES, ON_REQUEST,
	  "in bins of the arenas, resident or not", AT(free_bytes) },
	{ "trimmable", "TRIMMABLE", UNIT_BYTES, BY_DEFAULT,
	  "in memory: " MEANS_TRIMMABLE, AT(trimmable_bytes) },
	{ "retained_top", "RETAINED TOP", UNIT_BYTES, BY_DEFAULT,
	  "in memory: " MEANS_RETAINED_TOP " tops", AT(retained_top_bytes) },
	{ "pinned_free", "PINNED FREE", UNIT_BYTES, ON_REQUEST,
	  "in memory: free, " MEANS_PINNED_FREE, AT(pinned_free_bytes) },
	{ "depth", "DEPTH", UNIT_WORD, ON_REQUEST,
	  "how far it was looked into: process, mappings, arenas, chunks or pages",
	  AT(depth), .word = ari_seen_name },
	{ "skipped", "SKIPPED", UNIT_TEXT, IF_ANY,
	  "why it was not visited, or not to the end; empty: it was",
	  .text = skipped_text },
	{ "reason", "REASON", UNIT_TEXT, ON_REQUEST,
	  "the same in words", .text = reason_text },
	{ "verdict", "VERDICT", UNIT_TEXT, BY_DEFAULT,
	  "the first of its findings; arenainspect explain tells what it means",
	  .text = finding_text },
};
// clang-format on

static enum shade process_shade(const void *row)
{
	const struct ari_scanned *process = row;

	return process->skipped != ARI_UNKNOWN ? SHADE_QUIET : SHADE_NONE;
}

static const struct table_kind scan_table = {
	.name = "scan",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.rank = "trimmable",
	.shade = process_shade,
};

/* ---- what is said of it ---- */

/* What is known of it is `bytes`, which is at least so much where some terms are not. */
struct sum {
	uint64_t bytes;
	bool has, lacks; /* terms that are known, and that are not */
};

struct sums {
	size_t visited;
	struct sum malloc, trimmable, retained;
};

static void add(struct sum *sum, uint64_t term)
{
	if (term == ARI_UNKNOWN) {
		sum->lacks = true;
		return;
	}
	sum->has = true;
	sum->bytes += term;
}

/* Of those that were visited: of others nothing is known, which the text says. */
static struct sums add_up(const struct ari_scan *scan)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < scan->processes.count; i++) {
		const struct ari_scanned *process = &scan->processes.at[i];

		if (process->depth == ARI_UNKNOWN || process->depth < ARI_SEEN_ARENAS)
			continue;
		sums.visited++;
		add(&sums.malloc, process->malloc_bytes);
		add(&sums.trimmable, process->trimmable_bytes);
		add(&sums.retained, process->retained_top_bytes);
	}
	return sums;
}

static const char *sum_text(struct document *document, const struct sum *sum)
{
	if (!sum->has && sum->lacks)
		return "an unknown amount";
	return document_format(document, "%s%s", sum->lacks ? "at least " : "",
			       document_bytes(document, sum->bytes));
}

/* With headers alone it is not known what could be given back. */
static void say_answer(struct document *document, const struct ari_scan *scan)
{
	struct sums sums = add_up(scan);
	const char *visited =
		document_count(document, sums.visited, "process", "processes");

	if (scan->taken.depth == ARI_DEPTH_ARENAS)
		document_paragraph(
			document,
			document_format(document,
					"The headers of malloc were read in %s.",
					visited));
	else
		document_paragraph(
			document,
			document_format(
				document,
				"Of %s resident in the mallocs of %s malloc_trim(0) would "
				"give back %s; it would leave %s of tops.",
				sum_text(document, &sums.malloc), visited,
				sum_text(document, &sums.trimmable),
				sum_text(document, &sums.retained)));
}

static void say_skipped(struct document *document, const struct ari_scan *scan)
{
	const char *text = NULL;

	for (size_t i = 0; i < scan->skipped.count; i++) {
		const struct ari_skipped *skipped = &scan->skipped.at[i];

		text = document_format(document, "%s%s%" PRIu64 " %s",
				       text == NULL ? "" : text, text == NULL ? "" : ", ",
				       skipped->processes,
				       ari_skip_name(skipped->reason));
	}
	if (text != NULL)
		document_fact(document, "not visited", text);
}

static void build(struct document *document, const struct ari_scan *scan)
{
	say_answer(document, scan);
	document_table(document,
		       (struct table){
			       .kind = &scan_table,
			       .rows = scan->processes.at,
			       .row_size = sizeof(scan->processes.at[0]),
			       .count = scan->processes.count,
			       .screenful = SCREENFUL,
			       .rest = "--top N shows more, -r and -P all of them",
			       .none = "There is no process with memory of its own.",
		       });
	say_skipped(document, scan);
}

static void tell_progress(void *data, size_t done, size_t all)
{
	progress_tell(data, "%zu of %zu processes", done, all);
}

/* By --comm or --unit, which several may have; without, NULL: all are meant. */
static bool find_named(const struct options *options, struct pids *ret,
		       struct ari_error *err)
{
	*ret = (struct pids){ 0 };
	return (options->comm == NULL && options->unit == NULL) ||
	       open_pids(options, ret, err);
}

static bool scan(const struct options *options, struct ari_scan **ret,
		 struct ari_error *err)
{
	struct progress progress = progress_begin(options);
	struct ari_scan_options how = {
		.visit = open_options(options),
		.limit = options->limit,
		.progress = tell_progress,
		.progress_data = &progress,
	};
	struct pids named;
	bool done;

	if (!find_named(options, &named, err))
		return false;
	how.pids = named.at;
	how.pids_count = named.count;
	done = ari_scan(&how, ret, err);
	free(named.at);
	progress_end(&progress);
	return done;
}

static bool write_json(const void *whole, FILE *out, struct ari_error *err)
{
	return ari_scan_write(whole, out, err);
}

static bool one_warns(const struct ari_scan *scan)
{
	for (size_t i = 0; i < scan->processes.count; i++)
		if (scan->processes.at[i].warns)
			return true;
	return false;
}

static bool run_scan(const struct options *options, struct ari_error *err)
{
	struct ari_scan *result;
	struct document document;
	bool done, found;

	if (!scan(options, &result, err))
		return false;
	document_init(&document, NULL, options->style.plain_bytes);
	document_whole(&document, write_json, result);
	if (!options->format->whole_model)
		build(&document, result);
	done = show(&document, options->format, &options->style, options->write, err);
	found = options->exit_code && one_warns(result);
	document_done(&document);
	ari_scan_free(result);
	return done && (!found || run_found(err));
}

static bool take_operands(struct options *options, struct ari_error *err)
{
	return options->operands_count == 0 ||
	       refuse(err, ARI_USAGE,
		      "scan is about all processes: '%s' is too much (arenainspect PID "
		      "is about one)",
		      options->operands[0]);
}

const struct command command_scan = {
	.name = "scan",
	.arguments = "",
	.help = "every process of the host, ranked by what could be given back",
	.pid_optional = true,
	.live_only = true,
	.take_operands = take_operands,
	.table = &scan_table,
	.own = OWN_LIMIT,
	.run = run_scan,
};
