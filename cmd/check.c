// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "time_left.h"
#include "help.h"
#include "open.h"
#include "out/refuse.h"
#include "state.h"

#define DEFAULT_SECONDS 10

#define GROWTH "_growth"

/* ---- what was asked for ---- */

/* `name`, or `name`_growth of what adds up. */
static bool find_metric(const char *name, struct measure *ret)
{
	size_t length = strlen(name), suffix = strlen(GROWTH);
	bool growth = length > suffix && strcmp(name + length - suffix, GROWTH) == 0;

	if (growth)
		length -= suffix;
	for (size_t i = 0; ari_metric_describe(i, &ret->is); i++)
		if (strncmp(ret->is.name, name, length) == 0 &&
		    ret->is.name[length] == '\0') {
			ret->metric = i;
			ret->growth = growth;
			return !growth || ret->is.unit != ARI_UNIT_SHARE;
		}
	return false;
}

static bool no_metric(const char *name, struct ari_error *err)
{
	char names[300] = "";
	struct ari_metric is;

	for (size_t i = 0; ari_metric_describe(i, &is); i++)
		list_word(names, sizeof(names), ", ", is.name);
	return refuse(err, ARI_USAGE, "no metric '%s'; there are %s", name, names);
}

static bool take_range(const char *text, const struct measure *measure, struct range *ret,
		       struct ari_error *err)
{
	return text == NULL || range_parse(text, measure->is.unit, ret, err);
}

static bool add_measure(struct check *check, const struct watched *asked,
			struct ari_error *err)
{
	struct measure *measure = &check->measures[check->measure_count];

	if (!find_metric(asked->metric, measure))
		return no_metric(asked->metric, err);
	for (size_t i = 0; i < check->measure_count; i++)
		if (strcmp(check->measures[i].name, asked->metric) == 0)
			return refuse(err, ARI_USAGE, "metric %s is given twice",
				      asked->metric);
	measure->asked = asked;
	snprintf(measure->name, sizeof(measure->name), "%s", asked->metric);
	check->measure_count++;
	return take_range(asked->warning, measure, &measure->warning, err) &&
	       take_range(asked->critical, measure, &measure->critical, err);
}

static bool add_measures(struct check *check, const struct options *options,
			 struct ari_error *err)
{
	for (size_t i = 0; i < options->watched_count; i++)
		if (!add_measure(check, &options->watched[i], err))
			return false;
	if (check->measure_count == 0)
		return refuse(err, ARI_USAGE,
			      "check what? -m METRIC -w RANGE -c RANGE; --help lists the "
			      "metrics");
	for (size_t i = 0; i < check->measure_count; i++)
		if (check->measures[i].growth && options->state == NULL)
			return refuse(err, ARI_USAGE,
				      "%s needs --state FILE to remember in",
				      check->measures[i].name);
	return true;
}

/* ---- measuring ---- */

/* The value's bounds, as they moved since an exact one. */
static struct ari_value growth_since(const struct sample *before,
				     const struct ari_value *value, uint64_t now)
{
	double seconds = (double)(now - before->taken_ns) / NS_PER_SECOND;

	return (struct ari_value){
		(value->value - before->value) / seconds,
		(value->least - before->value) / seconds,
		(value->most - before->value) / seconds,
		1,
	};
}

static bool read_growth(const struct measure *measure, const struct ari_model *model,
			struct state *state, struct reading *reading,
			struct ari_error *err)
{
	struct sample sample = {
		.pid = model->process.pid,
		.start_time_ticks = model->process.start_time_ticks,
		.taken_ns = state_clock(),
		.value = reading->value.value,
	};
	const struct sample *before;

	if (model->process.boot_id == NULL ||
	    model->process.start_time_ticks == ARI_UNKNOWN)
		return refuse(err, ARI_UNSUPPORTED,
			      "process %ld cannot be told from one before it",
			      (long)model->process.pid);
	snprintf(sample.boot_id, sizeof(sample.boot_id), "%s", model->process.boot_id);
	snprintf(sample.metric, sizeof(sample.metric), "%s", measure->is.name);
	before = state_find(state, &sample);
	reading->young = before == NULL;
	if (before != NULL)
		reading->value = growth_since(before, &reading->value, sample.taken_ns);
	return isnan(sample.value) || state_put(state, &sample, err);
}

/* A growth that nothing is known to compare with is no alarm. */
static enum plugin_state judge(const struct measure *measure,
			       const struct reading *reading)
{
	const struct ari_value *value = &reading->value;
	enum ari_yesno critical = ARI_NO, warning = ARI_NO;

	if (reading->young)
		return PLUGIN_OK;
	if (measure->asked->critical != NULL)
		critical = range_alerts(&measure->critical, value->least, value->most);
	if (measure->asked->warning != NULL)
		warning = range_alerts(&measure->warning, value->least, value->most);
	if (critical == ARI_YES)
		return PLUGIN_CRITICAL;
	if (critical == ARI_MAYBE || warning == ARI_MAYBE)
		return PLUGIN_UNKNOWN;
	return warning == ARI_YES ? PLUGIN_WARNING : PLUGIN_OK;
}

static bool read_measures(const struct check *check, const struct ari_model *model,
			  struct state *state, struct checked *subject,
			  struct ari_error *err)
{
	subject->state = PLUGIN_OK;
	for (size_t i = 0; i < check->measure_count; i++) {
		const struct measure *measure = &check->measures[i];
		struct reading *reading = &subject->readings[i];

		*reading = (struct reading){ ari_metric_value(measure->metric, model),
					     false, PLUGIN_OK };
		if (measure->growth && !read_growth(measure, model, state, reading, err))
			return false;
		reading->state = judge(measure, reading);
		subject->state = plugin_worse(subject->state, reading->state);
	}
	return true;
}

