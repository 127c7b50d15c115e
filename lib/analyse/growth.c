// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/delta.h"
#include "analyse/measure.h"
#include "analyse/say.h"
#include "analyse/verdicts.h"
#include "base/error.h"
#include "base/list.h"
#include "base/text.h"
#include "model/fields.h"
#include "model/model.h"

/* ---- what is said of it ---- */

/* " (12.0 MiB per hour)" */
static const char *rate(const struct growth *its, char room[2 * ARI_BYTES_ROOM])
{
	char bytes[ARI_BYTES_ROOM];
	int64_t per_hour = INT64_MIN;

	if (its->more <= INT64_MAX)
		per_hour = ari_diff_per_hour(its->diff, (int64_t)its->more);
	*room = '\0';
	if (per_hour != INT64_MIN)
		snprintf(room, 2 * ARI_BYTES_ROOM, " (%s per hour)",
			 ari_bytes_text((uint64_t)per_hour, bytes));
	return room;
}

static bool phrase(struct ari_finding *finding, struct ari_error *err, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));

static bool phrase(struct ari_finding *finding, struct ari_error *err, const char *format,
		   ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = text_format(&finding->message, err, format, ap);
	va_end(ap);
	return done;
}

static bool prove(struct ari_finding *finding, const char *name, uint64_t value,
		  struct ari_error *err)
{
	struct ari_evidence *evidence = list_add(&finding->evidence, err);

	if (evidence == NULL)
		return false;
	*evidence = (struct ari_evidence){ name, value };
	return true;
}

static bool prove_bytes(const struct growth *its, struct ari_finding *finding,
			struct ari_error *err)
{
	double seconds = its->diff->seconds;

	return prove(finding, "grown_bytes", its->more, err) &&
	       prove(finding, "before_bytes", its->before, err) &&
	       prove(finding, "seconds",
		     isnan(seconds) ? ARI_UNKNOWN : (uint64_t)(seconds + 0.5), err);
}

/* The size class that grew most; false: none that is certain. */
static bool largest_size(const struct growth *its, struct ari_size_delta *ret,
			 bool *found, struct ari_error *err)
{
	struct size_deltas sizes = { 0 };
	bool done = pairs_sizes(its->of->pairs, true, &sizes, err);
	uint64_t unread = its->of->before->totals.unread_bytes;

	*found = false;
	for (size_t i = 0; i < sizes.list.count; i++) {
		const struct ari_size_delta *row = &sizes.list.at[i];

		if (delta_grown(row->in_use_bytes) <= unread ||
		    (*found && row->in_use_bytes <= ret->in_use_bytes))
			continue;
		*ret = *row;
		*found = true;
	}
	list_done(&sizes.list);
	return done;
}

/* "1040 bytes", "2048 to 2096 bytes", "135168 bytes and more" */
static void size_text(const struct ari_size_delta *size, char *room, size_t bytes)
{
	if (size->to_bytes == ARI_UNKNOWN)
		snprintf(room, bytes, "%" PRIu64 " bytes and more", size->from_bytes);
	else if (size->to_bytes == size->from_bytes)
		snprintf(room, bytes, "%" PRIu64 " bytes", size->from_bytes);
	else
		snprintf(room, bytes, "%" PRIu64 " to %" PRIu64 " bytes",
			 size->from_bytes, size->to_bytes);
}

/* " (42311 more)"; where a row is of many sizes there can be fewer chunks, and larger. */
static const char *chunks_text(const struct ari_size_delta *size, char *room,
			       size_t bytes)
{
	*room = '\0';
	if (size->in_use_chunks > 0)
		snprintf(room, bytes, " (%" PRId64 " more)", size->in_use_chunks);
	return room;
}

static bool prove_size(struct ari_finding *finding, const struct ari_size_delta *size,
		       struct ari_error *err)
{
	return prove(finding, "size_from_bytes", size->from_bytes, err) &&
	       prove(finding, "size_to_bytes", size->to_bytes, err) &&
	       prove(finding, "size_grown_bytes", delta_grown(size->in_use_bytes), err) &&
	       prove(finding, "size_grown_chunks", delta_grown(size->in_use_chunks), err);
}

