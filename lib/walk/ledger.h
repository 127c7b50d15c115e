/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LEDGER_H
#define WALK_LEDGER_H

#include "walk/chunks.h"

/*
 * A tally as the arena's numbers: bytes and chunks of every kind, bins and
 * sizes.  top is the walk's, so that all terms are of one moment.  Where threads' caches
 * are not known nothing is said of them, and what they hold is in use.
 */
bool ledger_fill(struct ari_arena *arena, const struct tally *tally, bool knows_caches,
		 struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The same of the resident bytes, after ledger_fill() and once the arena's total is
 * known.  Classes that do not add up to it stay unknown.
 */
void ledger_fill_resident(struct ari_arena *arena, const struct tally *tally);

#endif
