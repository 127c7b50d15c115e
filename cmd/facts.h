/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_FACTS_H
#define CMD_FACTS_H

#include "out/document.h"

/* Facts of a model that more than one command tells. */

/* The libc, and where symbols and layout came from; nothing if none was found. */
void facts_libc(struct document *document, const struct ari_model *model);

/* One fact per line of proof that the layout is the right one. */
void facts_proof(struct document *document, const struct ari_model *model);

/* How many arenas there may be, and how that is known. */
void facts_arena_limit(struct document *document, const struct ari_model *model);

/* malloc's settings in force and the environment that bears on them. */
void facts_settings(struct document *document, const struct ari_model *model);

#endif
