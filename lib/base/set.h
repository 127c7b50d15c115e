/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SET_H
#define BASE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arenainspect.h"

struct set_slot {
	uint64_t key, value;
};

/*
 * A map from non-zero addresses to a number, to tell in constant time whether
 * a walk has been somewhere.  Starts zeroed.
 */
struct set {
	struct set_slot *slots;
	size_t count, room; /* room is 0 or a power of two */
};

/* Adds key (not 0) with a value; a key that is in it keeps its first value. */
bool set_add(struct set *set, uint64_t key, uint64_t value, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The value of key in *ret (may be NULL), or false. */
bool set_find(const struct set *set, uint64_t key, uint64_t *ret);

void set_done(struct set *set);

#endif
