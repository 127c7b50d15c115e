// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "snapshot/scan.h"

#define DEPTH_MOST 32
#define VALUE_MOST (1u << 20)

bool scan_open(struct scan *ret, const char *file, struct ari_error *err)
{
	struct scan scan = { .tokener = json_tokener_new_ex(DEPTH_MOST) };

	if (scan.tokener == NULL)
		return fail_memory(err);
	if (!input_open(&scan.input, file, err)) {
		json_tokener_free(scan.tokener);
		return false;
	}
	/* Strict about all but what follows a value: the rest of the document does. */
	json_tokener_set_flags(scan.tokener, JSON_TOKENER_STRICT |
						     JSON_TOKENER_ALLOW_TRAILING_CHARS |
						     JSON_TOKENER_VALIDATE_UTF8);
	*ret = scan;
	return true;
}

void scan_close(struct scan *scan)
{
	json_tokener_free(scan->tokener);
	input_close(&scan->input);
}

bool scan_bad(const struct scan *scan, struct ari_error *err, const char *format, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	return fail(err, ARI_IO, "cannot read %s: %s (at byte %" PRIu64 ")",
		    scan->input.name, why, scan->input.passed + scan->input.at);
}

/* Makes the window hold something; at the end of the file it stays empty. */
static bool look(struct scan *scan, struct ari_error *err)
{
	return scan->input.at < scan->input.count || input_more(&scan->input, err);
}

static bool cut_off(const struct scan *scan, struct ari_error *err)
{
	return scan_bad(scan, err, "the document ends in its midst");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* *ret NUL at the end of the file. */
static bool pass_space(struct scan *scan, char *ret, struct ari_error *err)
{
	struct input *input = &scan->input;

	for (;;) {
		if (!look(scan, err))
			return false;
		while (input->at < input->count && is_space(input->text[input->at]))
			input->at++;
		if (input->at < input->count || input->count == 0)
			break;
	}
	*ret = input->count == 0 ? '\0' : input->text[input->at];
	return true;
}

bool scan_peek(struct scan *scan, char *ret, struct ari_error *err)
{
	char next = '\0';

	if (!pass_space(scan, &next, err))
		return false;
	if (next == '\0')
		return cut_off(scan, err);
	*ret = next;
	return true;
}

bool scan_end(struct scan *scan, struct ari_error *err)
{
	char next = '\0';

	if (!pass_space(scan, &next, err))
		return false;
	return next == '\0' || scan_bad(scan, err, "there is more behind the document");
}

static bool take(struct scan *scan, char wanted, struct ari_error *err)
{
	char next = '\0';

	if (!scan_peek(scan, &next, err))
		return false;
	if (next != wanted)
		return scan_bad(scan, err, "not JSON: no '%c'", wanted);
	scan->input.at++;
	return true;
}

/* Lets json-c parse on in this window; *ret_done: the value is whole. */
static bool parse_window(struct scan *scan, struct json_object **ret, bool *ret_done,
			 struct ari_error *err)
{
	struct input *input = &scan->input;
	enum json_tokener_error result;

	*ret = json_tokener_parse_ex(scan->tokener, input->text + input->at,
				     (int)(input->count - input->at));
	result = json_tokener_get_error(scan->tokener);
	input->at += json_tokener_get_parse_end(scan->tokener);
	*ret_done = result == json_tokener_success;
	return *ret_done || result == json_tokener_continue ||
	       scan_bad(scan, err, "not JSON: %s", json_tokener_error_desc(result));
}

bool scan_value(struct scan *scan, struct json_object **ret, struct ari_error *err)
{
	struct input *input = &scan->input;
	uint64_t begun = input->passed + input->at;
	bool done = false;

	json_tokener_reset(scan->tokener);
	while (!done) {
		if (!look(scan, err))
			return false;
		if (input->count == 0)
			return cut_off(scan, err);
		if (input->passed + input->at - begun > VALUE_MOST)
			return scan_bad(scan, err, "a value of more than 1 MiB");
		if (!parse_window(scan, ret, &done, err))
			return false;
	}
	return true;
}

/* ---- what values lie in ---- */

/* The comma before the next one, or the bracket after the last, which is passed. */
static bool next_or_end(struct scan *scan, char bracket, bool first, bool *ret_end,
			struct ari_error *err)
{
	char next = '\0';

	if (!scan_peek(scan, &next, err))
		return false;
	*ret_end = next == bracket;
	if (*ret_end)
		scan->input.at++;
	return *ret_end || first || take(scan, ',', err);
}

static bool enter(struct scan *scan, char bracket, struct ari_error *err)
{
	if (scan->depth == DEPTH_MOST)
		return scan_bad(scan, err, "nested more than %d deep", DEPTH_MOST);
	scan->depth++;
	return take(scan, bracket, err);
}

static bool one_member(struct scan *scan, scan_member_fn *member, void *data,
		       struct ari_error *err)
{
	struct json_object *key;
	bool done;
	char next = '\0';

	if (!scan_peek(scan, &next, err))
		return false;
	if (next != '"')
		return scan_bad(scan, err, "not JSON: no key");
	if (!scan_value(scan, &key, err))
		return false;
	done = take(scan, ':', err) &&
	       member(scan, data, json_object_get_string(key), err);
	json_object_put(key);
	return done;
}

bool scan_members(struct scan *scan, scan_member_fn *member, void *data,
		  struct ari_error *err)
{
	bool end;

	if (!enter(scan, '{', err))
		return false;
	for (bool first = true;; first = false) {
		if (!next_or_end(scan, '}', first, &end, err))
			return false;
		if (end)
			break;
		if (!one_member(scan, member, data, err))
			return false;
	}
	scan->depth--;
	return true;
}

bool scan_elements(struct scan *scan, scan_element_fn *element, void *data,
		   struct ari_error *err)
{
	bool end;

	if (!enter(scan, '[', err))
		return false;
	for (bool first = true;; first = false) {
		if (!next_or_end(scan, ']', first, &end, err))
			return false;
		if (end)
			break;
		if (!element(scan, data, err))
			return false;
	}
	scan->depth--;
	return true;
}

static bool skip_member(struct scan *scan, void *data, const char *key,
			struct ari_error *err)
{
	(void)data, (void)key;
	return scan_skip(scan, err);
}

static bool skip_element(struct scan *scan, void *data, struct ari_error *err)
{
	(void)data;
	return scan_skip(scan, err);
}

bool scan_skip(struct scan *scan, struct ari_error *err)
{
	struct json_object *value;
	char next = '\0';

	if (!scan_peek(scan, &next, err))
		return false;
	if (next == '{')
		return scan_members(scan, skip_member, NULL, err);
	if (next == '[')
		return scan_elements(scan, skip_element, NULL, err);
	if (!scan_value(scan, &value, err))
		return false;
	json_object_put(value);
	return true;
}
