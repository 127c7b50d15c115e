/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_SCAN_H
#define SNAPSHOT_SCAN_H

#include <json-c/json.h>

#include "snapshot/input.h"

/*
 * Reads a JSON document piece by piece: json-c parses the values, one at a time, so that
 * the document's size costs no memory; what they lie in is walked here.
 */
struct scan {
	struct input input;
	struct json_tokener *tokener;
	unsigned int depth;
};

/* Errors of all of these: ARI_IO, with the file's name and where in it; ARI_NO_MEMORY. */
bool scan_open(struct scan *ret, const char *file, struct ari_error *err)
	__attribute__((warn_unused_result));
void scan_close(struct scan *scan);

/* Fills *err and returns false: the document is not what it should be, here. */
bool scan_bad(const struct scan *scan, struct ari_error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The next byte that is no space, which stays there. */
bool scan_peek(struct scan *scan, char *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* One value of at most 1 MiB, for json_object_put(); NULL is null. */
bool scan_value(struct scan *scan, struct json_object **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Passes over one value of any size. */
bool scan_skip(struct scan *scan, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Called where the value of a member, or an element, begins; must pass over it. */
typedef bool scan_member_fn(struct scan *scan, void *data, const char *key,
			    struct ari_error *err);
typedef bool scan_element_fn(struct scan *scan, void *data, struct ari_error *err);

bool scan_members(struct scan *scan, scan_member_fn *member, void *data,
		  struct ari_error *err) __attribute__((warn_unused_result));
bool scan_elements(struct scan *scan, scan_element_fn *element, void *data,
		   struct ari_error *err) __attribute__((warn_unused_result));

/* Nothing but space is left. */
bool scan_end(struct scan *scan, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
