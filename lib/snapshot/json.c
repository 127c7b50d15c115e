// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "snapshot/json.h"

/* How many bytes of a valid UTF-8 sequence start at `at` (RFC 3629); 0: none. */
static size_t utf8_length(const unsigned char *at)
{
	// clang-format off
	static const struct {
		unsigned char first, last, low, high; /* lead byte; second byte */
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	// clang-format on

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (*at < forms[i].first || *at > forms[i].last)
			continue;
		if (forms[i].length == 1)
			return 1;
		if (at[1] < forms[i].low || at[1] > forms[i].high)
			return 0;
		for (size_t n = 2; n < forms[i].length; n++)
			if ((at[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

static void put_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', out);
	while (*at != '\0') {
		size_t length = utf8_length(at);

		/* U+FFFD itself, too: what is read is then written alike. */
		if (length == 0 || strncmp((const char *)at, "\xef\xbf\xbd", 3) == 0)
			fputs("\\ufffd", out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fwrite(at, 1, length, out);
		at += length == 0 ? 1 : length;
	}
	fputc('"', out);
}

/* The comma, the line and the key in front of a value. */
static void begin(struct json *json, const char *key)
{
	if (json->has_sibling)
		fputc(',', json->out);
	if (json->on_line) {
		fputs(json->has_sibling ? " " : "", json->out);
	} else if (json->depth > 0) {
		fputc('\n', json->out);
		for (unsigned int i = 0; i < json->depth; i++)
			fputc(' ', json->out);
	}
	if (key != NULL) {
		put_text(json->out, key);
		fputs(": ", json->out);
	}
	json->has_sibling = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->has_sibling = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->has_sibling) {
		fputc('\n', json->out);
		for (unsigned int i = 0; i < json->depth; i++)
			fputc(' ', json->out);
	}
	fputc(bracket, json->out);
	json->has_sibling = true;
	if (json->depth == 0)
		fputc('\n', json->out);
}

void json_open_line(struct json *json, const char *key)
{
	json_open(json, key, '[');
	json->on_line = true;
}

void json_close_line(struct json *json)
{
	json->on_line = false;
	json->has_sibling = false;
	json_close(json, ']');
}

void json_null(struct json *json, const char *key)
{
	begin(json, key);
	fputs("null", json->out);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	begin(json, key);
	fprintf(json->out, "%" PRId64, value);
}

/* In hundredths, by hand: the decimal point is the locale's in printf. */
void json_real(struct json *json, const char *key, double value)
{
	uint64_t hundredths = (uint64_t)(value * 100 + 0.5);

	begin(json, key);
	fprintf(json->out, "%" PRIu64 ".%02" PRIu64, hundredths / 100, hundredths % 100);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_address(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "\"0x%" PRIx64 "\"", value);
}

void json_string(struct json *json, const char *key, const char *text)
{
	if (text == NULL) {
		json_null(json, key);
		return;
	}
	begin(json, key);
	put_text(json->out, text);
}
