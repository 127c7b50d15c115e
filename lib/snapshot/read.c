// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "model/model.h"
#include "snapshot/stopped.h"
#include "snapshot/values.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define SCHEMA "arenainspect/1"

/* A model of the largest process there is takes a tenth of it. */
#define MODEL_MOST (UINT64_C(256) << 20)

/* What every document of this schema has; without it a file is something else. */
static const char *const parts[] = { "schema", "taken", "process", "arenas" };

/* Where in the model the members, or the elements, of what is being read go. */
struct place {
	struct reader *reader;
	const struct field *field; /* a record, or a list of them */
	void *at;
};

static bool read_field(struct reader *reader, const struct field *field, void *at,
		       struct ari_error *err);

/* json-c takes these whole; what holds lists is walked. */
static bool has_lists(const struct record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		if (field->type == FIELD_LIST || field->type == FIELD_ROWS ||
		    (field->type == FIELD_RECORD && has_lists(field->record)))
			return true;
	}
	return false;
}

static const struct field *find_field(const struct record *record, const char *key)
{
	for (size_t i = 0; i < record->count; i++)
		if (strcmp(record->fields[i].key, key) == 0)
			return &record->fields[i];
	return NULL;
}

/* A member that this release does not know is a later one's. */
static bool read_member(struct parse *parse, void *data, const char *key,
			struct ari_error *err)
{
	const struct place *place = data;
	const struct field *field = find_field(place->field->record, key);

	if (field == NULL)
		return parse_skip(parse, err);
	return read_field(place->reader, field, (char *)place->at + field->offset, err);
}

static bool read_value(struct reader *reader, const struct field *field, void *at,
		       struct ari_error *err)
{
	struct json_object *value;
	bool done;

	if (!parse_value(&reader->parse, &value, err))
		return false;
	done = value_take(reader, field, value, at, err);
	json_object_put(value);
	return done;
}

/* field  of the record, or of the list that the record is an element of */
static bool read_record(struct reader *reader, const struct field *field, void *at,
			struct ari_error *err)
{
	struct place place = { reader, field, at };
	struct field whole = *field;

	if (has_lists(field->record))
		return parse_members(&reader->parse, read_member, &place, err);
	whole.type = FIELD_RECORD;
	return read_value(reader, &whole, at, err);
}

static bool read_element(struct parse *parse, void *data, struct ari_error *err)
{
	const struct place *list = data;
	const struct record *record = list->field->record;
	void *at = value_add(list->reader, record, list->at, err);

	(void)parse;
	if (at == NULL)
		return false;
	if (list->field->type == FIELD_ROWS)
		return read_value(list->reader, list->field, at, err);
	return read_record(list->reader, list->field, at, err) &&
	       value_whole(list->reader, record, at, err);
}

static bool read_list(struct reader *reader, const struct field *field,
		      struct ari_list *list, struct ari_error *err)
{
	struct place place = { reader, field, list };

	if (list->known)
		return parse_bad(&reader->parse, err, "\"%s\" is there twice",
				 field->key);
	list->known = true;
	return parse_elements(&reader->parse, read_element, &place, err);
}

static bool read_field(struct reader *reader, const struct field *field, void *at,
		       struct ari_error *err)
{
	char next = '\0';

	if (!parse_peek(&reader->parse, &next, err))
		return false;
	if (next == 'n') /* null, or not JSON */
		return parse_skip(&reader->parse, err);
	if (field->type == FIELD_LIST || field->type == FIELD_ROWS)
		return read_list(reader, field, at, err);
	if (field->type == FIELD_RECORD)
		return read_record(reader, field, at, err);
	return read_value(reader, field, at, err);
}

/* ---- the document ---- */

static bool check_schema(struct reader *reader, struct json_object *value,
			 struct ari_error *err)
{
	const char *schema;

	if (!value_text(value, &schema))
		return parse_bad(&reader->parse, err, "not a snapshot: no schema");
	if (strcmp(schema, SCHEMA) == 0)
		return true;
	return parse_bad(&reader->parse, err,
			 "its schema is '%.40s': a snapshot has " SCHEMA
			 ", a later release may read others",
			 schema);
}

static bool take_stopped(struct reader *reader, struct json_object *value,
			 struct ari_error *err)
{
	struct json_object *reason = NULL, *message = NULL;
	const char *word, *text;

	if (value == NULL)
		return true;
	if (!json_object_is_type(value, json_type_object))
		return parse_bad(&reader->parse, err, "\"stopped\" is not an object");
	json_object_object_get_ex(value, "reason", &reason);
	json_object_object_get_ex(value, "message", &message);
	if (!value_text(reason, &word) || !value_text(message, &text))
		return parse_bad(&reader->parse, err,
				 "\"stopped\" has no reason or no message");
	fail(&reader->model->stopped, stopped_code(word), "%s", text);
	return true;
}

static bool take_own(struct reader *reader, const char *key, struct json_object *value,
		     struct ari_error *err)
{
	return strcmp(key, "schema") == 0 ? check_schema(reader, value, err)
					  : take_stopped(reader, value, err);
}

/* What the document has besides the model's members. */
static bool read_own(struct reader *reader, const char *key, struct ari_error *err)
{
	struct json_object *value;
	bool done;

	if (!parse_value(&reader->parse, &value, err))
		return false;
	done = take_own(reader, key, value, err);
	json_object_put(value);
	return done;
}

static bool read_part(struct parse *parse, void *data, const char *key,
		      struct ari_error *err)
{
	const struct place *place = data;

	for (size_t i = 0; i < COUNT(parts); i++)
		if (strcmp(parts[i], key) == 0)
			place->reader->parts |= 1u << i;
	if (strcmp(key, "schema") == 0 || strcmp(key, "stopped") == 0)
		return read_own(place->reader, key, err);
	return read_member(parse, data, key, err);
}

static bool check_parts(const struct reader *reader, struct ari_error *err)
{
	for (size_t i = 0; i < COUNT(parts); i++)
		if ((reader->parts & 1u << i) == 0)
			return parse_bad(&reader->parse, err, "not a snapshot: no \"%s\"",
					 parts[i]);
	return true;
}

static bool read_document(struct reader *reader, struct ari_error *err)
{
	static const struct field whole = { "document", FIELD_RECORD, 0, &model_record,
					    NULL };
	struct place place = { reader, &whole, reader->model };
	char next = '\0';

	if (!parse_peek(&reader->parse, &next, err))
		return false;
	if (next != '{')
		return parse_bad(&reader->parse, err,
				 "not a snapshot: it does not begin with '{'");
	return parse_members(&reader->parse, read_part, &place, err) &&
	       parse_end(&reader->parse, err) && check_parts(reader, err);
}

bool ari_model_read(const char *file, struct ari_model **ret, struct ari_error *err)
{
	struct reader reader = { .room = MODEL_MOST };
	bool done;

	if (!parse_open(&reader.parse, file, err))
		return false;
	reader.model = model_new(err);
	done = reader.model != NULL && read_document(&reader, err);
	parse_close(&reader.parse);
	if (done)
		*ret = reader.model;
	else
		ari_model_free(reader.model);
	return done;
}
