// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "changes.h"
#include "findings.h"
#include "meanings.h"
#include "out/cell.h"
#include "time_left.h"

static const char *time_between(struct document *document, const struct ari_diff *diff)
{
	char room[CELL_ROOM];

	return document_format(document, "%s", seconds_text(diff->seconds, room));
}

/* "+1.0 MiB (+6.0 MiB per hour)" */
static const char *more(struct document *document, const struct ari_diff *diff,
			int64_t bytes)
{
	int64_t per_hour = ari_diff_per_hour(diff, bytes);

	if (bytes == 0)
		return "no change";
	/* What fell does not go on falling: its rate says nothing. */
	if (bytes < 0 || per_hour == INT64_MIN)
		return document_more(document, bytes);
	return document_format(document, "%s (%s per hour)",
			       document_more(document, bytes),
			       document_more(document, per_hour));
}

static int64_t rss_of(const struct ari_diff *diff)
{
	return ari_delta(diff->before.process.rss_bytes, diff->after.process.rss_bytes);
}

/* ---- the answer ---- */

/* "its RSS grew by 1.0 MiB" */
static const char *rss_clause(struct document *document, const struct ari_diff *diff)
{
	int64_t rss = rss_of(diff);
	uint64_t amount = rss < 0 ? -(uint64_t)rss : (uint64_t)rss;

	if (rss == INT64_MIN)
		return "by how much the RSS changed is not known";
	if (rss == 0)
		return "the RSS stayed the same";
	return document_format(document, "the RSS %s by %s", rss < 0 ? "fell" : "grew",
			       document_bytes(document, amount));
}

/* "1.0 MiB more" */
static const char *compared(struct document *document, int64_t more)
{
	uint64_t amount = more < 0 ? -(uint64_t)more : (uint64_t)more;

	if (more == INT64_MIN)
		return "an unknown amount more or less";
	if (more == 0)
		return "as much";
	return document_format(document, "%s %s", document_bytes(document, amount),
			       more < 0 ? "less" : "more");
}

static void answer_two(struct document *document, const struct ari_diff *diff)
{
	document_paragraph(
		document,
		document_format(document,
				"Compared with the first process, the second has %s RSS, "
				"and the application holds %s in malloc's arenas.",
				compared(document, rss_of(diff)),
				compared(document, diff->totals.in_use_bytes)));
}

/* "; GROWING-IN-USE and GROWING-FREE cannot be told" */
static const char *undecided_clause(struct document *document,
				    const struct ari_diff *diff)
{
	const char *said = "";

	for (size_t i = 0; i < diff->undecided.count; i++) {
		bool is_last = i + 1 == diff->undecided.count;

		said = document_format(document, "%s%s%s", said,
				       i == 0	 ? "; "
				       : is_last ? " and "
						 : ", ",
				       diff->undecided.at[i]);
	}
	return *said == '\0' ? said
			     : document_format(document, "%s cannot be told", said);
}

void changes_answer(struct document *document, const struct ari_diff *diff)
{
	const char *said = "";

	if (!diff->findings.known) {
		answer_two(document, diff);
		return;
	}
	for (size_t i = 0; i < diff->findings.count; i++)
		said = document_format(document, "%s; %s", said,
				       diff->findings.at[i].message);
	if (diff->findings.count == 0)
		said = diff->undecided.count == 0
			       ? "; no kind of memory grew beyond noise"
			       : "; of what is known nothing grew beyond noise";
	said = document_format(document, "%s%s", said, undecided_clause(document, diff));
	document_paragraph(document, document_format(document, "In %s %s%s.",
						     time_between(document, diff),
						     rss_clause(document, diff), said));
}

/* ---- facts ---- */

static const char *moment(struct document *document, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	struct tm utc;
	char text[32];

	if (ns == ARI_UNKNOWN || gmtime_r(&seconds, &utc) == NULL)
		return "unknown";
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
	return document_format(document, "%s", text);
}

static void add_process(struct document *document, const char *label,
			const struct ari_process *process)
{
	document_fact(
		document, label,
		document_format(
			document, "%s %s (%s)",
			process->pid == ARI_UNKNOWN
				? "?"
				: document_format(document, "%" PRIu64, process->pid),
			process->comm == NULL ? "?" : process->comm,
			process->exe == NULL ? "executable unknown" : process->exe));
}

static void add_time(struct document *document, const struct ari_diff *diff)
{
	document_fact(document, "time",
		      document_format(document, "%s: from %s to %s",
				      isnan(diff->seconds) ? "not compared"
							   : time_between(document, diff),
				      moment(document, diff->before.taken.begun_ns),
				      moment(document, diff->after.taken.begun_ns)));
}

static void add_rss(struct document *document, const struct ari_diff *diff)
{
	document_fact(
		document, "RSS",
		document_format(document, "%s, from %s to %s",
				more(document, diff, rss_of(diff)),
				document_bytes(document, diff->before.process.rss_bytes),
				document_bytes(document, diff->after.process.rss_bytes)));
}

static void add_kind(struct document *document, const struct ari_diff *diff,
		     const struct ari_memory_delta *row)
{
	const char *swap = "";

	if (row->resident_bytes == 0 && row->swapped_bytes == 0)
		return;
	if (row->swapped_bytes != 0 && row->swapped_bytes != INT64_MIN)
		swap = document_format(document, "; in swap %s",
				       document_more(document, row->swapped_bytes));
	document_fact(document,
		      document_format(document, "  %s", ari_memory_kind_name(row->kind)),
		      document_format(document, "%s%s",
				      more(document, diff, row->resident_bytes), swap));
}

