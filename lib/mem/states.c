// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/error.h"
#include "mem/states.h"

#define NONE 1u /* no block starts here */

bool states_open(struct mem *mem, struct states *ret, struct ari_error *err)
{
	*ret = (struct states){ .mem = mem };
	ret->states = malloc((size_t)STATES_BLOCKS * STATES_BLOCK);
	if (ret->states == NULL)
		return fail_memory(err);
	states_forget(ret);
	return true;
}

void states_close(struct states *states)
{
	free(states->states);
	states->states = NULL;
}

void states_forget(struct states *states)
{
	for (size_t i = 0; i < STATES_BLOCKS; i++)
		states->block[i] = NONE;
}

bool states_get(struct states *states, uint64_t address, uint8_t *ret,
		struct ari_error *err)
{
	uint64_t page = states->mem->page_bytes, bytes = STATES_BLOCK * page;
	uint64_t block = address - address % bytes;
	size_t slot = block / bytes % STATES_BLOCKS;
	uint8_t *at = states->states + slot * STATES_BLOCK;

	if (states->block[slot] != block) {
		states->block[slot] = NONE;
		if (!states->mem->ops->pages(states->mem, block, STATES_BLOCK, at, err))
			return false;
		states->block[slot] = block;
	}
	*ret = at[(address - block) / page];
	return true;
}
