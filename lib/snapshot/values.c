// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/list.h"
#include "model/model.h"
#include "snapshot/values.h"

/* More different ids and names than that are in no document. */
#define WORDS_MOST 256

/* Processors; what the writer takes is far more. */
#define REAL_MOST 1e9

typedef bool take_fn(struct reader *reader, const struct field *field,
		     struct json_object *value, void *at, struct ari_error *err);

static bool wrong(struct reader *reader, const struct field *field, const char *wanted,
		  struct ari_error *err)
{
	return parse_bad(&reader->parse, err, "\"%s\" is not %s", field->key, wanted);
}

/* Before the model grows by so many bytes. */
static bool spend(struct reader *reader, size_t bytes, struct ari_error *err)
{
	if (bytes > reader->room)
		return parse_bad(&reader->parse, err, "more than a model may hold");
	reader->room -= bytes;
	return true;
}

/* ---- numbers ---- */

static bool number_of(struct json_object *value, uint64_t *ret)
{
	if (!json_object_is_type(value, json_type_int) ||
	    json_object_get_int64(value) < 0)
		return false;
	*ret = json_object_get_uint64(value);
	return *ret != ARI_UNKNOWN;
}

static bool take_number(struct reader *reader, const struct field *field,
			struct json_object *value, void *at, struct ari_error *err)
{
	return number_of(value, at) ||
	       wrong(reader, field, "a number of 0 or more, below 2^64 - 1", err);
}

static bool take_signed(struct reader *reader, const struct field *field,
			struct json_object *value, void *at, struct ari_error *err)
{
	bool is_int = json_object_is_type(value, json_type_int);
	int64_t number = json_object_get_int64(value);

	/* json-c keeps what is out of range as the limit. */
	if (!is_int || number == INT64_MIN || number == INT64_MAX)
		return wrong(reader, field, "a number of 64 bits", err);
	*(int64_t *)at = number;
	return true;
}

static bool take_real(struct reader *reader, const struct field *field,
		      struct json_object *value, void *at, struct ari_error *err)
{
	bool is_number = json_object_is_type(value, json_type_int) ||
			 json_object_is_type(value, json_type_double);
	double number = json_object_get_double(value);

	if (!is_number || !(number >= 0 && number <= REAL_MOST))
		return wrong(reader, field, "a number from 0 to 1e9", err);
	*(double *)at = number;
	return true;
}

static bool take_yesno(struct reader *reader, const struct field *field,
		       struct json_object *value, void *at, struct ari_error *err)
{
	if (!json_object_is_type(value, json_type_boolean))
		return wrong(reader, field, "true or false", err);
	*(enum ari_yesno *)at = json_object_get_boolean(value) ? ARI_YES : ARI_NO;
	return true;
}

/* ---- texts ---- */

bool value_text(struct json_object *value, const char **ret)
{
	if (!json_object_is_type(value, json_type_string))
		return false;
	*ret = json_object_get_string(value);
	return strlen(*ret) == (size_t)json_object_get_string_len(value); /* no \u0000 */
}

static bool text_of(struct reader *reader, const struct field *field,
		    struct json_object *value, const char **ret, struct ari_error *err)
{
	return value_text(value, ret) ||
	       wrong(reader, field, "a string without NUL", err);
}

static bool copy_text(struct reader *reader, const char *text, char **slot,
		      struct ari_error *err)
{
	return spend(reader, strlen(text) + 1, err) && model_set_string(slot, text, err);
}

static bool take_string(struct reader *reader, const struct field *field,
			struct json_object *value, void *at, struct ari_error *err)
{
	const char *text;

	return text_of(reader, field, value, &text, err) &&
	       copy_text(reader, text, at, err);
}

static bool take_address(struct reader *reader, const struct field *field,
			 struct json_object *value, void *at, struct ari_error *err)
{
	static const char digits[] = "0123456789abcdef";
	const char *text;
	uint64_t address;

	if (!text_of(reader, field, value, &text, err))
		return false;
	if (strncmp(text, "0x", 2) != 0 || strlen(text) < 3 || strlen(text) > 18 ||
	    text[2 + strspn(text + 2, digits)] != '\0')
		return wrong(reader, field, "an address, as \"0x7f00\"", err);
	address = strtoull(text, NULL, 16);
	if (address == ARI_UNKNOWN)
		return wrong(reader, field, "an address below 2^64 - 1", err);
	*(uint64_t *)at = address;
	return true;
}

