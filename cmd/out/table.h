/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_TABLE_H
#define OUT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arenainspect.h"

/*
 * A table is a kind, which describes its columns once and for all, and rows of one
 * struct.  Every format, `-o`, `--sort`, the help and the completion read the same
 * description; adding a column is adding its row.
 */

struct picture; /* out/picture.h */

enum unit {
	UNIT_BYTES, /* text rounds it */
	UNIT_SIZE,  /* of a chunk: bytes, too, and never rounded */
	UNIT_COUNT,
	UNIT_MORE_BYTES, /* a change, int64_t; INT64_MIN is not known */
	UNIT_MORE,	 /* the same, of a count */
	UNIT_INDEX,	 /* a place in an order, from 0 */
	UNIT_ADDRESS,	 /* of the target; 0 is "none" */
	UNIT_YESNO,	 /* enum ari_yesno */
	UNIT_WORD,	 /* an enum of the model */
	UNIT_TEXT,
	UNIT_ID, /* a text; one of 64 digits is a container's, and cut for people */
};

enum shown {
	ON_REQUEST, /* with -o only */
	BY_DEFAULT, /* unless it is unknown in every row */
	IF_ANY,	    /* if a row has something else than zero in it */
};

/*
 * A cell before it is written.  Not known: a number of ARI_UNKNOWN, a text of NULL.  The
 * number of a change is an int64_t's bits.
 */
struct value {
	bool known;
	uint64_t number;
	const char *text; /* of UNIT_WORD, UNIT_TEXT and UNIT_ID; belongs to the row */
};

struct column {
	const char *name;    /* for -o; letters, digits and underscores */
	const char *heading; /* for people */
	enum unit unit;
	enum shown shown;
	const char *help; /* one line */

	/* Where the value is: a member of the row, unless there is a getter. */
	size_t offset;
	uint64_t (*number)(const void *row);
	const char *(*text)(const void *row);
	const char *(*word)(uint64_t value); /* of UNIT_WORD, always */
};

/* How a row stands out where there is colour. */
enum shade { SHADE_NONE, SHADE_QUIET, SHADE_NOTABLE, SHADE_BAD };

struct table_kind {
	const char *name;
	const struct column *columns;
	size_t count;
	const char *rank; /* the column that --top goes by, or NULL: the order given */
	enum shade (*shade)(const void *row);
};

struct table {
	const struct table_kind *kind;
	const void *rows;
	size_t row_size, count;
	size_t screenful; /* text shows that many unless told otherwise; 0: all */
	const char *rest; /* where the others are to be seen, if there is a screenful */
	const char *none; /* what text says in place of no rows, or NULL: nothing */
	const struct picture *picture; /* that text draws of the rows, or NULL */
	/*
	 * Beside the command's table: text shows its default columns, other formats
	 * nothing of it, and the user's choices are not about it.
	 */
	bool aside;
};

/*
 * What the user wants of a table.  With `columns` NULL and `add` unset: the
 * default columns.
 */
struct selection {
	const struct column **columns;
	size_t count;
	bool add; /* to the default columns */
	const struct column *sort;
	bool backwards;
	size_t top; /* rows; 0: all */
};

/*
 * Understands the arguments of -o and --sort (either may be NULL) for a kind of
 * table; a name that is no column is ARI_USAGE.
 */
bool selection_init(struct selection *ret, const struct table_kind *kind,
		    const char *output, const char *sort, struct ari_error *err)
	__attribute__((warn_unused_result));
void selection_done(struct selection *selection);

/* The columns and rows of a table as they will be shown; for view_free(). */
struct table_view {
	const struct column **columns;
	size_t columns_count;
	const void **rows;
	size_t rows_count;
};

/* screen: the table may be cut to its screenful. */
struct table_view *view_new(const struct table *table, const struct selection *selection,
			    bool screen) __attribute__((warn_unused_result));
void view_free(struct table_view *view);

struct value column_value(const struct column *column, const void *row);

/* "bytes", "address", …: what the help says of a unit. */
const char *unit_name(enum unit unit);
bool unit_is_number(enum unit unit);
bool unit_is_change(enum unit unit);

/* A text as it is in the row. */
bool unit_is_text(enum unit unit);

#endif
