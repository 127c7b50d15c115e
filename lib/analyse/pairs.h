/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_PAIRS_H
#define ANALYSE_PAIRS_H

#include "arenainspect.h"

/* One arena in two models, which own it; NULL: it is not in that one. */
struct arena_pair {
	const struct ari_arena *before, *after;
};

struct arena_pairs {
	ARI_LIST(struct arena_pair) list;
};

struct size_deltas {
	ARI_LIST(struct ari_size_delta) list;
};

/*
 * The arenas of both, matched by address or, if the models are of two processes, not
 * at all; in the order of `after`, then those that only `before` has.  Not known if
 * one of the models does not know its arenas.
 *
 * ret  zeroed; for list_done(), after a failure, too
 */
bool pairs_match(const struct ari_model *before, const struct ari_model *after,
		 bool same_process, struct arena_pairs *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Whether what it says of its chunks is certain: no side is torn. */
bool pair_is_whole(const struct arena_pair *pair);

/*
 * What is in use is told from what threads' caches hold on both sides or on neither;
 * otherwise the two numbers are not of the same thing.
 */
bool pair_is_comparable(const struct arena_pair *pair);

/*
 * How many chunks of each size class there are more, and bytes in them, over the
 * pairs; with whole_only, over those that are whole and comparable.  Ascending by
 * size.  A pair of which one side's sizes are not known makes the list unknown.
 *
 * ret  as above
 */
bool pairs_sizes(const struct arena_pairs *pairs, bool whole_only,
		 struct size_deltas *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