static bool tell_in_use(const struct growth *its, struct ari_finding *finding,
			struct ari_error *err)
{
	char more[ARI_BYTES_ROOM], per_hour[2 * ARI_BYTES_ROOM], of_size[ARI_BYTES_ROOM],
		sizes[96], chunks[ARI_BYTES_ROOM];
	struct ari_size_delta size = { 0 };
	bool found;

	if (!largest_size(its, &size, &found, err) || !prove_bytes(its, finding, err))
		return false;
	ari_bytes_text(its->more, more);
	rate(its, per_hour);
	if (!found)
		return phrase(finding, err,
			      "the application holds %s more in malloc's arenas%s", more,
			      per_hour);
	size_text(&size, sizes, sizeof(sizes));
	return prove_size(finding, &size, err) &&
	       phrase(finding, err,
		      "the application holds %s more in malloc's arenas%s; chunks of %s "
		      "grew most, by %s%s",
		      more, per_hour, sizes,
		      ari_bytes_text(delta_grown(size.in_use_bytes), of_size),
		      chunks_text(&size, chunks, sizeof(chunks)));
}

static bool tell_free(const struct growth *its, struct ari_finding *finding,
		      struct ari_error *err)
{
	char more[ARI_BYTES_ROOM], per_hour[2 * ARI_BYTES_ROOM];

	return prove_bytes(its, finding, err) &&
	       phrase(finding, err,
		      "malloc keeps %s more that the application has freed%s",
		      ari_bytes_text(its->more, more), rate(its, per_hour));
}

static uint64_t sum_of_new(const struct growth *its, size_t offset)
{
	int64_t sum = 0;

	for (size_t i = 0; i < its->diff->arenas.count; i++) {
		const char *row = (const char *)&its->diff->arenas.at[i];

		if (measure_is_new(its, i))
			sum = ari_delta_plus(
				sum, *(const int64_t *)(const void *)(row + offset));
	}
	return sum < 0 ? ARI_UNKNOWN : (uint64_t)sum;
}

static bool tell_arenas(const struct growth *its, struct ari_finding *finding,
			struct ari_error *err)
{
	uint64_t system = sum_of_new(its, offsetof(struct ari_arena_delta, system_bytes));
	uint64_t in_use = sum_of_new(its, offsetof(struct ari_arena_delta, in_use_bytes));
	char bytes[ARI_BYTES_ROOM];

	return prove(finding, "new_arenas", its->more, err) &&
	       prove(finding, "before_arenas", its->before, err) &&
	       prove(finding, "arena_limit", its->of->after->settings.arena_limit, err) &&
	       prove(finding, "new_system_bytes", system, err) &&
	       prove(finding, "new_in_use_bytes", in_use, err) &&
	       phrase(finding, err,
		      "there are %" PRIu64 " arenas more than the %" PRIu64
		      " before; the new ones have %s from the system",
		      its->more, its->before,
		      system == ARI_UNKNOWN ? "an unknown amount"
					    : ari_bytes_text(system, bytes));
}

static bool tell_mmapped(const struct growth *its, struct ari_finding *finding,
			 struct ari_error *err)
{
	uint64_t before = its->of->before->totals.mmapped_chunks;
	uint64_t after = its->of->after->totals.mmapped_chunks;
	char more[ARI_BYTES_ROOM], per_hour[2 * ARI_BYTES_ROOM];

	return prove_bytes(its, finding, err) &&
	       prove(finding, "before_chunks", before, err) &&
	       prove(finding, "after_chunks", after, err) &&
	       phrase(finding, err,
		      "the application holds %s more in mmapped chunks%s: there were %" PRIu64
		      ", and now there are %" PRIu64,
		      ari_bytes_text(its->more, more), rate(its, per_hour), before,
		      after);
}

static bool tell_outside(const struct growth *its, struct ari_finding *finding,
			 struct ari_error *err)
{
	const struct ari_memory_delta *largest = NULL;
	char more[ARI_BYTES_ROOM], of_kind[ARI_BYTES_ROOM], per_hour[2 * ARI_BYTES_ROOM];

