/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

#include "out/document.h"

/* How the user wants it, whatever the format. */
struct style {
	bool plain_bytes;
	bool no_headings;
	bool color;
	bool utf8;
	bool private_file;	    /* a file is for its owner alone to read */
	size_t width;		    /* of the terminal it goes to; 0: it goes elsewhere */
	struct selection selection; /* of the document's table */
};

struct format {
	const char *name;
	bool whole_model;  /* needs the model alone, no blocks; takes no selection */
	bool for_machines; /* notes and prose are not part of it */
	bool (*write)(const struct document *document, const struct style *style,
		      FILE *out, struct ari_error *err);
};

/* The format when no other is asked for. */
extern const struct format format_text;

#define FORMAT(name, letter, help) extern const struct format format_##name;
#include "out/formats.def"
#undef FORMAT

/* The document's table, or NULL. */
const struct table *document_main(const struct document *document);

#endif
