// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/error.h"
#include "base/set.h"

static struct set_slot *slot_of(struct set_slot *slots, size_t room, uint64_t key)
{
	/* Fibonacci hashing: addresses differ in their middle bits. */
	size_t i = (key * 0x9e3779b97f4a7c15u) >> 32;

	for (;; i++) {
		struct set_slot *slot = &slots[i & (room - 1)];

		if (slot->key == key || slot->key == 0)
			return slot;
	}
}

static bool set_reserve(struct set *set, struct ari_error *err)
{
	size_t room = set->room == 0 ? 16 : set->room * 2;
	struct set_slot *slots;

	if (set->count * 2 < set->room)
		return true;
	slots = calloc(room, sizeof(*slots));
	if (slots == NULL)
		return fail_memory(err);
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i].key != 0)
			*slot_of(slots, room, set->slots[i].key) = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->room = room;
	return true;
}

bool set_add(struct set *set, uint64_t key, uint64_t value, struct ari_error *err)
{
	struct set_slot *slot;

	if (!set_reserve(set, err))
		return false;
	slot = slot_of(set->slots, set->room, key);
	if (slot->key == 0) {
		*slot = (struct set_slot){ key, value };
		set->count++;
	}
	return true;
}

bool set_find(const struct set *set, uint64_t key, uint64_t *ret)
{
	const struct set_slot *slot;

	if (set->room == 0 || key == 0)
		return false;
	slot = slot_of(set->slots, set->room, key);
	if (slot->key == 0)
		return false;
	if (ret != NULL)
		*ret = slot->value;
	return true;
}

void set_done(struct set *set)
{
	free(set->slots);
	*set = (struct set){ 0 };
}