/* The headline "free inside malloc", of which the caches may not be known. */
static int64_t free_of(const struct ari_totals_delta *totals)
{
	int64_t sum =
		ari_delta_plus(ari_delta_plus(totals->free_bytes, totals->fast_bytes),
			       totals->top_bytes);

	return totals->tcache_bytes == INT64_MIN
		       ? sum
		       : ari_delta_plus(sum, totals->tcache_bytes);
}

static void add_bytes(struct document *document, const struct ari_diff *diff)
{
	const struct ari_totals_delta *totals = &diff->totals;
	const struct {
		const char *label;
		int64_t bytes;
		const char *what;
		bool always;
	} lines[] = {
		{ "system", totals->system_bytes, "what the arenas have from the system",
		  true },
		{ "in use", totals->in_use_bytes,
		  totals->tcache_bytes == INT64_MIN
			  ? (MEANS_IN_USE ", chunks cached by threads included")
			  : MEANS_IN_USE,
		  true },
		{ "free", free_of(totals), "inside malloc, of which are", true },
		{ "  in bins", totals->free_bytes, NULL, false },
		{ "  cached",
		  totals->tcache_bytes == INT64_MIN
			  ? totals->fast_bytes
			  : ari_delta_plus(totals->tcache_bytes, totals->fast_bytes),
		  "in fastbins and threads' caches", false },
		{ "  tops", totals->top_bytes, NULL, false },
		{ "trimmable", totals->trimmable_bytes, "resident, and " MEANS_TRIMMABLE,
		  false },
		{ "retained top", totals->resident.retained_top_bytes,
		  "resident, and it would leave it", false },
		{ "pinned free", totals->resident.pinned_free_bytes,
		  "resident, " MEANS_PINNED_FREE, false },
		{ "unread", totals->unread_bytes, "in swap, or could not be read",
		  false },
		{ "unwalked", totals->unwalked_bytes, MEANS_UNWALKED, false },
		{ "mmapped", totals->mmapped_bytes, NULL, false },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *text;

		if (!lines[i].always &&
		    (lines[i].bytes == 0 || lines[i].bytes == INT64_MIN))
			continue;
		text = more(document, diff, lines[i].bytes);
		if (lines[i].what != NULL && lines[i].bytes != 0)
			text = document_format(document, "%s: %s", text, lines[i].what);
		document_fact(document, lines[i].label, text);
	}
}

/* "+2 chunks", "" */
static const char *count(struct document *document, const char *list, int64_t number,
			 const char *one, const char *many)
{
	if (number == 0 || number == INT64_MIN)
		return list;
	return document_format(document, "%s%s%+" PRId64 " %s", list,
			       *list == '\0' ? "" : ", ", number,
			       number == 1 || number == -1 ? one : many);
}

static const char *changed(struct document *document, const char *list, size_t number,
			   const char *how)
{
	if (number == 0)
		return list;
	return document_format(document, "%s%s%zu %s", list, *list == '\0' ? "" : ", ",
			       number, how);
}

static void add_counts(struct document *document, const struct ari_diff *diff)
{
	static const struct {
		enum ari_arena_change change;
		const char *how;
	} changes[] = {
		{ ARI_ARENA_NEW, "new" },
		{ ARI_ARENA_REUSED, "without a thread before and used again" },
		{ ARI_ARENA_GONE_IDLE, "left by their last thread" },
		{ ARI_ARENA_MISSING, "not found any more" },
	};
	size_t counts[ARI_ARENA_MISSING + 1] = { 0 };
	int64_t attached = 0;
	const char *list = "";

	for (size_t i = 0; i < diff->arenas.count; i++) {
		const struct ari_arena_delta *arena = &diff->arenas.at[i];

		if (arena->change <= ARI_ARENA_MISSING)
			counts[arena->change]++;
		attached = ari_delta_plus(attached, arena->attached_threads);
	}
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		list = changed(document, list, counts[changes[i].change], changes[i].how);
	if (!diff->arenas.known)
		list = count(document, list, diff->totals.arenas, "arena", "arenas");
	list = count(document, list, diff->totals.heaps, "heap", "heaps");
	list = count(document, list, attached, "attached thread", "attached threads");
	document_fact(document, "arenas", *list == '\0' ? "no change" : list);
	list = count(document, "", diff->totals.mmapped_chunks, "chunk", "chunks");
	if (*list != '\0')
		document_fact(document, "mmapped chunks", list);
}

void changes_facts(struct document *document, const struct ari_diff *diff)
{
	if (diff->arenas.known) {
		add_process(document, "process", &diff->after.process);
	} else {
		add_process(document, "first", &diff->before.process);
		add_process(document, "second", &diff->after.process);
	}
	add_time(document, diff);
	add_rss(document, diff);
	for (size_t i = 0; i < diff->memory.count; i++)
		add_kind(document, diff, &diff->memory.at[i]);
	add_bytes(document, diff);
	add_counts(document, diff);
	findings_advice(document, diff->findings.at, diff->findings.count, true);
	for (size_t i = 0; i < diff->notes.count; i++)
		document_fact(document, "note", diff->notes.at[i]);
}
