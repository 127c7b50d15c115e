/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CHANGES_H
#define CMD_CHANGES_H

#include "out/document.h"

/* What diff says before its tables: the answer, and what changed of each kind. */
void changes_answer(struct document *document, const struct ari_diff *diff);
void changes_facts(struct document *document, const struct ari_diff *diff);

#endif
