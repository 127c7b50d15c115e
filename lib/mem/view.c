// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <string.h>

#include "mem/view.h"

bool view_load(struct view *ret, struct mem *mem, const struct layout *layout,
	       enum layout_struct type, uint64_t address, struct ari_error *err)
{
	assert(layout->bytes[type] <= sizeof(ret->bytes)); /* layout_complete() */
	ret->layout = layout;
	ret->type = type;
	ret->address = address;
	return mem_read(mem, address, ret->bytes, layout->bytes[type], err);
}

uint64_t view_at(const struct view *view, enum layout_member member, size_t index)
{
	const struct layout_place *place = &view->layout->members[member];
	uint64_t value = 0;

	assert(layout_struct_of(member) == view->type);
	if (place->size == 0 || index >= place->count)
		return ARI_UNKNOWN;
	/* Every machine in arch/ is little-endian, as we are. */
	memcpy(&value, view->bytes + place->offset + index * place->size, place->size);
	return value;
}

uint64_t view_address(const struct view *view, enum layout_member member, size_t index)
{
	const struct layout_place *place = &view->layout->members[member];

	return view->address + place->offset + index * place->size;
}
