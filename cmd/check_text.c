// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "out/cell.h"
#include "out/escape.h"
#include "out/refuse.h"

#define SUBJECTS_NAMED 4 /* in the first line; -v has them all */

/* ---- in words ---- */

static void say_number(FILE *out, const struct check *check,
		       const struct measure *measure, double number)
{
	char room[CELL_ROOM];
	const char *sign = !measure->growth ? "" : number < 0 ? "-" : "+";

	if (measure->growth)
		number = fabs(number);
	if (measure->is.unit == ARI_UNIT_BYTES && check->plain_bytes)
		fprintf(out, "%s%.0f bytes", sign, number);
	else if (measure->is.unit == ARI_UNIT_BYTES && number < (double)UINT64_MAX)
		fprintf(out, "%s%s", sign, bytes_text((uint64_t)number, room));
	else if (measure->is.unit == ARI_UNIT_COUNT && !measure->growth)
		fprintf(out, "%.0f", number);
	else
		fprintf(out, "%s%.3g", sign, number);
	if (measure->growth)
		fputs("/s", out);
}

static void say_value(FILE *out, const struct check *check, const struct measure *measure,
		      const struct reading *reading)
{
	const struct ari_value *value = &reading->value;

	if (reading->young) {
		fputs("not known yet", out);
	} else if (value->least == value->most) {
		say_number(out, check, measure, value->least);
	} else if (isinf(value->most) || isinf(value->least)) {
		fputs("unknown", out);
	} else {
		fputs("between ", out);
		say_number(out, check, measure, value->least);
		fputs(" and ", out);
		say_number(out, check, measure, value->most);
	}
}

/* Why it is not OK. */
static void say_state(FILE *out, const struct measure *measure,
		      const struct reading *reading)
{
	const char *range = reading->state == PLUGIN_CRITICAL ? measure->asked->critical
							      : measure->asked->warning;

	if (reading->state == PLUGIN_OK)
		return;
	if (reading->state == PLUGIN_UNKNOWN)
		fputs(" (its range cannot be decided)", out);
	else
		fprintf(out, " (%s: %s %s)", plugin_state_name(reading->state),
			*range == '@' ? "in" : "not in", range + (*range == '@'));
}

static void say_readings(FILE *out, const struct check *check,
			 const struct checked *subject)
{
	for (size_t i = 0; i < check->measure_count; i++) {
		const struct measure *measure = &check->measures[i];

		fprintf(out, "%s%s ", i == 0 ? "" : ", ", measure->name);
		say_value(out, check, measure, &subject->readings[i]);
		say_state(out, measure, &subject->readings[i]);
	}
}

static void say_subject(FILE *out, const struct check *check,
			const struct checked *subject)
{
	if (subject->error.code != ARI_OK) {
		fprintf(out, "pid %ld: %s", (long)subject->pid, subject->error.message);
		return;
	}
	say_readings(out, check, subject);
	fprintf(out, " (%s, pid %ld)", subject->comm, (long)subject->pid);
}

/* Those that make the state what it is. */
static void say_worst(FILE *out, const struct check *check, enum plugin_state state)
{
	size_t worst = 0;

	for (size_t i = 0; i < check->subject_count; i++)
		worst += check->subjects[i].state == state;
	fprintf(out, "%zu of %zu processes: ", worst, check->subject_count);
	worst = 0;
	for (size_t i = 0; i < check->subject_count; i++) {
		if (check->subjects[i].state != state || ++worst > SUBJECTS_NAMED)
			continue;
		fputs(worst == 1 ? "" : "; ", out);
		say_subject(out, check, &check->subjects[i]);
	}
	if (worst > SUBJECTS_NAMED)
		fprintf(out, "; and %zu more", worst - SUBJECTS_NAMED);
}

static void write_text(FILE *out, const struct check *check, enum plugin_state state)
{
	if (check->subject_count == 1)
		say_subject(out, check, &check->subjects[0]);
	else if (state == PLUGIN_OK)
		fprintf(out, "%zu processes", check->subject_count);
	else
		say_worst(out, check, state);
}

/* ---- perfdata ---- */

/* What would end a label, or is used in one, becomes \xNN in the process's name. */
static void write_label(FILE *out, const struct check *check,
			const struct checked *subject, const struct measure *measure)
{
	putc('\'', out);
	if (!check->one_pid) {
		escape(out, subject->comm, true, "'=|#;");
		if (subject->nth > 1)
			fprintf(out, "#%u", subject->nth);
		putc('.', out);
	}
	fprintf(out, "%s'", measure->name);
}

static void write_number(FILE *out, const struct measure *measure,
			 const struct reading *reading)
{
	if (reading->young || isnan(reading->value.value)) {
		putc('U', out);
		return;
	}
	range_number(out, reading->value.value);
	if (measure->is.unit == ARI_UNIT_BYTES && !measure->growth)
		putc('B', out);
}

static void write_range(FILE *out, const char *asked, const struct range *range)
{
	putc(';', out);
	if (asked != NULL)
		range_write(out, range);
}

static void write_datum(FILE *out, const struct check *check,
			const struct checked *subject, size_t index)
{
	const struct measure *measure = &check->measures[index];

	write_label(out, check, subject, measure);
	putc('=', out);
	write_number(out, measure, &subject->readings[index]);
	write_range(out, measure->asked->warning, &measure->warning);
	write_range(out, measure->asked->critical, &measure->critical);
	if (!measure->growth)
		fputs(measure->is.unit == ARI_UNIT_SHARE ? ";0;1" : ";0", out);
}

static void write_perfdata(FILE *out, const struct check *check)
{
	const char *separator = "";

	for (size_t i = 0; i < check->subject_count; i++) {
		const struct checked *subject = &check->subjects[i];

		if (subject->error.code != ARI_OK)
			continue;
		for (size_t j = 0; j < check->measure_count; j++) {
			fputs(separator, out);
			write_datum(out, check, subject, j);
			separator = " ";
		}
	}
}

/* ---- the whole ---- */

/* One line per process; the bar would begin perfdata here, too. */
static bool write_more(FILE *out, const struct check *check)
{
	bool ascii = !locale_is_utf8();

	for (size_t i = 0; i < check->subject_count; i++) {
		const struct checked *subject = &check->subjects[i];
		char *line = NULL;
		size_t length;
		FILE *text = open_memstream(&line, &length);

		if (text == NULL)
			return false;
		say_subject(text, check, subject);
		if (fclose(text) == 0) {
			fprintf(out, "%s: ", plugin_state_name(subject->state));
			escape(out, line, ascii, "|");
			putc('\n', out);
		}
		free(line);
	}
	return true;
}

bool check_text_make(const struct check *check, enum plugin_state state,
		     struct check_text *ret, struct ari_error *err)
{
	size_t length;
	FILE *text = open_memstream(&ret->text, &length);
	FILE *perfdata = open_memstream(&ret->perfdata, &length);
	FILE *more = open_memstream(&ret->more, &length);
	bool whole = text != NULL && perfdata != NULL && more != NULL;

	if (whole) {
		write_text(text, check, state);
		write_perfdata(perfdata, check);
		whole = !check->verbose || write_more(more, check);
	}
	whole = (text == NULL || fclose(text) == 0) && whole;
	whole = (perfdata == NULL || fclose(perfdata) == 0) && whole;
	whole = (more == NULL || fclose(more) == 0) && whole;
	if (whole)
		return true;
	check_text_done(ret);
	return refuse_memory(err);
}

void check_text_done(struct check_text *text)
{
	free(text->text);
	free(text->perfdata);
	free(text->more);
	*text = (struct check_text){ 0 };
}
