/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_GROWTH_H
#define ANALYSE_GROWTH_H

#include "analyse/pairs.h"

/* Two models of one process, in the order of time, and their arenas. */
struct growth_of {
	const struct ari_model *before, *after;
	const struct arena_pairs *pairs;
};

/*
 * Says what grew: fills diff->findings, largest first, with the verdicts GROWING-….
 * Each is a growth that is certain: what could not be read before counts as if it had
 * been there already, and arenas that are torn do not count.  Where nothing of a kind is
 * known twice, its verdict is in diff->undecided.
 *
 * diff  with its arenas filled, a row for each pair
 */
bool growth_judge(struct ari_diff *diff, const struct growth_of *of,
		  struct ari_error *err) __attribute__((warn_unused_result));

#endif
