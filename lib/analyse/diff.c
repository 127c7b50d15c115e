// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/delta.h"
#include "analyse/growth.h"
#include "analyse/numbers.h"
#include "analyse/pairs.h"
#include "base/error.h"
#include "base/list.h"
#include "base/text.h"
#include "model/fields.h"
#include "model/model.h"

/* Under that, a rate per hour would be mostly the error of its time. */
#define LEAST_SECONDS 1

/* What the two models are, and what becomes of it. */
struct comparison {
	const struct ari_model *before, *after;
	bool same_process, in_order;
	struct arena_pairs pairs;
	struct ari_diff *diff;
};

static bool add_note(struct ari_diff *diff, struct ari_error *err, const char *format,
		     ...) __attribute__((format(printf, 3, 4)));

static bool add_note(struct ari_diff *diff, struct ari_error *err, const char *format,
		     ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = text_list_add(&diff->notes.raw, err, format, ap);
	va_end(ap);
	return done;
}

/* ---- whether they are of one process ---- */

static uint64_t main_arena_of(const struct ari_model *model)
{
	const struct ari_arena *main = model->arenas.at;

	return model->arenas.count > 0 && main->kind == ARI_ARENA_MAIN ? main->address
								       : ARI_UNKNOWN;
}

static bool differ(uint64_t a, uint64_t b)
{
	return a != ARI_UNKNOWN && b != ARI_UNKNOWN && a != b;
}

/* What keeps the two from being the same process, or NULL. */
static const char *difference(const struct ari_process *a, const struct ari_process *b)
{
	if (differ(a->pid, b->pid))
		return "their pids differ";
	if (a->boot_id != NULL && b->boot_id != NULL && strcmp(a->boot_id, b->boot_id))
		return "the machine was booted in between, or they are of two";
	if (differ(a->start_time_ticks, b->start_time_ticks))
		return "the pid is the same, but they started at different times";
	if (a->pid == ARI_UNKNOWN || b->pid == ARI_UNKNOWN ||
	    a->start_time_ticks == ARI_UNKNOWN || b->start_time_ticks == ARI_UNKNOWN ||
	    a->boot_id == NULL || b->boot_id == NULL)
		return "it is not known when each of them started";
	return NULL;
}

static const char *why_two(const struct ari_model *before, const struct ari_model *after)
{
	const char *why = difference(&before->process, &after->process);

	/* Where it lies is settled when a program starts. */
	if (why == NULL && differ(main_arena_of(before), main_arena_of(after)))
		why = "it ran another program in between";
	return why;
}

/* "4711 (demo)" */
static const char *process_text(const struct ari_process *process, char room[64])
{
	const char *comm = process->comm == NULL ? "?" : process->comm;

	if (process->pid == ARI_UNKNOWN)
		snprintf(room, 64, "? (%.32s)", comm);
	else
		snprintf(room, 64, "%" PRIu64 " (%.32s)", process->pid, comm);
	return room;
}

static bool check_process(struct comparison *its, bool force, struct ari_error *err)
{
	const char *why = why_two(its->before, its->after);
	char first[64], second[64];

	its->same_process = why == NULL;
	if (why == NULL)
		return true;
	process_text(&its->before->process, first);
	process_text(&its->after->process, second);
	if (!force)
		return fail(err, ARI_USAGE,
			    "%s and %s are not one process: %s (--force compares "
			    "replicas, without their arenas)",
			    first, second, why);
	return add_note(its->diff, err,
			"%s and %s are not one process: %s; arenas cannot be matched, "
			"and nothing of it is growth",
			first, second, why);
}

/* Of two processes it does not matter which came first. */
static bool check_order(struct comparison *its, bool force, struct ari_error *err)
{
	uint64_t before = its->before->taken.begun_ns, after = its->after->taken.begun_ns;

	its->in_order = before != ARI_UNKNOWN && after != ARI_UNKNOWN && before <= after;
	if (its->in_order || !its->same_process)
		return true;
	if (!force)
		return fail(err, ARI_USAGE,
			    "the first was taken after the second: the older one comes "
			    "first (--force compares them all the same)");
	return add_note(its->diff, err,
			"the first was taken after the second: nothing of it is growth");
}

/* ---- how far it goes ---- */

/* Pages are not compared: what is said of chunks is in both. */
static bool same_depth(uint64_t before, uint64_t after)
{
	return before == after ||
	       (before != ARI_UNKNOWN && after != ARI_UNKNOWN &&
		before != ARI_DEPTH_ARENAS && after != ARI_DEPTH_ARENAS);
}

