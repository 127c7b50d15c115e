// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "model/model.h"
#include "unit.h"

static void expect_unknown(const struct record *record, const void *at);

static void expect_field_unknown(const struct field *field, const void *at)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_ADDRESS:
	case FIELD_WORD:
	case FIELD_TIME:
		ck_assert_msg(*(const uint64_t *)at == ARI_UNKNOWN, "%s", field->key);
		break;
	case FIELD_SIGNED:
		ck_assert_msg(*(const int64_t *)at == INT64_MIN, "%s", field->key);
		break;
	case FIELD_REAL:
		ck_assert_msg(isnan(*(const double *)at), "%s", field->key);
		break;
	case FIELD_YESNO:
		ck_assert_msg(*(const enum ari_yesno *)at == ARI_MAYBE, "%s", field->key);
		break;
	case FIELD_STRING:
	case FIELD_LITERAL:
		ck_assert_msg(*(char *const *)at == NULL, "%s", field->key);
		break;
	case FIELD_RECORD:
		expect_unknown(field->record, at);
		break;
	default:
		ck_assert_msg(!((const struct ari_list *)at)->known, "%s", field->key);
		ck_assert_msg(((const struct ari_list *)at)->count == 0, "%s",
			      field->key);
		break;
	}
}

static void expect_unknown(const struct record *record, const void *at)
{
	for (size_t i = 0; i < record->count; i++)
		expect_field_unknown(&record->fields[i],
				     (const char *)at + record->fields[i].offset);
}

TEST(record_that_is_cleared_knows_nothing)
{
	struct ari_model model;

	memset(&model, 0x5a, sizeof(model));
	record_clear(&model_record, &model);
	expect_unknown(&model_record, &model);
}

TEST(new_model_knows_nothing_and_was_not_stopped)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	expect_unknown(&model_record, model);
	ck_assert_int_eq(model->stopped.code, ARI_OK);
	ari_model_free(model);
}

static size_t bytes_of(const struct field *field)
{
	switch (field->type) {
	case FIELD_YESNO:
		return sizeof(enum ari_yesno);
	case FIELD_RECORD:
		return field->record->bytes;
	case FIELD_LIST:
	case FIELD_ROWS:
	case FIELD_STRINGS:
	case FIELD_PAIRS:
	case FIELD_NUMBERS:
		return sizeof(struct ari_list);
	default:
		return 8;
	}
}

/* A member of a struct that has no row would be neither cleared nor written. */
static void expect_no_gaps(const struct record *record, size_t until, const char *name)
{
	size_t at = 0;

	for (size_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		ck_assert_msg(field->offset >= at && field->offset - at < 8,
			      "%s: a member in front of %s has no row", name, field->key);
		at = field->offset + bytes_of(field);
		if (field->record != NULL)
			expect_no_gaps(field->record, field->record->bytes, field->key);
	}
	ck_assert_msg(until >= at && until - at < 8, "%s: its last member has no row",
		      name);
}

TEST(every_member_of_the_model_has_a_row)
{
	expect_no_gaps(&model_record, offsetof(struct ari_model, stopped), "model");
}

TEST(every_member_of_a_diff_has_a_row)
{
	expect_no_gaps(&diff_record, sizeof(struct ari_diff), "diff");
}

static void expect_distinct_keys(const struct record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		for (size_t j = i + 1; j < record->count; j++)
			ck_assert_str_ne(field->key, record->fields[j].key);
		ck_assert_int_eq(field->type == FIELD_WORD, field->words != NULL);
		ck_assert_int_eq(field->type == FIELD_RECORD ||
					 field->type == FIELD_LIST ||
					 field->type == FIELD_ROWS,
				 field->record != NULL);
		if (field->record != NULL)
			expect_distinct_keys(field->record);
	}
}

TEST(keys_of_a_record_are_distinct)
{
	expect_distinct_keys(&model_record);
	expect_distinct_keys(&diff_record);
}

/* Under a leak checker this says that all was freed, once. */
TEST(model_owns_all_it_points_to)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	unit_fill(model);
	ck_assert_str_eq(model->process.cgroup.path, "path");
	ck_assert_uint_eq(model->arenas.count, 2);
	ck_assert_uint_eq(model->arenas.at[1].heaps.at[1].pins.count, 2);
	ari_model_free(model);
}

TEST(no_model_can_be_freed)
{
	ari_model_free(NULL);
}

TEST(every_value_of_an_enum_has_its_word_and_others_none)
{
	ck_assert_str_eq(ari_depth_name(ARI_DEPTH_PAGES), "pages");
	ck_assert_str_eq(ari_symbol_source_name(ARI_SYMBOLS_SEARCH), "search");
	ck_assert_str_eq(ari_layout_source_name(ARI_LAYOUT_TABLE), "table");
	ck_assert_str_eq(ari_limit_source_name(ARI_LIMIT_NOT_COMPUTED), "not-computed");
	ck_assert_str_eq(ari_memory_kind_name(ARI_MEMORY_SHARED), "shared");
	ck_assert_str_eq(ari_bin_kind_name(ARI_BIN_LARGE), "large");
	ck_assert_str_eq(ari_arena_kind_name(ARI_ARENA_MAIN), "main");
	ck_assert_str_eq(ari_arena_kind_name(ARI_ARENA_THREAD), "thread");
	ck_assert_str_eq(ari_arena_state_name(ARI_STATE_TORN), "torn");
	ck_assert_str_eq(ari_severity_name(ARI_SEVERITY_WARNING), "warning");
	ck_assert_ptr_null(ari_arena_state_name(ARI_STATE_TORN + 1));
	ck_assert_ptr_null(ari_depth_name(ARI_UNKNOWN));
}

UNIT_MAIN("model/fields", record_that_is_cleared_knows_nothing,
	  new_model_knows_nothing_and_was_not_stopped,
	  every_member_of_the_model_has_a_row, every_member_of_a_diff_has_a_row,
	  keys_of_a_record_are_distinct, model_owns_all_it_points_to,
	  no_model_can_be_freed, every_value_of_an_enum_has_its_word_and_others_none)
