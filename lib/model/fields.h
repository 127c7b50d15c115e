/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include <stddef.h>

#include "arenainspect.h"

/*
 * The model's structs as data: what makes them empty, frees them and turns them
 * into JSON and back walks these tables.  A new member of the model is a member
 * in arenainspect.h and a row here.
 */

enum field_type {
	FIELD_NUMBER,  /* uint64_t; ARI_UNKNOWN is null */
	FIELD_SIGNED,  /* int64_t; INT64_MIN is null */
	FIELD_REAL,    /* double; NaN is null */
	FIELD_ADDRESS, /* uint64_t, as "0x…" */
	FIELD_YESNO,   /* enum ari_yesno; ARI_MAYBE is null */
	FIELD_WORD,    /* uint64_t, an index into `words` */
	FIELD_TIME,    /* uint64_t, nanoseconds of CLOCK_REALTIME, as RFC 3339 */
	FIELD_STRING,  /* char *, owned; NULL is null */
	FIELD_LITERAL, /* const char *, static */
	FIELD_RECORD,  /* a struct inside */
	FIELD_LIST,    /* ARI_LIST(struct) */
	FIELD_ROWS,    /* the same, each an array of its members' values in their order */
	FIELD_STRINGS, /* ARI_LIST(char *) */
	FIELD_PAIRS,   /* ARI_LIST of {char *, char *}, as an object */
	FIELD_NUMBERS, /* ARI_LIST of {const char *, uint64_t}, as an object */
};

struct words {
	const char *const *at;
	size_t count;
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	const struct record *record; /* of FIELD_RECORD, FIELD_LIST and FIELD_ROWS */
	const struct words *words;   /* of FIELD_WORD */
};

struct record {
	const struct field *fields;
	size_t count;
	size_t bytes; /* sizeof the struct */
};

extern const struct record model_record;
extern const struct record diff_record;

/* The field with that key, or NULL. */
const struct field *record_field(const struct record *record, const char *key);

/* struct ari_scan, and a row of its processes and of those skipped. */
extern const struct record scan_record, scanned_record, skipped_record;

/* Sets every field to what means "not known", inner structs' too. */
void record_clear(const struct record *record, void *at);

/* Frees what the fields own; the struct itself is its owner's. */
void record_done(const struct record *record, void *at);

#endif
