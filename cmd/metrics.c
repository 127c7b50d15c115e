// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "time_left.h"
#include "help.h"
#include "open.h"
#include "out/openmetrics.h"
#include "out/refuse.h"
#include "out/sink.h"
#include "series.h"
#include "tell.h"

#define LIMIT_DEFAULT 500

/* Of several processes one takes no more than this part of the time for all. */
#define TIME_SHARES 4

#define PREFIX	     "arenainspect_"
#define PREFIX_ARENA "arenainspect_arena_"

/* ---- why a process is not among them ---- */

enum reason {
	GONE,
	DENIED,
	NOT_GLIBC,
	NO_LAYOUT,
	UNSTABLE,
	TIMED_OUT,
	FAILED,
	REASONS,
};

static const char *const reasons[REASONS] = {
	"gone", "denied", "not_glibc", "no_layout", "unstable", "timed_out", "failed",
};

static const enum reason reason_of[] = {
	[ARI_GONE] = GONE,
	[ARI_DENIED] = DENIED,
	[ARI_NOT_GLIBC] = NOT_GLIBC,
	[ARI_NO_SYMBOLS] = NO_LAYOUT,
	[ARI_BAD_LAYOUT] = NO_LAYOUT,
	[ARI_UNSUPPORTED] = NO_LAYOUT,
	[ARI_UNSTABLE] = UNSTABLE,
	[ARI_FAULT] = UNSTABLE,
	[ARI_SWAPPED] = UNSTABLE,
	[ARI_TIMED_OUT] = TIMED_OUT,
	[ARI_IO] = FAILED,
	[ARI_NO_MEMORY] = FAILED,
	[ARI_USAGE] = FAILED,
};

_Static_assert(sizeof(reason_of) / sizeof(*reason_of) == ARI_CODES,
	       "a new code needs a reason");

struct metrics {
	struct series_list series;
	uint64_t skipped[REASONS];
	struct ari_error first; /* why the first of these was; ARI_OK: none */
	size_t read;		/* the others */
	double seconds;		/* that it took */
};

/* ---- writing ---- */

/* The family's full name, and the unit that it ends in or NULL. */
struct family {
	char name[80];
	const char *unit;
	const char *help;
};

static struct family family_of(const char *prefix, const struct ari_metric *is)
{
	struct family family = { .help = is->help };
	bool bytes = is->unit == ARI_UNIT_BYTES;

	if (is->unit != ARI_UNIT_COUNT)
		family.unit = bytes ? "bytes" : "ratio";
	/* A share's name ends in its unit already. */
	snprintf(family.name, sizeof(family.name), "%s%s%s", prefix, is->name,
		 bytes ? "_bytes" : "");
	return family;
}

/* comm, and unit or cgroup; and of one arena its index. */
static size_t labels_of(const struct series *series, const char *arena,
			struct label ret[3])
{
	size_t count = 0;

	ret[count++] = (struct label){ "comm", series->comm };
	if (series->group != NULL)
		ret[count++] = (struct label){ series->group_is, series->group };
	if (arena != NULL)
		ret[count++] = (struct label){ "arena", arena };
	return count;
}

static void write_sample(FILE *out, const struct family *family,
			 const struct series *series, const char *arena, double value)
{
	struct label labels[3];

	openmetrics_sample(out, family->name, labels, labels_of(series, arena, labels),
			   value);
}

/* What is not known is not there; a family with nothing known in it neither. */
static void write_known(FILE *out, const struct family *family, bool *begun,
			const struct series *series, const char *arena, double value)
{
	if (isnan(value))
		return;
	if (!*begun)
		openmetrics_family(out, family->name, family->unit, family->help);
	*begun = true;
	write_sample(out, family, series, arena, value);
}

static void write_metric(FILE *out, const struct series_list *list, size_t metric,
			 const struct ari_metric *is)
{
	struct family family = family_of(PREFIX, is);
	bool begun = false;

	for (size_t i = 0; i < list->count; i++)
		write_known(out, &family, &begun, &list->at[i], NULL,
			    series_value(list, &list->at[i], ARI_UNKNOWN, metric)->value);
}

static void write_metric_of_arenas(FILE *out, const struct series_list *list,
				   size_t metric, const struct ari_metric *is)
{
	struct family family = family_of(PREFIX_ARENA, is);
	bool begun = false;

	for (size_t i = 0; i < list->count; i++)
		for (uint64_t arena = 0; arena < list->at[i].arenas; arena++) {
			char index[24];

			snprintf(index, sizeof(index), "%" PRIu64, arena);
			write_known(
				out, &family, &begun, &list->at[i], index,
				series_value(list, &list->at[i], arena, metric)->value);
		}
}

/* Numbers of the processes that share their labels. */
static void write_counts(FILE *out, const struct series_list *list)
{
	static const struct {
		struct family is;
		size_t offset;
	} counts[] = {
		{ { PREFIX "processes", NULL, "processes that share the labels" },
		  offsetof(struct series, processes) },
		{ { PREFIX "torn_processes", NULL,
		    "processes with an arena that could not be read consistently" },
		  offsetof(struct series, torn_processes) },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		bool begun = false;

		for (size_t j = 0; j < list->count; j++) {
			const char *series = (const char *)&list->at[j];

			write_known(out, &counts[i].is, &begun, &list->at[j], NULL,
				    (double)*(const uint64_t
						      *)(const void *)(series +
								       counts[i].offset));
		}
	}
}

static void write_number(FILE *out, const char *name, const char *unit, const char *help,
			 double value)
{
	openmetrics_family(out, name, unit, help);
	openmetrics_sample(out, name, NULL, 0, value);
}

