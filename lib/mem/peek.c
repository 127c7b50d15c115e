// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "mem/peek.h"

#define EMPTY 1u /* no page starts here */

bool peek_open(struct mem *mem, struct peek *ret, struct ari_error *err)
{
	*ret = (struct peek){ .mem = mem };
	ret->pages = malloc(PEEK_PAGES * mem->page_bytes);
	if (ret->pages == NULL)
		return fail_memory(err);
	if (!states_open(mem, &ret->states, err)) {
		peek_close(ret);
		return false;
	}
	peek_forget(ret);
	return true;
}

void peek_close(struct peek *peek)
{
	free(peek->pages);
	peek->pages = NULL;
	states_close(&peek->states);
}

void peek_forget(struct peek *peek)
{
	for (size_t i = 0; i < PEEK_PAGES; i++)
		peek->address[i] = EMPTY;
	states_forget(&peek->states);
	peek->loads = 0;
}

static bool look_up(struct peek *peek, uint64_t page, uint8_t *ret, struct ari_error *err)
{
	if (peek->loads++ == PEEK_LOADS) {
		states_forget(&peek->states);
		peek->loads = 0;
	}
	return states_get(&peek->states, page, ret, err);
}

static bool load_page(struct peek *peek, uint64_t page, size_t slot, bool *ret_ok,
		      struct ari_error *err)
{
	struct mem_range range = { page, peek->pages + slot * peek->mem->page_bytes,
				   peek->mem->page_bytes };
	uint8_t state;
	size_t done;

	*ret_ok = false;
	peek->address[slot] = EMPTY;
	if (!look_up(peek, page, &state, err))
		return mem_is_fault(err);
	peek->state = page_state(state);
	if (!page_is_present(state))
		return true;
	peek->state = PAGE_UNREADABLE;
	if (!peek->mem->ops->copy(peek->mem, &range, 1, &done, err))
		return mem_is_fault(err);
	peek->address[slot] = page;
	*ret_ok = true;
	return true;
}

bool peek_word(struct peek *peek, uint64_t address, uint64_t *ret, bool *ret_ok,
	       struct ari_error *err)
{
	uint64_t bytes = peek->mem->page_bytes, page = address - address % bytes;
	size_t slot = page / bytes % PEEK_PAGES;

	if (address - page > bytes - sizeof(*ret)) {
		*ret_ok = false; /* no word of malloc's crosses pages */
		return true;
	}
	*ret_ok = peek->address[slot] == page;
	if (!*ret_ok && !load_page(peek, page, slot, ret_ok, err))
		return false;
	if (*ret_ok)
		memcpy(ret, peek->pages + slot * bytes + (address - page), sizeof(*ret));
	return true;
}
