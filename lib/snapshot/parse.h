/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_PARSE_H
#define SNAPSHOT_PARSE_H

#include <json-c/json.h>

#include "snapshot/input.h"

/*
 * Reads a JSON document piece by piece: json-c parses the values, one at a time, so that
 * the document's size costs no memory; what they lie in is walked here.
 */
struct parse {
	struct input input;
	struct json_tokener *tokener;
	unsigned int depth;
};

/* Errors of all of these: ARI_IO, with the file's name and where in it; ARI_NO_MEMORY. */
bool parse_open(struct parse *ret, const char *file, struct ari_error *err)
	__attribute__((warn_unused_result));
void parse_close(struct parse *parse);

/* Fills *err and returns false: the document is not what it should be, here. */
bool parse_bad(const struct parse *parse, struct ari_error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The next byte that is no space, which stays there. */
bool parse_peek(struct parse *parse, char *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* One value of at most 1 MiB, for json_object_put(); NULL is null. */
bool parse_value(struct parse *parse, struct json_object **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Passes over one value of any size. */
bool parse_skip(struct parse *parse, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Called where the value of a member, or an element, begins; must pass over it. */
typedef bool parse_member_fn(struct parse *parse, void *data, const char *key,
			     struct ari_error *err);
typedef bool parse_element_fn(struct parse *parse, void *data, struct ari_error *err);

bool parse_members(struct parse *parse, parse_member_fn *member, void *data,
		   struct ari_error *err) __attribute__((warn_unused_result));
bool parse_elements(struct parse *parse, parse_element_fn *element, void *data,
		    struct ari_error *err) __attribute__((warn_unused_result));

/* Nothing but space is left. */
bool parse_end(struct parse *parse, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
