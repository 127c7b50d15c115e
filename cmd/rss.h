/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_RSS_H
#define CMD_RSS_H

#include "out/document.h"

/* What report says first: where the resident memory is, and what could come back. */

/* The answer, in one sentence. */
void rss_answer(struct document *document, const struct ari_model *model);

/* RSS by kind, the container's limit, and what malloc's resident bytes are. */
void rss_facts(struct document *document, const struct ari_model *model);

#endif