/* About the run itself. */
static void write_run(FILE *out, const struct metrics *metrics)
{
	const struct series_list *list = &metrics->series;

	openmetrics_family(out, PREFIX "skipped_processes", NULL,
			   "processes that are in no other number, by reason");
	for (size_t i = 0; i < REASONS; i++)
		openmetrics_sample(out, PREFIX "skipped_processes",
				   &(struct label){ "reason", reasons[i] }, 1,
				   (double)metrics->skipped[i]);
	write_number(out, PREFIX "cut_series", NULL,
		     "sets of labels left out because of --limit",
		     (double)list->cut_series);
	write_number(out, PREFIX "cut_processes", NULL, "processes left out with them",
		     (double)list->cut_processes);
	if (list->per_arena)
		write_number(out, PREFIX "cut_arenas", NULL,
			     "arenas left out because of --limit",
			     (double)list->cut_arenas);
	openmetrics_family(out, PREFIX "build_info", NULL, "the version of arenainspect");
	openmetrics_sample(out, PREFIX "build_info",
			   &(struct label){ "version", ari_version() }, 1, 1);
	write_number(out, PREFIX "run_duration_seconds", "seconds", "time that it took",
		     metrics->seconds);
}

static void write_all(FILE *out, const struct metrics *metrics)
{
	struct ari_metric is;

	write_counts(out, &metrics->series);
	for (size_t i = 0; ari_metric_describe(i, &is); i++)
		write_metric(out, &metrics->series, i, &is);
	for (size_t i = 0; ari_metric_describe(i, &is) && metrics->series.per_arena; i++)
		if (is.of_arenas)
			write_metric_of_arenas(out, &metrics->series, i, &is);
	write_run(out, metrics);
	openmetrics_end(out);
}

static bool show_all(const struct metrics *metrics, const char *path,
		     struct ari_error *err)
{
	struct sink sink;

	if (!sink_open(&sink, path, err))
		return false;
	write_all(sink.out, metrics);
	return sink_finish(&sink, err);
}

/* ---- the processes ---- */

struct taking {
	struct metrics *metrics;
	const struct options *options;
};

/* Of processes that were named somebody wants to know. */
static void tell_why(const struct options *options, const struct ari_error *why)
{
	if (!options->quiet && !options->every)
		tell("%s", why->message);
}

/* The first is told at the end: it may be the error that all of it ends with. */
static void leave_out(struct metrics *metrics, const struct options *options,
		      const struct ari_error *why)
{
	metrics->skipped[reason_of[why->code]]++;
	if (metrics->first.code == ARI_OK)
		metrics->first = *why;
	else
		tell_why(options, why);
}

/* Pids of which none could be read are a mistake; some that ended are to be expected. */
static bool conclude(const struct metrics *metrics, const struct options *options,
		     struct ari_error *err)
{
	if (metrics->first.code == ARI_OK)
		return true;
	if (metrics->read == 0 && options->operands_count > 0) {
		*err = metrics->first;
		return false;
	}
	tell_why(options, &metrics->first);
	return true;
}

/* One process, which may not be there or may not be read: that is counted. */
static bool take_process(void *data, size_t index, const struct ari_model *model,
			 const struct ari_error *why, struct ari_error *err)
{
	const struct taking *taking = data;

	(void)index;
	if (model != NULL)
		why = &model->stopped;
	if (why->code != ARI_OK) {
		leave_out(taking->metrics, taking->options, why);
		return true;
	}
	taking->metrics->read++;
	return series_add(&taking->metrics->series, model, err);
}

/* With all its threads, and all the time. */
static bool visit_one(const struct ari_visits *visits, struct ari_error *err)
{
	struct ari_model *model = NULL;
	struct ari_error why;
	bool done = ari_visit(visits->pids[0], visits->options, &model, &why);

	done = visits->take(visits->data, 0, done ? model : NULL, &why, err);
	ari_model_free(model);
	return done;
}

static bool add_processes(struct metrics *metrics, const struct options *options,
			  struct ari_error *err)
{
	struct taking taking = { metrics, options };
	struct ari_options visiting = open_options(options);
	struct ari_visits visits = {
		.options = &visiting,
		.timeout_ns = visiting.timeout_ns,
		.take = take_process,
		.data = &taking,
	};
	struct pids pids;
	bool added;

	if (!open_pids(options, &pids, err))
		return false;
	visits.pids = pids.at;
	visits.count = pids.count;
	if (pids.count > 1)
		visiting.timeout_ns /= TIME_SHARES;
	added = pids.count == 1 ? visit_one(&visits, err) : ari_visit_all(&visits, err);
	free(pids.at);
	return added;
}

static bool run_metrics(const struct options *options, struct ari_error *err)
{
	uint64_t begun = time_now();
	struct metrics metrics = { 0 };
	bool done;

	series_init(&metrics.series, options->per_arena);
	done = add_processes(&metrics, options, err);
	metrics.seconds = (double)(time_now() - begun) / NS_PER_SECOND;
	if (done) {
		series_limit(&metrics.series,
			     options->limit == 0 ? LIMIT_DEFAULT : options->limit);
		done = show_all(&metrics, options->write, err) &&
		       conclude(&metrics, options, err);
	}
	series_done(&metrics.series);
	return done;
}

const struct command command_metrics = {
	.name = "metrics",
	.arguments = "PID...",
	.help = "numbers of one or more processes as OpenMetrics text",
	.live_only = true,
	.take_operands = options_take_subjects,
	.own_form = true,
	.no_findings = true,
	.help_more = help_metrics,
	.own = OWN_ALL | OWN_LIMIT | OWN_PER_ARENA,
	.run = run_metrics,
};
