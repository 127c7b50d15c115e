// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"

void *list_grow(struct ari_list *list, size_t size, struct ari_error *err)
{
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 8 : list->room * 2;
		void *at = reallocarray(list->at, room, size);

		if (at == NULL) {
			fail_memory(err);
			return NULL;
		}
		list->at = at;
		list->room = room;
	}
	list->known = true;
	return memset((char *)list->at + list->count++ * size, 0, size);
}

void list_free(struct ari_list *list)
{
	free(list->at);
	*list = (struct ari_list){ 0 };
}

ptrdiff_t list_floor(const void *at, size_t count, size_t size, size_t offset,
		     uint64_t key)
{
	size_t low = 0, high = count; /* the answer is in [low - 1, high) */

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t found;

		memcpy(&found, (const char *)at + middle * size + offset, sizeof(found));
		if (found <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return (ptrdiff_t)low - 1;
}