static bool visit(const struct check *check, const struct ari_options *options,
		  struct state *state, struct checked *subject, struct ari_error *err)
{
	struct ari_model *model = NULL;
	bool done = ari_visit(subject->pid, options, &model, err);

	if (done && model->stopped.code != ARI_OK) {
		*err = model->stopped;
		done = false;
	}
	if (done) {
		snprintf(subject->comm, sizeof(subject->comm), "%s",
			 model->process.comm == NULL ? "" : model->process.comm);
		subject->start_time_ticks = model->process.start_time_ticks;
		done = read_measures(check, model, state, subject, err);
	}
	ari_model_free(model);
	return done;
}

/* Of those that were found one that ended before we came to it is not one of them. */
static bool left_meanwhile(const struct checked *subject, const struct options *options)
{
	return subject->error.code == ARI_GONE && options->operands_count == 0;
}

static bool visit_all(struct check *check, const struct options *options,
		      const struct pids *pids, struct state *state, struct ari_error *err)
{
	struct ari_options visiting = open_options(options);
	uint64_t end = time_end_after(options->visit.timeout_ns);

	if (options->verbose < 3)
		visiting.log = NULL; /* -v is more text for the monitoring system */
	for (size_t i = 0; i < pids->count; i++) {
		struct checked *subject = &check->subjects[check->subject_count];

		*subject = (struct checked){ .pid = pids->at[i] };
		visiting.timeout_ns = time_left(end);
		if (!visit(check, &visiting, state, subject, err)) {
			subject->state = PLUGIN_UNKNOWN;
			subject->error = *err;
			if (left_meanwhile(subject, options))
				continue;
		}
		check->subject_count++;
	}
	/* Of one, and of none that is left, the error is all that there is to say. */
	return check->subject_count > 1 ||
	       (check->subject_count == 1 && check->subjects[0].error.code == ARI_OK);
}

/* ---- the plugin ---- */

static int oldest_first(const void *a, const void *b)
{
	const struct checked *one = a, *other = b;

	if (one->start_time_ticks != other->start_time_ticks)
		return one->start_time_ticks < other->start_time_ticks ? -1 : 1;
	return one->pid < other->pid ? -1 : 1;
}

static void number_them(struct check *check)
{
	qsort(check->subjects, check->subject_count, sizeof(*check->subjects),
	      oldest_first);
	for (size_t i = 0; i < check->subject_count; i++) {
		struct checked *subject = &check->subjects[i];

		subject->nth = 1;
		for (size_t j = 0; j < i; j++)
			subject->nth +=
				check->subjects[j].error.code == ARI_OK &&
				strcmp(check->subjects[j].comm, subject->comm) == 0;
	}
}

static bool needs_state(const struct check *check)
{
	for (size_t i = 0; i < check->measure_count; i++)
		if (check->measures[i].growth)
			return true;
	return false;
}

static bool measure_them(struct check *check, const struct options *options,
			 const struct pids *pids, struct ari_error *err)
{
	struct state *state = NULL;

	check->subjects = calloc(pids->count, sizeof(*check->subjects));
	if (check->subjects == NULL)
		return refuse_memory(err);
	if (needs_state(check)) {
		if (!state_open(options->state, &state, err))
			return false;
		state_rest(state);
	}
	if (!visit_all(check, options, pids, state, err)) {
		state_drop(state);
		return false;
	}
	number_them(check);
	return state == NULL || state_close(state, err);
}

static bool measure_all(struct check *check, const struct options *options,
			struct ari_error *err)
{
	struct pids pids;
	bool done;

	if (options->write != NULL)
		return refuse(err, ARI_USAGE, "check has its line on stdout: no --write");
	if (!add_measures(check, options, err) || !open_pids(options, &pids, err))
		return false;
	check->one_pid = options->operands_count == 1;
	check->verbose = options->verbose > 0;
	check->plain_bytes = options->style.plain_bytes;
	done = measure_them(check, options, &pids, err);
	free(pids.at);
	return done;
}

static int say_all(const struct check *check, struct ari_error *err)
{
	enum plugin_state state = PLUGIN_OK;
	struct check_text text;
	int status;

	for (size_t i = 0; i < check->subject_count; i++)
		state = plugin_worse(state, check->subjects[i].state);
	if (!check_text_make(check, state, &text, err))
		return plugin_fail(err);
	status = plugin_say(state, text.text, text.perfdata, text.more);
	check_text_done(&text);
	return status;
}

static int run_check(const struct options *options)
{
	struct options mine = *options;
	struct check check = { 0 };
	struct ari_error err;
	int status;

	if (mine.visit.timeout_ns == 0)
		mine.visit.timeout_ns = DEFAULT_SECONDS * NS_PER_SECOND;
	/* Behind the time that a visit keeps to by itself. */
	plugin_alarm(mine.visit.timeout_ns + NS_PER_SECOND / 2);
	if (measure_all(&check, &mine, &err))
		status = say_all(&check, &err);
	else
		status = plugin_fail(&err);
	free(check.subjects);
	return status;
}

static void help_more(FILE *out)
{
	help_metrics(out);
	fputs("\nNAME_growth, of bytes and counts: what it grows by per second since the "
	      "run\nbefore, which --state remembers.  Bytes take K, M, G, T or P, shares "
	      "%.\n\nExit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n",
	      out);
}

const struct command command_check = {
	.name = "check",
	.arguments = "PID...",
	.help = "a monitoring plugin: OK, WARNING or CRITICAL by ranges for metrics",
	.live_only = true,
	.take_operands = options_take_subjects,
	.own_form = true,
	.no_findings = true,
	.help_more = help_more,
	.own = OWN_CHECK | OWN_STATE,
	.plugin = run_check,
};
