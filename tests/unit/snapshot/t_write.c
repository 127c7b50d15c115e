// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "model/fields.h"
#include "model/model.h"
#include "unit.h"

static struct ari_model *new_model(void)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	return model;
}

/* Takes the model; the text is for free(). */
static char *written(struct ari_model *model)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct ari_error err;

	ck_assert_ptr_nonnull(out);
	ck_works(ari_model_write(model, out, &err), &err);
	fclose(out);
	ari_model_free(model);
	return text;
}

/* ---- a strict reader of JSON, which only says whether it is ---- */

static bool skip_value(const char **at);

static void skip_space(const char **at)
{
	*at += strspn(*at, " \n\t\r");
}

static bool skip_string(const char **at)
{
	if (*(*at)++ != '"')
		return false;
	for (; **at != '"'; (*at)++) {
		if ((unsigned char)**at < 0x20)
			return false;
		if (**at != '\\')
			continue;
		(*at)++;
		if (**at == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)*++*at))
					return false;
		} else if (**at == '\0' || strchr("\"\\/bfnrt", **at) == NULL) {
			return false;
		}
	}
	(*at)++;
	return true;
}

static bool skip_number(const char **at)
{
	const char *digits;

	*at += **at == '-';
	digits = *at;
	*at += strspn(*at, "0123456789");
	if (*at == digits || (*digits == '0' && *at != digits + 1))
		return false;
	if (**at == '.') {
		digits = ++*at;
		*at += strspn(*at, "0123456789");
	}
	return *at != digits;
}

static bool skip_word(const char **at)
{
	static const char *const words[] = { "null", "true", "false" };

	for (size_t i = 0; i < 3; i++)
		if (strncmp(*at, words[i], strlen(words[i])) == 0) {
			*at += strlen(words[i]);
			return true;
		}
	return false;
}

static bool skip_members(const char **at, char bracket)
{
	skip_space(at);
	if (**at == bracket)
		return *(*at)++ != '\0';
	for (;;) {
		skip_space(at);
		if (bracket == '}') {
			if (!skip_string(at))
				return false;
			skip_space(at);
			if (*(*at)++ != ':')
				return false;
		}
		if (!skip_value(at))
			return false;
		skip_space(at);
		if (**at == bracket)
			return *(*at)++ != '\0';
		if (*(*at)++ != ',')
			return false;
	}
}

static bool skip_value(const char **at)
{
	skip_space(at);
	switch (**at) {
	case '{':
		(*at)++;
		return skip_members(at, '}');
	case '[':
		(*at)++;
		return skip_members(at, ']');
	case '"':
		return skip_string(at);
	case '-':
	case '0' ... '9':
		return skip_number(at);
	default:
		return skip_word(at);
	}
}

static void expect_json(const char *text)
{
	const char *at = text;
	bool is_json = skip_value(&at);

	ck_assert_msg(is_json, "not JSON from here: %.60s", at);
	skip_space(&at);
	ck_assert_msg(*at == '\0', "more behind the document: %.60s", at);
}

static void expect_in(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "lacks %s", part);
}

/* ---- */

TEST(reader_of_these_tests_is_strict)
{
	static const char *const bad[] = { "{",	    "[1,]", "{\"a\" 1}", "\"\n\"",
					   "01",    "nul",  "1.",	 "\"\\x\"",
					   "[1 2]", "-",    "\"\\u12",	 "" };

	expect_json("{\"a\": [1, -2.50, null, true, \"\\u00e4\\n\"], \"b\": {}}\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *at = bad[i];

		ck_assert_msg(!skip_value(&at), "takes %s", bad[i]);
	}
}

TEST(model_that_knows_nothing_is_nulls)
{
	char *text = written(new_model());

	expect_json(text);
	expect_in(text, " \"schema\": \"arenainspect/1\",\n \"tool\": {\n"
			"  \"name\": \"arenainspect\",\n");
	expect_in(text, "\"begun\": null");
	expect_in(text, "\"depth\": null");
	expect_in(text, "\"pid\": null");
	expect_in(text, "\"cpu_quota\": null");
	expect_in(text, "\"proof\": null");
	expect_in(text, "\"environment\": null");
	expect_in(text, "\"arenas\": null");
	expect_in(text, "\"consistent\": null");
	expect_in(text, "\"rss_difference_bytes\": null");
	ck_assert_ptr_null(strstr(text, "18446744073709551615"));
	ck_assert_ptr_null(strstr(text, "0xffffffffffffffff"));
	ck_assert_ptr_null(strstr(text, "nan"));
	free(text);
}

TEST(list_that_is_known_to_be_empty_is_not_null)
{
	struct ari_model *model = new_model();
	char *text;

	model->arenas.known = model->settings.environment.known = true;
	text = written(model);
	expect_in(text, "\"arenas\": []");
	expect_in(text, "\"environment\": {}");
	free(text);
}