static bool take_word(struct reader *reader, const struct field *field,
		      struct json_object *value, void *at, struct ari_error *err)
{
	const char *text;

	if (!text_of(reader, field, value, &text, err))
		return false;
	for (size_t i = 0; i < field->words->count; i++)
		if (strcmp(field->words->at[i], text) == 0)
			*(uint64_t *)at = i;
	return true; /* a later release's word is not known here */
}

/* "0".."9" where the pattern has a d, else the same byte. */
static bool matches(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; text++, pattern++)
		if (*pattern == 'd' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return true;
}

/* ".5Z" to nanoseconds. */
static bool fraction_of(const char *text, uint64_t *ret)
{
	uint64_t ns = 0, unit = 1000000000;

	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
			unit /= 10;
			ns += (uint64_t)(*text - '0') * unit;
		}
	}
	*ret = ns;
	return strcmp(text, "Z") == 0;
}

static bool time_of(const char *text, uint64_t *ret)
{
	struct tm utc = { 0 }, again;
	uint64_t ns;
	time_t seconds;

	if (!matches(text, "dddd-dd-ddTdd:dd:dd") || !fraction_of(text + 19, &ns) ||
	    sscanf(text, "%d-%d-%dT%d:%d:%d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec) != 6)
		return false;
	utc.tm_year -= 1900;
	utc.tm_mon--;
	again = utc;
	seconds = timegm(&again);
	/* timegm() makes March of the 30th of February. */
	if (seconds < 0 || again.tm_mday != utc.tm_mday || again.tm_mon != utc.tm_mon ||
	    again.tm_hour != utc.tm_hour || again.tm_min != utc.tm_min)
		return false;
	return !__builtin_mul_overflow((uint64_t)seconds, UINT64_C(1000000000), ret) &&
	       !__builtin_add_overflow(*ret, ns, ret);
}

static bool take_time(struct reader *reader, const struct field *field,
		      struct json_object *value, void *at, struct ari_error *err)
{
	const char *text;
	uint64_t ns;

	if (!text_of(reader, field, value, &text, err))
		return false;
	if (!time_of(text, &ns) || ns == ARI_UNKNOWN)
		return wrong(reader, field, "a time of RFC 3339, in UTC", err);
	*(uint64_t *)at = ns;
	return true;
}

/* The model's own copy of an id or a name, one for all that are the same. */
static bool word_of(struct reader *reader, const char *text, const char **ret,
		    struct ari_error *err)
{
	struct ari_model *model = reader->model;
	char **slot;

	for (size_t i = 0; i < model->words.count; i++) {
		if (strcmp(model->words.at[i], text) == 0) {
			*ret = model->words.at[i];
			return true;
		}
	}
	if (model->words.count == WORDS_MOST)
		return parse_bad(&reader->parse, err, "more than %d different ids",
				 WORDS_MOST);
	slot = list_add(&model->words, err);
	if (slot == NULL || !copy_text(reader, text, slot, err))
		return false;
	*ret = *slot;
	return true;
}

static bool take_literal(struct reader *reader, const struct field *field,
			 struct json_object *value, void *at, struct ari_error *err)
{
	const char *text;

	return text_of(reader, field, value, &text, err) &&
	       word_of(reader, text, at, err);
}

/* ---- lists of texts and numbers ---- */

/* One element more; a list that is met twice is refused before. */
static void *grow(struct reader *reader, struct ari_list *list, size_t bytes,
		  struct ari_error *err)
{
	return spend(reader, bytes, err) ? list_grow(list, bytes, err) : NULL;
}

/* The value is an array or an object, as it should be, and the first for this list. */
static bool begin_list(struct reader *reader, const struct field *field,
		       struct json_object *value, enum json_type type,
		       struct ari_list *list, struct ari_error *err)
{
	if (!json_object_is_type(value, type))
		return wrong(reader, field,
			     type == json_type_array ? "an array" : "an object", err);
	if (list->known)
		return wrong(reader, field, "there once", err);
	list->known = true;
	return true;
}

static bool take_strings(struct reader *reader, const struct field *field,
			 struct json_object *value, void *at, struct ari_error *err)
{
	if (!begin_list(reader, field, value, json_type_array, at, err))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		char **slot = grow(reader, at, sizeof(*slot), err);

		if (slot == NULL ||
		    !take_string(reader, field, json_object_array_get_idx(value, i), slot,
				 err))
			return false;
	}
	return true;
}

static bool take_pairs(struct reader *reader, const struct field *field,
		       struct json_object *value, void *at, struct ari_error *err)
{
	if (!begin_list(reader, field, value, json_type_object, at, err))
		return false;
	json_object_object_foreach (value, key, text) {
		struct ari_variable *variable = grow(reader, at, sizeof(*variable), err);

		if (variable == NULL || !copy_text(reader, key, &variable->name, err) ||
		    !take_string(reader, field, text, &variable->value, err))
			return false;
	}
	return true;
}

static bool take_numbers(struct reader *reader, const struct field *field,
			 struct json_object *value, void *at, struct ari_error *err)
{
	if (!begin_list(reader, field, value, json_type_object, at, err))
		return false;
	json_object_object_foreach (value, key, number) {
		struct ari_evidence *evidence = grow(reader, at, sizeof(*evidence), err);

		if (evidence == NULL || !word_of(reader, key, &evidence->name, err))
			return false;
		evidence->value = ARI_UNKNOWN;
		if (number != NULL &&
		    !take_number(reader, field, number, &evidence->value, err))
			return false;
	}
	return true;
}

/* ---- records ---- */

static bool take_record(struct reader *reader, const struct field *field,
			struct json_object *value, void *at, struct ari_error *err)
{
	const struct record *record = field->record;

	if (!json_object_is_type(value, json_type_object))
		return wrong(reader, field, "an object", err);
	for (size_t i = 0; i < record->count; i++) {
		const struct field *inner = &record->fields[i];
		struct json_object *part = NULL;

		json_object_object_get_ex(value, inner->key, &part);
		if (!value_take(reader, inner, part, (char *)at + inner->offset, err))
			return false;
	}
	return true;
}

/* What a later release has added stands behind what this one knows. */
static bool take_row(struct reader *reader, const struct field *field,
		     struct json_object *value, void *at, struct ari_error *err)
{
	const struct record *record = field->record;

	if (!json_object_is_type(value, json_type_array) ||
	    json_object_array_length(value) < record->count)
		return wrong(reader, field, "a list of rows", err);
	for (size_t i = 0; i < record->count; i++) {
		const struct field *inner = &record->fields[i];

		if (!value_take(reader, inner, json_object_array_get_idx(value, i),
				(char *)at + inner->offset, err))
			return false;
	}
	return true;
}

bool value_take(struct reader *reader, const struct field *field,
		struct json_object *value, void *at, struct ari_error *err)
{
	static take_fn *const takers[] = {
		[FIELD_NUMBER] = take_number,	[FIELD_SIGNED] = take_signed,
		[FIELD_REAL] = take_real,	[FIELD_ADDRESS] = take_address,
		[FIELD_YESNO] = take_yesno,	[FIELD_WORD] = take_word,
		[FIELD_TIME] = take_time,	[FIELD_STRING] = take_string,
		[FIELD_LITERAL] = take_literal, [FIELD_RECORD] = take_record,
		[FIELD_STRINGS] = take_strings, [FIELD_PAIRS] = take_pairs,
		[FIELD_NUMBERS] = take_numbers, [FIELD_ROWS] = take_row,
	};

	return value == NULL || takers[field->type](reader, field, value, at, err);
}

void *value_add(struct reader *reader, const struct record *record, struct ari_list *list,
		struct ari_error *err)
{
	void *at = grow(reader, list, record->bytes, err);

	if (at != NULL)
		record_clear(record, at);
	return at;
}

bool value_whole(struct reader *reader, const struct record *record, const void *at,
		 struct ari_error *err)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];
		const char *const *text =
			(const void *)((const char *)at + field->offset);

		if (field->type == FIELD_LITERAL && *text == NULL)
			return parse_bad(&reader->parse, err, "an element without \"%s\"",
					 field->key);
	}
	return true;
}
