/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_DOCUMENT_H
#define OUT_DOCUMENT_H

#include "out/table.h"

/*
 * What a command has to say: paragraphs, facts (a label and a line) and tables, in
 * order.  A command builds one and prints nothing; a format writes it.
 *
 * Building never fails in the caller's hands: when memory runs out, `failed` is
 * set, strings come out empty, and show() says so at the end.
 */

enum block_kind { BLOCK_PARAGRAPH, BLOCK_FACT, BLOCK_TABLE };

struct block {
	enum block_kind kind;
	const char *label; /* of a fact */
	const char *text;  /* of a paragraph or fact; not yet escaped */
	struct table table;
};

/* Writes a JSON document. */
typedef bool document_json_fn(const void *whole, FILE *out, struct ari_error *err);

struct document {
	const struct ari_model *model; /* borrowed: what JSON writes, */
	document_json_fn *json;	       /* unless there is another whole */
	const void *whole;
	bool plain_bytes; /* -b: prose gives bytes as they are, too */
	bool failed;

	struct block *blocks;
	size_t count, room;
	struct piece *pieces; /* the memory of all strings and rows */
};

void document_init(struct document *document, const struct ari_model *model,
		   bool plain_bytes);
void document_done(struct document *document);

/* What JSON writes in place of the model; borrowed until the document is written. */
void document_whole(struct document *document, document_json_fn *json, const void *whole);

void document_paragraph(struct document *document, const char *text);
void document_fact(struct document *document, const char *label, const char *text);

/*
 * The table of the command: formats for machines write it and nothing else, and
 * -o, --sort and --top are about it.  At most one that is not `aside`.  The rows are
 * borrowed until the document is written.
 */
void document_table(struct document *document, struct table table);

/* Memory that lives as long as the document; zeroed.  NULL sets `failed`. */
void *document_memory(struct document *document, size_t count, size_t size);

/* Strings that live as long as the document; never NULL. */
const char *document_format(struct document *document, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *document_bytes(struct document *document, uint64_t bytes);
/* A change: "+812.0 MiB". */
const char *document_more(struct document *document, int64_t bytes);
const char *document_count(struct document *document, uint64_t count, const char *one,
			   const char *many);

#endif
