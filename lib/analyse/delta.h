/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_DELTA_H
#define ANALYSE_DELTA_H

#include "model/fields.h"

/* How much there is more; 0: not more, or not known. */
uint64_t delta_grown(int64_t delta);

/*
 * Fills each delta of `delta`, inner records' too, from the members of two structs
 * of `record` that have the same key: numbers, and for lists how many elements
 * they have.  Keys that `record` lacks are left alone.
 *
 * before, after  NULL stands for a struct of zeros: what was not there
 */
void delta_fill(const struct record *delta, void *ret, const struct record *record,
		const void *before, const void *after);

/* Adds each delta of a struct to that of another; not inner records'. */
void delta_sum(const struct record *delta, void *to, const void *from);

#endif