	if (!prove_bytes(its, finding, err))
		return false;
	for (size_t i = 0; i < its->diff->memory.count; i++) {
		const struct ari_memory_delta *row = &its->diff->memory.at[i];

		if (measure_kind(row) == 0)
			continue;
		if (!prove(finding, ari_memory_kind_name(row->kind), measure_kind(row),
			   err))
			return false;
		if (largest == NULL || measure_kind(row) > measure_kind(largest))
			largest = row;
	}
	return phrase(finding, err,
		      "there is %s more that is not malloc's%s, %s of it %s",
		      ari_bytes_text(its->more, more), rate(its, per_hour),
		      ari_bytes_text(measure_kind(largest), of_kind),
		      ari_memory_kind_name(largest->kind));
}

/* ---- the verdicts ---- */

/* What they say, and advise, is in verdicts.def. */
static const struct kind {
	const char *id;
	void (*measure)(struct growth *its);
	uint64_t least;
	double percent; /* of what there was before */
	bool (*tell)(const struct growth *its, struct ari_finding *finding,
		     struct ari_error *err);
} kinds[] = {
	{ "GROWING-IN-USE", measure_in_use, LEAST_BYTES, LEAST_PERCENT, tell_in_use },
	{ "GROWING-FREE", measure_free, LEAST_BYTES, LEAST_PERCENT, tell_free },
	{ "GROWING-ARENAS", measure_arenas, LEAST_ARENAS, ARENAS_PERCENT, tell_arenas },
	{ "GROWING-MMAPPED", measure_mmapped, LEAST_BYTES, LEAST_PERCENT, tell_mmapped },
	{ "GROWING-OUTSIDE", measure_outside, LEAST_BYTES, LEAST_PERCENT, tell_outside },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool is_growth(const struct kind *kind, const struct growth *its)
{
	return its->before != ARI_UNKNOWN && its->more != ARI_UNKNOWN &&
	       its->more >= kind->least &&
	       (double)its->more >= kind->percent / 100 * (double)its->before;
}

static bool add_finding(struct ari_diff *diff, const struct kind *kind,
			const struct growth *its, struct ari_error *err)
{
	const struct verdict *verdict = verdict_find(kind->id);
	struct ari_finding *finding = list_add(&diff->findings, err);

	if (finding == NULL)
		return false;
	record_clear(record_field(&diff_record, "findings")->record, finding);
	finding->id = verdict->id;
	finding->severity = verdict->severity;
	return say(verdict->advice, its->of->after, &finding->advice, err) &&
	       kind->tell(its, finding, err);
}

/* What of two kinds comes first: that of more bytes; arenas by what they have. */
static uint64_t weight_of(const struct kind *kind, const struct growth *its)
{
	uint64_t bytes = its->more;

	if (kind->measure == measure_arenas)
		bytes = sum_of_new(its, offsetof(struct ari_arena_delta, system_bytes));
	return bytes == ARI_UNKNOWN ? 0 : bytes;
}

static bool add_undecided(struct ari_diff *diff, const struct kind *kind,
			  struct ari_error *err)
{
	char *id = strdup(kind->id), **slot;

	if (id == NULL)
		return fail_memory(err);
	slot = list_add(&diff->undecided, err);
	if (slot == NULL)
		free(id);
	else
		*slot = id;
	return slot != NULL;
}

/* Largest first. */
static bool add_findings(struct ari_diff *diff, const struct growth all[KINDS],
			 bool open[KINDS], struct ari_error *err)
{
	for (;;) {
		size_t next = KINDS;

		for (size_t i = 0; i < KINDS; i++)
			if (open[i] && (next == KINDS ||
					weight_of(&kinds[i], &all[i]) >
						weight_of(&kinds[next], &all[next])))
				next = i;
		if (next == KINDS)
			return true;
		if (!add_finding(diff, &kinds[next], &all[next], err))
			return false;
		open[next] = false;
	}
}

bool growth_judge(struct ari_diff *diff, const struct growth_of *of,
		  struct ari_error *err)
{
	struct growth all[KINDS];
	bool open[KINDS];

	diff->findings.known = diff->undecided.known = true;
	for (size_t i = 0; i < KINDS; i++) {
		all[i] = (struct growth){ .of = of,
					  .diff = diff,
					  .with_new_arenas = true };
		kinds[i].measure(&all[i]);
		open[i] = is_growth(&kinds[i], &all[i]);
		if (!open[i] && !all[i].known && !add_undecided(diff, &kinds[i], err))
			return false;
	}
	return add_findings(diff, all, open, err);
}