static bool note_depth(struct comparison *its, struct ari_error *err)
{
	uint64_t before = its->before->taken.depth, after = its->after->taken.depth;

	if (same_depth(before, after) || before == ARI_UNKNOWN || after == ARI_UNKNOWN ||
	    its->before->stopped.code != ARI_OK || its->after->stopped.code != ARI_OK)
		return true; /* or a visit ended early, which another note says */
	return add_note(its->diff, err,
			"the first was taken with --depth %s, the second with --depth "
			"%s: what only one has cannot be compared",
			ari_depth_name(before), ari_depth_name(after));
}

static bool note_stop(struct comparison *its, const struct ari_model *model,
		      const char *which, struct ari_error *err)
{
	return model->stopped.code == ARI_OK ||
	       add_note(its->diff, err, "the %s is not whole: %s", which,
			model->stopped.message);
}

static bool note_torn(struct comparison *its, struct ari_error *err)
{
	size_t torn = 0, different = 0;

	for (size_t i = 0; i < its->pairs.list.count; i++) {
		torn += !pair_is_whole(&its->pairs.list.at[i]);
		different += !pair_is_comparable(&its->pairs.list.at[i]);
	}
	if (torn > 0 &&
	    !add_note(its->diff, err,
		      "%zu of the arenas were not read whole: what grew is said of the "
		      "others",
		      torn))
		return false;
	/* Without its chunks an arena tells neither, which is said already. */
	return different == 0 ||
	       !same_depth(its->before->taken.depth, its->after->taken.depth) ||
	       add_note(its->diff, err,
			"only one tells what threads have cached from what is in use: "
			"these cannot be compared");
}

static bool add_notes(struct comparison *its, struct ari_error *err)
{
	return note_depth(its, err) && note_stop(its, its->before, "first", err) &&
	       note_stop(its, its->after, "second", err) && note_torn(its, err);
}

/* ---- deltas ---- */

static const struct record *record_of(const struct record *record, const char *key)
{
	return record_field(record, key)->record;
}

static bool copy_string(char **slot, struct ari_error *err)
{
	char *text = *slot;

	*slot = NULL;
	return model_set_string(slot, text, err);
}

/* The strings of a copied struct are copied, too: one that cannot be is NULL. */
static bool copy_strings(const struct record *record, void *at, struct ari_error *err)
{
	bool done = true;

	for (size_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];
		char *member = (char *)at + field->offset;

		if (field->type == FIELD_STRING)
			done = copy_string((void *)member, err) && done;
		else if (field->type == FIELD_RECORD)
			done = copy_strings(field->record, member, err) && done;
	}
	return done;
}

static bool fill_moment(struct ari_moment *ret, const struct ari_model *model,
			struct ari_error *err)
{
	ret->taken = model->taken;
	ret->process = model->process;
	return copy_strings(record_of(&model_record, "process"), &ret->process, err);
}

static void fill_totals(struct comparison *its)
{
	struct ari_totals_delta *totals = &its->diff->totals;

	delta_fill(record_of(&diff_record, "totals"), totals,
		   record_of(&model_record, "totals"), &its->before->totals,
		   &its->after->totals);
	for (size_t i = 0; i < its->pairs.list.count; i++)
		if (!pair_is_comparable(&its->pairs.list.at[i]))
			totals->in_use_bytes = totals->resident.in_use_bytes = INT64_MIN;
}

static bool fill_memory(struct comparison *its, struct ari_error *err)
{
	const struct record *record = record_of(&diff_record, "memory");

	for (size_t i = 0; its->before->memory.known && i < its->after->memory.count;
	     i++) {
		const struct ari_memory *after = &its->after->memory.at[i];
		struct ari_memory_delta *row = list_add(&its->diff->memory, err);

		if (row == NULL)
			return false;
		record_clear(record, row);
		row->kind = after->kind;
		delta_fill(record, row, record_of(&model_record, "memory"),
			   ari_memory_of(its->before, after->kind), after);
	}
	its->diff->memory.known = its->before->memory.known && its->after->memory.known;
	return true;
}

/* Whether an arena that is not in it was not there. */
static bool ring_is_whole(const struct ari_model *model)
{
	if (model->stopped.code != ARI_OK)
		return false;
	for (size_t i = 0; i < model->arenas.count; i++)
		for (size_t n = 0; n < model->arenas.at[i].damage.count; n++) {
			const char *id = model->arenas.at[i].damage.at[n].id;

			if (id != NULL && strncmp(id, "ring-", 5) == 0)
				return false;
		}
	return true;
}

