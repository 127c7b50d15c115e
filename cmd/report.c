// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "arenas.h"
#include "command.h"
#include "facts.h"
#include "findings.h"
#include "out/refuse.h"
#include "rss.h"

/* What fits into one screen beside the facts. */
#define SCREENFUL     20
#define DAMAGES_SHOWN 8

/* ---- facts ---- */

static void add_process(struct document *document, const struct ari_model *model)
{
	const struct ari_process *process = &model->process;
	const char *comm = process->comm == NULL ? "?" : process->comm;
	const char *exe = process->exe == NULL ? "executable unknown" : process->exe;
	const char *swap = "";

	if (process->swap_bytes != ARI_UNKNOWN && process->swap_bytes > 0)
		swap = document_format(document, ", %s in swap",
				       document_bytes(document, process->swap_bytes));
	document_fact(document, "process",
		      document_format(document, "%" PRIu64 " %s (%s), %s, RSS %s%s",
				      process->pid, comm, exe,
				      document_count(document, process->tasks, "thread",
						     "threads"),
				      document_bytes(document, process->rss_bytes),
				      swap));
}

static const char *and_more(struct document *document, const char *list, const char *text)
{
	return *list == '\0' ? text : document_format(document, "%s, %s", list, text);
}

/* ---- the books: every byte of the arenas has one place ---- */

static const char *idle_clause(struct document *document, uint64_t idle)
{
	if (idle == ARI_UNKNOWN || idle == 0)
		return "";
	return document_format(
		document, "; %s no thread attached",
		document_count(document, idle, "arena has", "arenas have"));
}

static void add_arenas(struct document *document, const struct ari_totals *totals)
{
	document_fact(
		document, "arenas",
		document_format(document, "%s %s from the system%s",
				document_count(document, totals->arenas, "arena has",
					       "arenas have"),
				totals->system_bytes == ARI_UNKNOWN
					? "an unknown amount"
					: document_bytes(document, totals->system_bytes),
				idle_clause(document, totals->idle_arenas)));
}

static void add_in_use(struct document *document, const struct ari_totals *totals)
{
	const char *note = "";

	if (totals->in_use_bytes != ARI_UNKNOWN && totals->tcache_bytes == ARI_UNKNOWN)
		note = ", chunks cached by threads (tcache) included";
	document_fact(document, "in use",
		      document_format(document, "%s%s",
				      document_bytes(document, totals->in_use_bytes),
				      note));
}

/* The headline "free inside malloc", and where it lies. */
static void add_free(struct document *document, const struct ari_totals *totals)
{
	const char *tops = totals->arenas == 1 ? "in the top" : "in tops";
	const struct {
		const char *where;
		uint64_t bytes;
	} places[] = {
		{ "in bins", totals->free_bytes },
		{ "in fastbins", totals->fast_bytes },
		{ "in threads' caches", totals->tcache_bytes },
		{ tops, totals->top_bytes },
	};
	const char *list = "";
	uint64_t sum = 0;
	bool whole =
		totals->free_bytes != ARI_UNKNOWN && totals->fast_bytes != ARI_UNKNOWN;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint64_t bytes = places[i].bytes;

		if (bytes == ARI_UNKNOWN || bytes == 0)
			continue;
		sum += bytes;
		list = and_more(document, list,
				document_format(document, "%s %s",
						document_bytes(document, bytes),
						places[i].where));
	}
	document_fact(document, "free",
		      document_format(document, "%s inside malloc%s%s",
				      whole ? document_bytes(document, sum)
					    : "an unknown amount",
				      *list == '\0' ? "" : ": ", list));
}

static const char *bins_of_a_kind(struct document *document,
				  const struct ari_model *model, const char *kind,
				  size_t offset)
{
	struct ari_chunks sum = { 0, 0 };

	for (size_t i = 0; i < model->arenas.count; i++) {
		const char *arena = (const char *)&model->arenas.at[i];
		const struct ari_chunks *held = (const void *)(arena + offset);

		if (held->bytes == ARI_UNKNOWN)
			return document_format(document, "%s unknown", kind);
		sum.chunks += held->chunks;
		sum.bytes += held->bytes;
	}
	if (sum.chunks == 0)
		return NULL;
	return document_format(document, "%s %s in %s", kind,
			       document_bytes(document, sum.bytes),
			       document_count(document, sum.chunks, "chunk", "chunks"));
}

/* What lies in the bins of all arenas, by the kind of bin. */
static void add_bins(struct document *document, const struct ari_model *model)
{
	static const struct {
		const char *kind;
		size_t offset;
	} kinds[] = {
		{ "fast", offsetof(struct ari_arena, fast) },
		{ "unsorted", offsetof(struct ari_arena, unsorted) },
		{ "small", offsetof(struct ari_arena, small) },
		{ "large", offsetof(struct ari_arena, large) },
	};
	const char *list = "";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *held =
			bins_of_a_kind(document, model, kinds[i].kind, kinds[i].offset);

		if (held != NULL)
			list = and_more(document, list, held);
	}
	document_fact(document, "bins", *list == '\0' ? "all empty" : list);
}

