/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_FINDINGS_H
#define CMD_FINDINGS_H

#include "out/document.h"

/*
 * What was found, as report and diff tell it.  A finding has the name of its verdict in
 * front.
 */

/* The first, which is the most important, as a paragraph; nothing if there is none. */
void findings_open(struct document *document, const struct ari_model *model);

/* The others, a fact for each; with -b, the exact numbers of all. */
void findings_also(struct document *document, const struct ari_model *model);

/* What to do, what would do nothing, and what speaks against it; all: of every one. */
void findings_advice(struct document *document, const struct ari_finding *findings,
		     size_t count, bool all);

#endif
