// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "model/fields.h"
#include "unit.h"

/* Under AddressSanitizer, too, a request that cannot be met returns NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int unit_run(const char *module, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(module);
	TCase *tcase = tcase_create(module);
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

uint64_t unit_random(uint64_t *seed)
{
	uint64_t value = *seed += 0x9e3779b97f4a7c15u; /* splitmix64 */

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

static void *add_element(struct ari_list *list, size_t bytes)
{
	struct ari_error err;
	void *at = list_grow(list, bytes, &err);

	must(at != NULL);
	return at;
}

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	must(copy != NULL);
	return copy;
}

static void fill_record(const struct record *record, void *at, uint64_t *count);

static void fill_list(const struct field *field, struct ari_list *list, uint64_t *count)
{
	for (int i = 0; i < 2; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s %d", field->key, i);
		if (field->type == FIELD_LIST || field->type == FIELD_ROWS)
			fill_record(field->record,
				    add_element(list, field->record->bytes), count);
		else if (field->type == FIELD_STRINGS)
			*(char **)add_element(list, sizeof(char *)) = copy_of(field->key);
		else if (field->type == FIELD_PAIRS)
			*(struct ari_variable *)add_element(list,
							    sizeof(struct ari_variable)) =
				(struct ari_variable){ copy_of(key), copy_of("value") };
		else
			*(struct ari_evidence *)add_element(list,
							    sizeof(struct ari_evidence)) =
				(struct ari_evidence){ i == 0 ? "first" : "second",
						       ++*count };
	}
}

static void fill_field(const struct field *field, void *at, uint64_t *count)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_ADDRESS:
	case FIELD_TIME:
		*(uint64_t *)at = ++*count;
		break;
	case FIELD_WORD:
		*(uint64_t *)at = field->words->count - 1;
		break;
	case FIELD_SIGNED:
		*count += 1;
		*(int64_t *)at = 0 - (int64_t)*count;
		break;
	case FIELD_REAL:
		*(double *)at = 1.5;
		break;
	case FIELD_YESNO:
		*(enum ari_yesno *)at = ARI_YES;
		break;
	case FIELD_STRING:
		*(char **)at = copy_of(field->key);
		break;
	case FIELD_LITERAL:
		*(const char **)at = field->key;
		break;
	case FIELD_RECORD:
		fill_record(field->record, at, count);
		break;
	default:
		fill_list(field, at, count);
		break;
	}
}

static void fill_record(const struct record *record, void *at, uint64_t *count)
{
	for (size_t i = 0; i < record->count; i++)
		fill_field(&record->fields[i], (char *)at + record->fields[i].offset,
			   count);
}

void unit_fill(struct ari_model *model)
{
	uint64_t count = 0;

	fill_record(&model_record, model, &count);
}
