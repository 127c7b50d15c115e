/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_TOTALS_H
#define ANALYSE_TOTALS_H

#include "arenainspect.h"

/*
 * Fills model->totals from the arenas.  A sum of which one term is not known is
 * not known.  The mmapped chunks are not touched: they are in no arena.
 */
void totals_fill(struct ari_model *model);

/* Whether every arena was read at rest, into model->quality. */
void totals_judge_quality(struct ari_model *model);

#endif
