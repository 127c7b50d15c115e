// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "snapshot/json.h"
#include "snapshot/utf8.h"

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
