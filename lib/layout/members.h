/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_MEMBERS_H
#define LAYOUT_MEMBERS_H

#include "layout/layout.h"

/* members.def as tables, for the two sources of a layout. */

enum member_type { TYPE_U8, TYPE_U16, TYPE_INT, TYPE_UINT, TYPE_WORD };

struct member_row {
	enum layout_struct in;
	enum layout_member id;
	const char *name;
	enum member_type type;
	uint32_t count;
	unsigned int since, until; /* releases; until is the first without it */
};

#define RELEASE_EVER LAYOUT_RELEASE(2, 0)
#define RELEASE_NOW  UINT32_MAX

extern const struct member_row member_rows[];
extern const size_t member_rows_count;

enum struct_align { ALIGN_OF_MEMBERS, ALIGN_AS_MALLOC };

struct struct_row {
	const char *name;
	enum struct_align align;
};

extern const struct struct_row struct_rows[LAYOUT_STRUCTS];

#endif
