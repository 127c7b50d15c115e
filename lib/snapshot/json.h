/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_JSON_H
#define SNAPSHOT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A streaming writer of JSON: what is written goes straight to a FILE, so a
 * document's size costs no memory.  Errors stay in the stream (ferror()).
 */
struct json {
	FILE *out;
	unsigned int depth;
	bool has_sibling; /* a value came before in this object or array */
	bool on_line;	  /* within an array that is one line */
};

/* key is NULL inside arrays and for the document itself. */
void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);		  /* '}' or ']' */
/* An array on one line, of values that are no lists themselves. */
void json_open_line(struct json *json, const char *key);
void json_close_line(struct json *json);
void json_null(struct json *json, const char *key);
void json_number(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_real(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, bool value);
void json_address(struct json *json, const char *key, uint64_t value);
/*
 * text may hold anything up to its NUL: what is not UTF-8 becomes U+FFFD.
 * NULL is null.
 */
void json_string(struct json *json, const char *key, const char *text);

#endif
