// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "model/fields.h"
#include "snapshot/json.h"
#include "snapshot/stopped.h"

static void write_record(struct json *json, const char *key, const struct record *record,
			 const void *at);
static void write_field(struct json *json, const struct field *field, const void *at);

static void write_time(struct json *json, const char *key, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char date[32], text[64];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%09" PRIu64 "Z", date, ns % 1000000000u);
	json_string(json, key, text);
}

/* A uint64_t of any kind. */
static void write_number(struct json *json, const struct field *field, uint64_t value)
{
	if (value == ARI_UNKNOWN)
		json_null(json, field->key);
	else if (field->type == FIELD_ADDRESS)
		json_address(json, field->key, value);
	else if (field->type == FIELD_TIME)
		write_time(json, field->key, value);
	else if (field->type == FIELD_WORD)
		json_string(json, field->key, field->words->at[value]);
	else
		json_number(json, field->key, value);
}

static void write_signed(struct json *json, const char *key, int64_t value)
{
	if (value == INT64_MIN)
		json_null(json, key);
	else
		json_signed(json, key, value);
}

static void write_real(struct json *json, const char *key, double value)
{
	if (isnan(value))
		json_null(json, key);
	else
		json_real(json, key, value);
}

static void write_yesno(struct json *json, const char *key, enum ari_yesno value)
{
	if (value == ARI_MAYBE)
		json_null(json, key);
	else
		json_bool(json, key, value == ARI_YES);
}

static void write_records(struct json *json, const struct field *field,
			  const struct ari_list *list)
{
	json_open(json, field->key, '[');
	for (size_t i = 0; i < list->count; i++)
		write_record(json, NULL, field->record,
			     (const char *)list->at + i * field->record->bytes);
	json_close(json, ']');
}

/* A row's keys are its members' places. */
static void write_row(struct json *json, const struct record *record, const void *at)
{
	json_open_line(json, NULL);
	for (size_t i = 0; i < record->count; i++) {
		struct field field = record->fields[i];

		field.key = NULL;
		write_field(json, &field, (const char *)at + field.offset);
	}
	json_close_line(json);
}

static void write_rows(struct json *json, const struct field *field,
		       const struct ari_list *list)
{
	json_open(json, field->key, '[');
	for (size_t i = 0; i < list->count; i++)
		write_row(json, field->record,
			  (const char *)list->at + i * field->record->bytes);
	json_close(json, ']');
}

static void write_strings(struct json *json, const struct field *field,
			  const struct ari_list *list)
{
	char *const *at = list->at;

	json_open(json, field->key, '[');
	for (size_t i = 0; i < list->count; i++)
		json_string(json, NULL, at[i]);
	json_close(json, ']');
}

static void write_pairs(struct json *json, const struct field *field,
			const struct ari_list *list)
{
	const struct ari_variable *at = list->at;

	json_open(json, field->key, '{');
	for (size_t i = 0; i < list->count; i++)
		json_string(json, at[i].name, at[i].value);
	json_close(json, '}');
}

static void write_numbers(struct json *json, const struct field *field,
			  const struct ari_list *list)
{
	const struct ari_evidence *at = list->at;

	json_open(json, field->key, '{');
	for (size_t i = 0; i < list->count; i++)
		if (at[i].value == ARI_UNKNOWN)
			json_null(json, at[i].name);
		else
			json_number(json, at[i].name, at[i].value);
	json_close(json, '}');
}

static void write_list(struct json *json, const struct field *field,
		       const struct ari_list *list)
{
	static void (*const writers[])(struct json *, const struct field *,
				       const struct ari_list *) = {
		[FIELD_LIST] = write_records,	 [FIELD_ROWS] = write_rows,
		[FIELD_STRINGS] = write_strings, [FIELD_PAIRS] = write_pairs,
		[FIELD_NUMBERS] = write_numbers,
	};

	if (list->known)
		writers[field->type](json, field, list);
	else
		json_null(json, field->key);
}

static void write_field(struct json *json, const struct field *field, const void *at)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_ADDRESS:
	case FIELD_WORD:
	case FIELD_TIME:
		write_number(json, field, *(const uint64_t *)at);
		break;
	case FIELD_SIGNED:
		write_signed(json, field->key, *(const int64_t *)at);
		break;
	case FIELD_REAL:
		write_real(json, field->key, *(const double *)at);
		break;
	case FIELD_YESNO:
		write_yesno(json, field->key, *(const enum ari_yesno *)at);
		break;
	case FIELD_STRING:
	case FIELD_LITERAL:
		json_string(json, field->key, *(const char *const *)at);
		break;
	case FIELD_RECORD:
		write_record(json, field->key, field->record, at);
		break;
	case FIELD_LIST:
	case FIELD_ROWS:
	case FIELD_STRINGS:
	case FIELD_PAIRS:
	case FIELD_NUMBERS:
		write_list(json, field, at);
		break;
	}
}

static void write_fields(struct json *json, const struct record *record, const void *at)
{
	for (size_t i = 0; i < record->count; i++)
		write_field(json, &record->fields[i],
			    (const char *)at + record->fields[i].offset);
}

static void write_record(struct json *json, const char *key, const struct record *record,
			 const void *at)
{
	json_open(json, key, '{');
	write_fields(json, record, at);
	json_close(json, '}');
}

static void write_stopped(struct json *json, const struct ari_error *stopped)
{
	if (stopped->code == ARI_OK) {
		json_null(json, "stopped");
		return;
	}
	json_open(json, "stopped", '{');
	json_string(json, "reason", stopped_word(stopped->code));
	json_string(json, "message", stopped->message);
	json_close(json, '}');
}

static void open_document(struct json *json, const char *schema)
{
	json_open(json, NULL, '{');
	json_string(json, "schema", schema);
	json_open(json, "tool", '{');
	json_string(json, "name", "arenainspect");
	json_string(json, "version", ari_version());
	json_close(json, '}');
}

static bool close_document(struct json *json, struct ari_error *err)
{
	json_close(json, '}');
	if (fflush(json->out) != 0 || ferror(json->out))
		return fail(err, ARI_IO, "cannot write the document: %s",
			    strerror(errno));
	return true;
}

bool ari_model_write(const struct ari_model *model, FILE *out, struct ari_error *err)
{
	struct json json = { .out = out };

	open_document(&json, "arenainspect/1");
	write_fields(&json, &model_record, model);
	write_stopped(&json, &model->stopped);
	return close_document(&json, err);
}

bool ari_diff_write(const struct ari_diff *diff, FILE *out, struct ari_error *err)
{
	struct json json = { .out = out };

	open_document(&json, "arenainspect-diff/1");
	write_fields(&json, &diff_record, diff);
	return close_document(&json, err);
}

bool ari_scan_write(const struct ari_scan *scan, FILE *out, struct ari_error *err)
{
	struct json json = { .out = out };

	open_document(&json, "arenainspect-scan/1");
	write_fields(&json, &scan_record, scan);
	return close_document(&json, err);
}
