// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "model/fields.h"
#include "model/model.h"
#include "random.h"
#include "unit.h"

static const char *const texts[] = {
	"",
	"java",
	"a \"quoted\" \\ path",
	"\x1b]0;x\x07\n\t\x7f",
	"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", /* of two, three and four bytes */
	"\xef\xbf\xbd",
	"/usr/lib/x86_64-linux-gnu/libc.so.6",
};

static const char *const ids[] = { "top-astray", "TRIMMABLE", "an id of later", "x" };

#define PICK(array, seed) \
	((array)[unit_random(seed) % (sizeof(array) / sizeof(*(array)))])

static char *random_text(uint64_t *seed)
{
	char *text = strdup(PICK(texts, seed));

	must(text != NULL);
	return text;
}

/* Of every length; never the number that means "not known". */
static uint64_t random_number(uint64_t *seed)
{
	uint64_t number = unit_random(seed) >> unit_random(seed) % 64;

	return number == ARI_UNKNOWN ? 0 : number;
}

static void random_record(const struct record *record, void *at, uint64_t *seed);

static void random_element(const struct field *field, struct ari_list *list,
			   uint64_t *seed)
{
	struct ari_error err;
	bool of_records = field->type == FIELD_LIST || field->type == FIELD_ROWS;
	size_t bytes = of_records		      ? field->record->bytes
		       : field->type == FIELD_STRINGS ? sizeof(char *)
		       : field->type == FIELD_PAIRS   ? sizeof(struct ari_variable)
						      : sizeof(struct ari_evidence);
	void *at = list_grow(list, bytes, &err);
	char key[32];

	must(at != NULL);
	snprintf(key, sizeof(key), "KEY %zu", list->count);
	if (of_records) {
		record_clear(field->record, at);
		random_record(field->record, at, seed);
	} else if (field->type == FIELD_STRINGS) {
		*(char **)at = random_text(seed);
	} else if (field->type == FIELD_PAIRS) {
		*(struct ari_variable *)at =
			(struct ari_variable){ strdup(key), random_text(seed) };
	} else {
		*(struct ari_evidence *)at = (struct ari_evidence){
			ids[list->count % 4],
			unit_random(seed) % 4 == 0 ? ARI_UNKNOWN : random_number(seed)
		};
	}
}

static void random_list(const struct field *field, struct ari_list *list, uint64_t *seed)
{
	list->known = true;
	for (uint64_t n = unit_random(seed) % 4; n > 0; n--)
		random_element(field, list, seed);
}

static void random_field(const struct field *field, void *at, uint64_t *seed)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_ADDRESS:
		*(uint64_t *)at = random_number(seed);
		break;
	case FIELD_TIME:
		*(uint64_t *)at = unit_random(seed) >> 1;
		break;
	case FIELD_WORD:
		*(uint64_t *)at = unit_random(seed) % field->words->count;
		break;
	case FIELD_SIGNED:
		*(int64_t *)at = (int64_t)random_number(seed) / 2;
		break;
	case FIELD_REAL:
		*(double *)at = (double)(unit_random(seed) % 100000) / 100;
		break;
	case FIELD_YESNO:
		*(enum ari_yesno *)at = unit_random(seed) % 2 == 0 ? ARI_YES : ARI_NO;
		break;
	case FIELD_STRING:
		*(char **)at = random_text(seed);
		break;
	case FIELD_LITERAL:
		*(const char **)at = PICK(ids, seed);
		break;
	case FIELD_RECORD:
		random_record(field->record, at, seed);
		break;
	default:
		random_list(field, at, seed);
		break;
	}
}

static void random_record(const struct record *record, void *at, uint64_t *seed)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];
		bool always = field->type == FIELD_LITERAL || field->type == FIELD_RECORD;

		if (always || unit_random(seed) % 5 != 0)
			random_field(field, (char *)at + field->offset, seed);
	}
}

struct ari_model *random_model(uint64_t seed)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	must(model != NULL);
	random_record(&model_record, model, &seed);
	if (unit_random(&seed) % 4 == 0)
		model->stopped = (struct ari_error){ ARI_TIMED_OUT, ARI_UNKNOWN,
						     "the time is over" };
	return model;
}