/* Nothing if there is none. */
static void add_rest(struct document *document, const char *label, uint64_t bytes,
		     const char *what)
{
	if (bytes != ARI_UNKNOWN && bytes != 0)
		document_fact(document, label,
			      document_format(document, "%s: %s",
					      document_bytes(document, bytes), what));
}

/* What the arenas' bytes are, if chunks were looked at. */
static void add_books(struct document *document, const struct ari_model *model)
{
	const struct ari_totals *totals = &model->totals;

	if (model->taken.depth == ARI_DEPTH_ARENAS)
		return;
	add_in_use(document, totals);
	add_free(document, totals);
	add_bins(document, model);
	add_rest(document, "overhead", totals->overhead_bytes,
		 "malloc's own structures, alignment, fenceposts");
	add_rest(document, "unread", totals->unread_bytes,
		 "behind pages that are in swap or cannot be read");
	add_rest(
		document, "unwalked", totals->unwalked_bytes,
		"a foreign sbrk's, behind damage, or of an arena that changed meanwhile");
}

static void add_mmapped(struct document *document, const struct ari_model *model)
{
	const struct ari_totals *totals = &model->totals;
	const char *text = "none";

	if (totals->mmapped_chunks != 0)
		text = document_format(document, "%s, %s, outside the arenas",
				       document_count(document, totals->mmapped_chunks,
						      "chunk", "chunks"),
				       document_bytes(document, totals->mmapped_bytes));
	document_fact(document, "mmapped", text);
}

static void add_facts(struct document *document, const struct ari_model *model)
{
	add_process(document, model);
	facts_cgroup(document, model);
	rss_facts(document, model);
	add_arenas(document, &model->totals);
	add_books(document, model);
	add_mmapped(document, model);
	facts_arena_limit(document, model);
	facts_libc(document, model);
	facts_allocator(document, model);
}

/* ---- how far to trust it ---- */

static const char *place(struct document *document, uint64_t address)
{
	if (address == ARI_UNKNOWN)
		return "";
	return document_format(document, " (at 0x%" PRIx64 ")", address);
}

static size_t add_damage_of(struct document *document, const struct ari_arena *arena,
			    size_t room)
{
	size_t shown = arena->damage.count < room ? arena->damage.count : room;

	for (size_t i = 0; i < shown; i++) {
		const struct ari_damage *damage = &arena->damage.at[i];

		document_fact(document, "damage",
			      document_format(document, "arena %" PRIu64 ": %s%s",
					      arena->index,
					      damage->message == NULL ? damage->id
								      : damage->message,
					      place(document, damage->address)));
	}
	return shown;
}

static void add_damage(struct document *document, const struct ari_model *model)
{
	size_t all = 0, shown = 0;

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		all += arena->damage.count;
		shown += add_damage_of(document, arena, DAMAGES_SHOWN - shown);
	}
	if (all > shown)
		document_fact(document, "damage",
			      document_format(document, "and %zu more: --json has them",
					      all - shown));
}

static void add_states(struct document *document, const char *state, size_t count)
{
	if (count > 0)
		document_fact(document, "quality",
			      document_format(document, "%s %s",
					      document_count(document, count, "arena is",
							     "arenas are"),
					      state));
}

static void add_quality(struct document *document, const struct ari_model *model)
{
	size_t states[ARI_STATE_TORN + 1] = { 0 };

	for (size_t i = 0; i < model->arenas.count; i++)
		if (model->arenas.at[i].state <= ARI_STATE_TORN)
			states[model->arenas.at[i].state]++;
	add_states(document, "busy: changed while read", states[ARI_STATE_BUSY]);
	add_states(document, "torn: the numbers do not fit", states[ARI_STATE_TORN]);
	for (size_t i = 0; i < model->quality.notes.count; i++)
		document_fact(document, "note", model->quality.notes.at[i]);
}

static bool build_report(const struct ari_model *model, const struct options *options,
			 struct document *document, struct ari_error *err)
{
	const struct arena_row *rows = arena_rows(document, model);

	if (rows == NULL)
		return refuse_memory(err);
	findings_open(document, model);
	rss_answer(document, model);
	findings_also(document, model);
	add_facts(document, model);
	document_table(document,
		       (struct table){
			       .kind = &arenas_table,
			       .rows = rows,
			       .row_size = sizeof(*rows),
			       .count = model->arenas.count,
			       .screenful = SCREENFUL,
			       .rest = document_format(document,
						       "arenainspect arenas %" PRIu64
						       " shows all",
						       model->process.pid),
		       });
	add_damage(document, model);
	add_quality(document, model);
	findings_advice(document, model->findings.at, model->findings.count,
			options->verbose > 0);
	if (options->verbose > 0)
		facts_settings(document, model);
	return true;
}

const struct command command_report = {
	.name = "report",
	.arguments = "PID",
	.help = "the answer first, then the arenas; what a bare PID asks for",
	.table = &arenas_table,
	.run = run_visit,
	.build = build_report,
	.tells_notes = true,
};