static void expect_keys(const char *text, const struct record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		char key[64];

		snprintf(key, sizeof(key), "\"%s\": ", record->fields[i].key);
		expect_in(text, key);
		/* What is a row has no keys. */
		if (record->fields[i].record != NULL &&
		    record->fields[i].type != FIELD_ROWS)
			expect_keys(text, record->fields[i].record);
	}
}

TEST(model_that_knows_all_is_written_with_every_key)
{
	struct ari_model *model = new_model();
	char *text;

	unit_fill(model);
	model->stopped = (struct ari_error){ ARI_TIMED_OUT, 0, "the time is over" };
	text = written(model);
	expect_json(text);
	expect_in(text, " \"stopped\": {\n"
			"  \"reason\": \"timed-out\",\n"
			"  \"message\": \"the time is over\"\n }");
	expect_keys(text, &model_record);
	ck_assert_ptr_null(strstr(text, "null"));
	free(text);
}

TEST(arena_is_written_in_the_words_of_the_document)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);
	char *text;

	arena->index = 0;
	arena->address = 0x7F0000000c60;
	arena->kind = ARI_ARENA_MAIN;
	arena->idle = ARI_NO;
	arena->locked = ARI_YES;
	arena->state = ARI_STATE_BUSY;
	arena->system_bytes = 0;
	arena->last_remainder = 0;
	ck_works(model_add_damage(arena, TOP_ASTRAY, 16, &err), &err);
	text = written(model);
	expect_in(text, "   \"index\": 0,\n"
			"   \"address\": \"0x7f0000000c60\",\n"
			"   \"kind\": \"main\",\n"
			"   \"attached_threads\": null,\n"
			"   \"idle\": false,\n"
			"   \"locked\": true,\n"
			"   \"state\": \"busy\",\n"
			"   \"system_bytes\": 0,\n"
			"   \"max_system_bytes\": null,\n");
	expect_in(text, "   \"top\": {\n"
			"    \"address\": null,\n"
			"    \"bytes\": null,\n"
			"    \"resident_bytes\": null\n"
			"   },\n"
			"   \"last_remainder\": \"0x0\",\n"
			"   \"bins\": null,\n");
	expect_in(text, "   \"damage\": [\n"
			"    {\n"
			"     \"id\": \"top-astray\",\n"
			"     \"address\": \"0x10\",\n");
	expect_json(text);
	free(text);
}

TEST(time_is_utc_to_the_nanosecond)
{
	struct ari_model *model = new_model();
	char *text;

	setenv("TZ", "XXX-5:30", 1);
	model->taken.begun_ns = UINT64_C(1700000000) * 1000000000 + 42;
	model->taken.ended_ns = 0;
	text = written(model);
	expect_in(text, "\"begun\": \"2023-11-14T22:13:20.000000042Z\"");
	expect_in(text, "\"ended\": \"1970-01-01T00:00:00.000000000Z\"");
	free(text);
}

TEST(hostile_strings_of_the_target_are_escaped)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_variable *variable = list_add(&model->settings.environment, &err);
	char *text;

	ck_works(model_set_string(&model->process.comm, "\"}\x1b]0;x\x07\xff\n", &err),
		 &err);
	ck_works(model_set_string(&variable->name, "MALLOC_\"", &err), &err);
	ck_works(model_set_string(&variable->value, "\xed\xa0\x80", &err), &err);
	text = written(model);
	expect_json(text);
	expect_in(text, "\"comm\": \"\\\"}\\u001b]0;x\\u0007\\ufffd\\u000a\"");
	expect_in(text, "\"MALLOC_\\\"\": \"\\ufffd\\ufffd\\ufffd\"");
	free(text);
}

TEST(stream_that_cannot_be_written_is_an_error)
{
	struct ari_model *model = new_model();
	FILE *full = fopen("/dev/full", "w");
	struct ari_error err;

	ck_assert_ptr_nonnull(full);
	setvbuf(full, NULL, _IONBF, 0);
	ck_fails(ari_model_write(model, full, &err), &err, ARI_IO);
	fclose(full);
	ari_model_free(model);
}

/* A document that fits a buffer of stdio fails no later than one that does not. */
TEST(stream_that_fails_at_its_end_is_an_error_too)
{
	struct ari_model *model = new_model();
	FILE *full = fopen("/dev/full", "w");
	struct ari_error err;

	ck_assert_ptr_nonnull(full);
	setvbuf(full, NULL, _IOFBF, 1 << 20);
	ck_fails(ari_model_write(model, full, &err), &err, ARI_IO);
	fclose(full);
	ari_model_free(model);
}

UNIT_MAIN("snapshot/write", reader_of_these_tests_is_strict,
	  model_that_knows_nothing_is_nulls, list_that_is_known_to_be_empty_is_not_null,
	  model_that_knows_all_is_written_with_every_key,
	  arena_is_written_in_the_words_of_the_document, time_is_utc_to_the_nanosecond,
	  hostile_strings_of_the_target_are_escaped,
	  stream_that_cannot_be_written_is_an_error,
	  stream_that_fails_at_its_end_is_an_error_too)
