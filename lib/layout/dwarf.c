// SPDX-License-Identifier: Apache-2.0
#include <dwarf.h>
#include <string.h>

#include "layout/dwarf.h"
#include "layout/members.h"

#define IMPORT_DEPTH_MAX 8 /* partial units made by dwz import few others */

/* Behind const, typedef and the like; false when there is no type. */
static bool peel(Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	for (int depth = 0; depth < 32; depth++) {
		switch (dwarf_tag(type)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_atomic_type:
			break;
		default:
			return true;
		}
		if (dwarf_formref_die(dwarf_attr_integrate(type, DW_AT_type, &attribute),
				      type) == NULL)
			return false;
	}
	return false;
}

static uint32_t array_count(Dwarf_Die *array)
{
	Dwarf_Die range;
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_child(array, &range) != 0)
		return 0;
	if (dwarf_formudata(dwarf_attr(&range, DW_AT_count, &attribute), &value) == 0)
		return (uint32_t)value;
	if (dwarf_formudata(dwarf_attr(&range, DW_AT_upper_bound, &attribute), &value) ==
	    0)
		return (uint32_t)value + 1;
	return 0;
}

/* Size and count of a member's elements; false for what we cannot read. */
static bool place_type(Dwarf_Die *member, struct layout_place *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	int size;

	if (dwarf_formref_die(dwarf_attr_integrate(member, DW_AT_type, &attribute),
			      &type) == NULL ||
	    !peel(&type))
		return false;
	place->count = 1;
	if (dwarf_tag(&type) == DW_TAG_array_type) {
		place->count = array_count(&type);
		if (dwarf_formref_die(dwarf_attr_integrate(&type, DW_AT_type, &attribute),
				      &type) == NULL ||
		    !peel(&type))
			return false;
	}
	/* A pointer without a size has that of an address. */
	size = dwarf_bytesize(&type);
	if (size < 0 && dwarf_tag(&type) == DW_TAG_pointer_type)
		size = 8;
	place->size = (uint32_t)size;
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void fill_member(Dwarf_Die *die, enum layout_struct in, struct layout *layout)
{
	const char *name = dwarf_diename(die);
	struct layout_place place = { 0 };
	Dwarf_Attribute attribute;
	Dwarf_Word offset;

	if (name == NULL || dwarf_tag(die) != DW_TAG_member ||
	    dwarf_formudata(dwarf_attr(die, DW_AT_data_member_location, &attribute),
			    &offset) != 0 ||
	    offset > LAYOUT_STRUCT_MAX || !place_type(die, &place))
		return;
	place.offset = (uint32_t)offset;
	for (size_t i = 0; i < member_rows_count; i++)
		if (member_rows[i].in == in && strcmp(member_rows[i].name, name) == 0)
			layout->members[member_rows[i].id] = place;
}

static void fill_struct(Dwarf_Die *die, struct layout *layout)
{
	const char *name = dwarf_diename(die);
	int bytes = dwarf_bytesize(die);
	Dwarf_Die member;

	if (name == NULL || bytes <= 0)
		return;
	for (int id = 0; id < LAYOUT_STRUCTS; id++) {
		if (layout->bytes[id] != 0 || strcmp(struct_rows[id].name, name) != 0)
			continue;
		layout->bytes[id] = (uint32_t)bytes;
		if (dwarf_child(die, &member) != 0)
			continue;
		do
			fill_member(&member, (enum layout_struct)id, layout);
		while (dwarf_siblingof(&member, &member) == 0);
	}
}

static bool is_filled(const struct layout *layout)
{
	for (int id = 0; id < LAYOUT_STRUCTS; id++)
		if (layout->bytes[id] == 0)
			return false;
	return true;
}

/* dwz moves types that units share into partial units, which those import. */
static void fill_unit(Dwarf_Die *unit, struct layout *layout, int depth)
{
	Dwarf_Attribute attribute;
	Dwarf_Die die, imported;

	if (depth == IMPORT_DEPTH_MAX || dwarf_child(unit, &die) != 0)
		return;
	do {
		if (dwarf_tag(&die) == DW_TAG_structure_type)
			fill_struct(&die, layout);
		else if (dwarf_tag(&die) == DW_TAG_imported_unit &&
			 dwarf_formref_die(dwarf_attr(&die, DW_AT_import, &attribute),
					   &imported) != NULL)
			fill_unit(&imported, layout, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

void dwarf_fill_layout(Dwarf *dwarf, Dwarf_Die *unit, struct layout *layout)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	if (unit != NULL)
		fill_unit(unit, layout, 0);
	/* tcache may truly be missing: only what every release has is searched. */
	if (layout->bytes[MALLOC_STATE] != 0 && layout->bytes[MALLOC_PAR] != 0 &&
	    layout->bytes[HEAP_INFO] != 0 && layout->bytes[MALLOC_CHUNK] != 0)
		return;
	while (!is_filled(layout) &&
	       dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0)
		fill_unit(&die, layout, 0);
}