static uint64_t change_of(const struct comparison *its, const struct arena_pair *pair)
{
	enum ari_yesno before, after;

	if (pair->after == NULL)
		return ARI_ARENA_MISSING;
	if (pair->before == NULL)
		return ring_is_whole(its->before) ? ARI_ARENA_NEW : ARI_UNKNOWN;
	before = pair->before->idle;
	after = pair->after->idle;
	if (before == ARI_MAYBE || after == ARI_MAYBE)
		return ARI_UNKNOWN;
	if (before == after)
		return ARI_ARENA_KEPT;
	return after == ARI_YES ? ARI_ARENA_GONE_IDLE : ARI_ARENA_REUSED;
}

static bool fill_arena(struct comparison *its, const struct arena_pair *pair,
		       struct ari_error *err)
{
	const struct record *record = record_of(&diff_record, "arenas");
	const struct ari_arena *seen = pair->after != NULL ? pair->after : pair->before;
	struct ari_arena_delta *row = list_add(&its->diff->arenas, err);

	if (row == NULL)
		return false;
	record_clear(record, row);
	row->index = seen->index;
	row->address = seen->address;
	row->kind = seen->kind;
	row->change = change_of(its, pair);
	/* One that is not there is all zeros only if it is known not to be there. */
	if (row->change == ARI_ARENA_MISSING ||
	    (pair->before == NULL && row->change != ARI_ARENA_NEW))
		return true;
	delta_fill(record, row, record_of(&model_record, "arenas"), pair->before,
		   pair->after);
	if (!pair_is_comparable(pair))
		row->in_use_bytes = row->resident.in_use_bytes = INT64_MIN;
	return true;
}

static bool fill_arenas(struct comparison *its, struct ari_error *err)
{
	for (size_t i = 0; its->same_process && i < its->pairs.list.count; i++)
		if (!fill_arena(its, &its->pairs.list.at[i], err))
			return false;
	its->diff->arenas.known = its->same_process && its->pairs.list.known;
	return true;
}

static bool fill_sizes(struct comparison *its, struct ari_error *err)
{
	struct size_deltas sizes = { 0 };
	bool done = pairs_sizes(&its->pairs, false, &sizes, err);

	its->diff->sizes.raw = sizes.list.raw;
	return done;
}

static void fill_seconds(struct comparison *its)
{
	if (its->same_process && its->in_order)
		its->diff->seconds = (double)(its->after->taken.begun_ns -
					      its->before->taken.begun_ns) /
				     1e9;
}

static bool judge(struct comparison *its, struct ari_error *err)
{
	const struct growth_of of = { its->before, its->after, &its->pairs };

	return !its->same_process || !its->in_order || growth_judge(its->diff, &of, err);
}

static bool compare(struct comparison *its, bool force, struct ari_error *err)
{
	if (!check_process(its, force, err) || !check_order(its, force, err) ||
	    !pairs_match(its->before, its->after, its->same_process, &its->pairs, err) ||
	    !add_notes(its, err) || !fill_moment(&its->diff->before, its->before, err) ||
	    !fill_moment(&its->diff->after, its->after, err))
		return false;
	fill_seconds(its);
	fill_totals(its);
	its->diff->notes.known = true;
	return fill_memory(its, err) && fill_arenas(its, err) && fill_sizes(its, err) &&
	       judge(its, err);
}

static struct ari_diff *diff_new(struct ari_error *err)
{
	struct ari_diff *diff = calloc(1, sizeof(*diff));

	if (diff == NULL)
		fail_memory(err);
	else
		record_clear(&diff_record, diff);
	return diff;
}

int64_t ari_diff_per_hour(const struct ari_diff *diff, int64_t bytes)
{
	double per_hour = (double)bytes * 3600 / diff->seconds;

	if (bytes == INT64_MIN || !(diff->seconds >= LEAST_SECONDS) ||
	    fabs(per_hour) > 0x1p62)
		return INT64_MIN;
	return (int64_t)per_hour;
}

void ari_diff_free(struct ari_diff *diff)
{
	if (diff == NULL)
		return;
	record_done(&diff_record, diff);
	free(diff);
}

bool ari_diff(const struct ari_model *before, const struct ari_model *after, bool force,
	      struct ari_diff **ret, struct ari_error *err)
{
	struct comparison its = {
		.before = before,
		.after = after,
		.diff = diff_new(err),
	};
	bool done = its.diff != NULL && compare(&its, force, err);

	list_done(&its.pairs.list);
	if (done)
		*ret = its.diff;
	else
		ari_diff_free(its.diff);
	return done;
}
