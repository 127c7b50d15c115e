// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "layout/members.h"
#include "layout/table.h"

#define OLDEST LAYOUT_RELEASE(2, 17)

static uint32_t type_bytes(const struct arch *arch, enum member_type type)
{
	static const uint8_t fixed[] = {
		[TYPE_U8] = 1, [TYPE_U16] = 2, [TYPE_INT] = 4, [TYPE_UINT] = 4
	};

	return type == TYPE_WORD ? arch->word_bytes : fixed[type];
}

static uint32_t align(uint32_t offset, uint32_t to)
{
	return (offset + to - 1) / to * to;
}

static void place_struct(enum layout_struct in, unsigned int release,
			 struct layout *layout)
{
	uint32_t offset = 0, widest = 1;

	for (size_t i = 0; i < member_rows_count; i++) {
		const struct member_row *row = &member_rows[i];
		uint32_t bytes = type_bytes(layout->arch, row->type);

		if (row->in != in || release < row->since || release >= row->until)
			continue;
		offset = align(offset, bytes);
		layout->members[row->id] =
			(struct layout_place){ offset, bytes, row->count };
		offset += bytes * row->count;
		widest = bytes > widest ? bytes : widest;
	}
	if (struct_rows[in].align == ALIGN_AS_MALLOC)
		widest = layout->arch->malloc_alignment;
	layout->bytes[in] = align(offset, widest);
}

void table_layout(const struct arch *arch, unsigned int release, struct layout *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->arch = arch;
	ret->source = ARI_LAYOUT_TABLE;
	for (int in = 0; in < LAYOUT_STRUCTS; in++)
		place_struct((enum layout_struct)in, release, ret);
	layout_set_traits(ret, release);
}

static int by_number(const void *a, const void *b)
{
	unsigned int left = *(const unsigned int *)a, right = *(const unsigned int *)b;

	return left < right ? -1 : left > right;
}

size_t table_releases(unsigned int *releases, size_t room)
{
	size_t count = 0;

	assert(room > 0);
	releases[count++] = OLDEST;
	for (size_t i = 0; i < 2 * member_rows_count; i++) {
		unsigned int at =
			i % 2 ? member_rows[i / 2].until : member_rows[i / 2].since;
		bool is_new = at > OLDEST && at != RELEASE_NOW;

		for (size_t n = 0; n < count && is_new; n++)
			is_new = releases[n] != at;
		if (is_new && count < room)
			releases[count++] = at;
	}
	qsort(releases, count, sizeof(*releases), by_number);
	return count;
}

bool layout_same_struct(const struct layout *a, const struct layout *b,
			enum layout_struct id)
{
	if (a->bytes[id] != b->bytes[id])
		return false;
	for (size_t i = 0; i < member_rows_count; i++) {
		enum layout_member member = member_rows[i].id;

		if (member_rows[i].in == id &&
		    memcmp(&a->members[member], &b->members[member],
			   sizeof(a->members[member])) != 0)
			return false;
	}
	return true;
}
