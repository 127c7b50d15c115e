/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_VALUES_H
#define SNAPSHOT_VALUES_H

#include "model/fields.h"
#include "snapshot/parse.h"

/* A document on its way into a model. */
struct reader {
	struct parse parse;
	struct ari_model *model;
	uint64_t room;	    /* bytes that the model may still grow by */
	unsigned int parts; /* that it must have and that were met: bits of read.c's */
};

/*
 * Puts a value of the document into the member that a row of the tables describes.  null
 * leaves the member as it is, and so does a word that this release does not know.
 * value  borrowed; of a type that has no FIELD_LIST or FIELD_ROWS inside; of
 *        FIELD_ROWS one row
 * at     the member, cleared before (record_clear())
 * err    ARI_IO: no value of that kind, or more than a model may hold; ARI_NO_MEMORY
 */
bool value_take(struct reader *reader, const struct field *field,
		struct json_object *value, void *at, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The text of a value in *ret, which lives as long as the value; false: it has none. */
bool value_text(struct json_object *value, const char **ret);

/* Appends a cleared element to a list of records; NULL: as value_take() fails. */
void *value_add(struct reader *reader, const struct record *record, struct ari_list *list,
		struct ari_error *err);

/* An element lacks nothing that its users rely on. */
bool value_whole(struct reader *reader, const struct record *record, const void *at,
		 struct ari_error *err) __attribute__((warn_unused_result));

#endif
