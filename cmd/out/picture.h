/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_PICTURE_H
#define OUT_PICTURE_H

#include <stdio.h>

#include "arenainspect.h"

struct style;
struct table_view;

/*
 * What text draws below each row of a table: a strip of cells, of which every one stands
 * for the same number of bytes in all of the picture and shows what most of them are.
 * Other formats have the table alone.
 */

/* What bytes can be; of as many bytes the kind that comes first is shown. */
struct picture_kind {
	const char *name; /* for the legend */
	const char *help; /* one line */
	const char *glyph;
	char letter;	    /* in place of the glyph where the locale is not UTF-8 */
	unsigned char tint; /* a colour's number for SGR, as 32 for green; 0: plain */
};

#define PICTURE_KINDS_MOST 16

/* Bytes in a row of one kind, an index. */
struct picture_span {
	uint64_t bytes;
	size_t kind;
};

struct picture {
	const struct picture_kind *kinds;
	size_t kinds_count;
	uint64_t least; /* bytes of a cell: of a page; a power of two */
	/* How many bytes a row stands for. */
	uint64_t (*bytes)(const void *row);
	/* The index-th span of a row; false past the last. */
	bool (*span)(const void *row, size_t index, struct picture_span *ret);
	/* Why there is nothing to draw of a row that has no span. */
	const char *(*none)(const void *row);
};

/* table: the table as text, a line for each row of the view behind its headings. */
void picture_write(const struct picture *picture, const struct table_view *view,
		   const char *table, const struct style *style, FILE *out);

#endif
