// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "out/cell.h"
#include "out/document.h"

struct piece {
	struct piece *next;
	max_align_t bytes[];
};

void document_init(struct document *document, const struct ari_model *model,
		   bool plain_bytes)
{
	*document = (struct document){ .model = model, .plain_bytes = plain_bytes };
}

void document_done(struct document *document)
{
	while (document->pieces != NULL) {
		struct piece *next = document->pieces->next;

		free(document->pieces);
		document->pieces = next;
	}
	free(document->blocks);
	*document = (struct document){ 0 };
}

void *document_memory(struct document *document, size_t count, size_t size)
{
	struct piece *piece = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes) &&
	    !__builtin_add_overflow(bytes, sizeof(*piece), &bytes))
		piece = calloc(1, bytes);
	if (piece == NULL) {
		document->failed = true;
		return NULL;
	}
	piece->next = document->pieces;
	document->pieces = piece;
	return piece->bytes;
}

void document_whole(struct document *document, document_json_fn *json, const void *whole)
{
	document->json = json;
	document->whole = whole;
}

/* ---- blocks ---- */

static void add_block(struct document *document, struct block block)
{
	if (document->count == document->room) {
		size_t room = document->room == 0 ? 16 : document->room * 2;
		struct block *blocks =
			reallocarray(document->blocks, room, sizeof(*blocks));

		if (blocks == NULL) {
			document->failed = true;
			return;
		}
		document->blocks = blocks;
		document->room = room;
	}
	document->blocks[document->count++] = block;
}

void document_paragraph(struct document *document, const char *text)
{
	add_block(document, (struct block){ .kind = BLOCK_PARAGRAPH, .text = text });
}

void document_fact(struct document *document, const char *label, const char *text)
{
	add_block(document,
		  (struct block){ .kind = BLOCK_FACT, .label = label, .text = text });
}

void document_table(struct document *document, struct table table)
{
	add_block(document, (struct block){ .kind = BLOCK_TABLE, .table = table });
}

/* ---- strings ---- */

static const char *format_piece(struct document *document, const char *format,
				va_list arguments)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return "";
	text = document_memory(document, (size_t)length + 1, 1);
	if (text == NULL)
		return "";
	vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}

const char *document_format(struct document *document, const char *format, ...)
{
	const char *text;
	va_list arguments;

	va_start(arguments, format);
	text = format_piece(document, format, arguments);
	va_end(arguments);
	return text;
}

const char *document_bytes(struct document *document, uint64_t bytes)
{
	char text[CELL_ROOM];

	if (document->plain_bytes && bytes != ARI_UNKNOWN)
		return document_format(document, "%" PRIu64 " bytes", bytes);
	return document_format(document, "%s", bytes_text(bytes, text));
}

const char *document_more(struct document *document, int64_t bytes)
{
	char text[CELL_ROOM];

	if (document->plain_bytes && bytes != INT64_MIN)
		return document_format(document, "%+" PRId64 " bytes", bytes);
	return document_format(document, "%s", more_text(bytes, text));
}

const char *document_count(struct document *document, uint64_t count, const char *one,
			   const char *many)
{
	if (count == ARI_UNKNOWN)
		return document_format(document, "an unknown number of %s", many);
	return document_format(document, "%" PRIu64 " %s", count,
			       count == 1 ? one : many);
}
