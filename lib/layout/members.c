// SPDX-License-Identifier: Apache-2.0
#include "layout/members.h"

#define V(major, minor) LAYOUT_RELEASE(major, minor)
#define EVER		RELEASE_EVER
#define NOW		RELEASE_NOW

const struct member_row member_rows[] = {
#define MEMBER(in, id, name, type, count, since, until) \
	{ in, id, name, TYPE_##type, count, since, until },
#include "layout/members.def"
};

const size_t member_rows_count = sizeof(member_rows) / sizeof(*member_rows);

const struct struct_row struct_rows[LAYOUT_STRUCTS] = {
#define STRUCT(id, name, align) [id] = { name, ALIGN_##align },
#include "layout/members.def"
};
