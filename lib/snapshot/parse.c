// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "snapshot/parse.h"
#include "snapshot/utf8.h"

#define DEPTH_MOST 32
#define VALUE_MOST (1u << 20)

#define STRICT_IS_BROKEN ((0 << 16) | (18 << 8) | 0)

/*
 * json-c 0.18 (Debian 13) takes bytes above ASCII for control characters when it is to be
 * strict: there it is not, and lets NaN, 01 and the like pass.
 */
static int strict(void)
{
	return json_c_version_num() == STRICT_IS_BROKEN ? 0 : JSON_TOKENER_STRICT;
}

bool parse_open(struct parse *ret, const char *file, struct ari_error *err)
{
	struct parse parse = { .tokener = json_tokener_new_ex(DEPTH_MOST) };

	if (parse.tokener == NULL)
		return fail_memory(err);
	if (!input_open(&parse.input, file, err)) {
		json_tokener_free(parse.tokener);
		return false;
	}
	/* Strict about all but what follows a value: the rest of the document does. */
	json_tokener_set_flags(parse.tokener,
			       strict() | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	*ret = parse;
	return true;
}

void parse_close(struct parse *parse)
{
	json_tokener_free(parse->tokener);
	input_close(&parse->input);
}

bool parse_bad(const struct parse *parse, struct ari_error *err, const char *format, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	return fail(err, ARI_IO, "cannot read %s: %s (at byte %" PRIu64 ")",
		    parse->input.name, why, parse->input.passed + parse->input.at);
}

/* Makes the window hold something; at the end of the file it stays empty. */
static bool look(struct parse *parse, struct ari_error *err)
{
	return parse->input.at < parse->input.count || input_more(&parse->input, err);
}

static bool cut_off(const struct parse *parse, struct ari_error *err)
{
	return parse_bad(parse, err, "the document ends in its midst");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* *ret NUL at the end of the file. */
static bool pass_space(struct parse *parse, char *ret, struct ari_error *err)
{
	struct input *input = &parse->input;

	for (;;) {
		if (!look(parse, err))
			return false;
		while (input->at < input->count && is_space(input->text[input->at]))
			input->at++;
		if (input->at < input->count || input->count == 0)
			break;
	}
	*ret = input->count == 0 ? '\0' : input->text[input->at];
	return true;
}

bool parse_peek(struct parse *parse, char *ret, struct ari_error *err)
{
	char next = '\0';

	if (!pass_space(parse, &next, err))
		return false;
	if (next == '\0')
		return cut_off(parse, err);
	*ret = next;
	return true;
}

bool parse_end(struct parse *parse, struct ari_error *err)
{
	char next = '\0';

	if (!pass_space(parse, &next, err))
		return false;
	return next == '\0' || parse_bad(parse, err, "there is more behind the document");
}

static bool take(struct parse *parse, char wanted, struct ari_error *err)
{
	char next = '\0';

	if (!parse_peek(parse, &next, err))
		return false;
	if (next != wanted)
		return parse_bad(parse, err, "not JSON: no '%c'", wanted);
	parse->input.at++;
	return true;
}

/* Lets json-c parse on in this window; *ret_done: the value is whole. */
static bool parse_window(struct parse *parse, struct json_object **ret, bool *ret_done,
			 struct ari_error *err)
{
	struct input *input = &parse->input;
	enum json_tokener_error result;

	*ret = json_tokener_parse_ex(parse->tokener, input->text + input->at,
				     (int)(input->count - input->at));
	result = json_tokener_get_error(parse->tokener);
	input->at += json_tokener_get_parse_end(parse->tokener);
	*ret_done = result == json_tokener_success;
	return *ret_done || result == json_tokener_continue ||
	       parse_bad(parse, err, "not JSON: %s", json_tokener_error_desc(result));
}

static bool is_text(const char *text, size_t length)
{
	/* What is behind a NUL is nobody's text: value_text() refuses it. */
	return strlen(text) < length || utf8_is_valid(text);
}

/*
 * Whether all strings in a value are UTF-8.  json-c can check that, too, but refuses a
 * sequence that lies across two windows.
 */
static bool is_utf8(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		return is_text(json_object_get_string(value),
			       (size_t)json_object_get_string_len(value));
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (!is_utf8(json_object_array_get_idx(value, i)))
				return false;
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach (value, key, member) {
			if (!utf8_is_valid(key) || !is_utf8(member))
				return false;
		}
	}
	return true;
}

static bool check_utf8(const struct parse *parse, struct json_object *value,
		       struct ari_error *err)
{
	if (is_utf8(value))
		return true;
	json_object_put(value);
	return parse_bad(parse, err, "not JSON: a string that is not UTF-8");
}

/* Neither a comment nor a string in single quotes, which json-c may let pass. */
static bool check_begin(struct parse *parse, struct ari_error *err)
{
	char first = '\0';

	if (!parse_peek(parse, &first, err))
		return false;
	return (first != '\0' && strchr("\"{[-0123456789tfn", first) != NULL) ||
	       parse_bad(parse, err, "not JSON: no value begins so");
}

bool parse_value(struct parse *parse, struct json_object **ret, struct ari_error *err)
{
	struct json_object *value = NULL;
	struct input *input = &parse->input;
	uint64_t begun;
	bool done = false;

	if (!check_begin(parse, err))
		return false;
	begun = input->passed + input->at;
	json_tokener_reset(parse->tokener);
	while (!done) {
		if (!look(parse, err))
			return false;
		if (input->count == 0)
			return cut_off(parse, err);
		if (input->passed + input->at - begun > VALUE_MOST)
			return parse_bad(parse, err, "a value of more than 1 MiB");
		if (!parse_window(parse, &value, &done, err))
			return false;
	}
	if (!check_utf8(parse, value, err))
		return false;
	*ret = value;
	return true;
}

/* ---- what values lie in ---- */

/* The comma before the next one, or the bracket after the last, which is passed. */
static bool next_or_end(struct parse *parse, char bracket, bool first, bool *ret_end,
			struct ari_error *err)
{
	char next = '\0';

	if (!parse_peek(parse, &next, err))
		return false;
	*ret_end = next == bracket;
	if (*ret_end)
		parse->input.at++;
	return *ret_end || first || take(parse, ',', err);
}

static bool enter(struct parse *parse, char bracket, struct ari_error *err)
{
	if (parse->depth == DEPTH_MOST)
		return parse_bad(parse, err, "nested more than %d deep", DEPTH_MOST);
	parse->depth++;
	return take(parse, bracket, err);
}

static bool one_member(struct parse *parse, parse_member_fn *member, void *data,
		       struct ari_error *err)
{
	struct json_object *key;
	bool done;
	char next = '\0';

	if (!parse_peek(parse, &next, err))
		return false;
	if (next != '"')
		return parse_bad(parse, err, "not JSON: no key");
	if (!parse_value(parse, &key, err))
		return false;
	done = take(parse, ':', err) &&
	       member(parse, data, json_object_get_string(key), err);
	json_object_put(key);
	return done;
}

bool parse_members(struct parse *parse, parse_member_fn *member, void *data,
		   struct ari_error *err)
{
	bool end;

	if (!enter(parse, '{', err))
		return false;
	for (bool first = true;; first = false) {
		if (!next_or_end(parse, '}', first, &end, err))
			return false;
		if (end)
			break;
		if (!one_member(parse, member, data, err))
			return false;
	}
	parse->depth--;
	return true;
}

bool parse_elements(struct parse *parse, parse_element_fn *element, void *data,
		    struct ari_error *err)
{
	bool end;

	if (!enter(parse, '[', err))
		return false;
	for (bool first = true;; first = false) {
		if (!next_or_end(parse, ']', first, &end, err))
			return false;
		if (end)
			break;
		if (!element(parse, data, err))
			return false;
	}
	parse->depth--;
	return true;
}

static bool skip_member(struct parse *parse, void *data, const char *key,
			struct ari_error *err)
{
	(void)data, (void)key;
	return parse_skip(parse, err);
}

static bool skip_element(struct parse *parse, void *data, struct ari_error *err)
{
	(void)data;
	return parse_skip(parse, err);
}

bool parse_skip(struct parse *parse, struct ari_error *err)
{
	struct json_object *value;
	char next = '\0';

	if (!parse_peek(parse, &next, err))
		return false;
	if (next == '{')
		return parse_members(parse, skip_member, NULL, err);
	if (next == '[')
		return parse_elements(parse, skip_element, NULL, err);
	if (!parse_value(parse, &value, err))
		return false;
	json_object_put(value);
	return true;
}
