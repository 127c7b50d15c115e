// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/error.h"
#include "layout/members.h"

#define HEAP_SPAN_USUAL ((uint64_t)64 << 20)
#define HEAP_HUGE_PAGES 4

unsigned int layout_release(const char *version)
{
	char *end;
	unsigned long major = strtoul(version, &end, 10), minor, patch = 0;

	if (*end != '.')
		return 0;
	minor = strtoul(end + 1, &end, 10);
	if (*end == '.')
		patch = strtoul(end + 1, NULL, 10);
	return LAYOUT_RELEASE((unsigned int)major, (unsigned int)minor + (patch >= 9000));
}

static const struct trait_row {
	enum layout_trait id;
	unsigned int since, until;
} trait_rows[] = {
	/* glibc a1a486d70e "Add Safe-Linking to fastbins and tcache" */
	{ TRAIT_SAFE_LINKING, LAYOUT_RELEASE(2, 32), RELEASE_NOW },
	{ TRAIT_HEAP_SPAN_HUGE, LAYOUT_RELEASE(2, 35), LAYOUT_RELEASE(2, 42) },
	{ TRAIT_MMAPPED_SHORT, LAYOUT_RELEASE(2, 43), RELEASE_NOW },
	{ TRAIT_TCACHE_DUMMY, LAYOUT_RELEASE(2, 43), RELEASE_NOW },
	{ TRAIT_LIMIT_BY_AFFINITY, LAYOUT_RELEASE(2, 35), LAYOUT_RELEASE(2, 39) },
	{ TRAIT_CORRUPT_FLAG, LAYOUT_RELEASE(2, 22), LAYOUT_RELEASE(2, 27) },
	/* since then builds have them unless they were left out; 2.38 has them always */
	{ TRAIT_TUNABLES, LAYOUT_RELEASE(2, 26), RELEASE_NOW },
	{ TRAIT_TUNABLE_HUGETLB, LAYOUT_RELEASE(2, 35), RELEASE_NOW },
};

static bool is_within(const struct trait_row *row, unsigned int release)
{
	return row->since <= release && release < row->until;
}

bool layout_release_does(unsigned int release, enum layout_trait trait)
{
	for (size_t i = 0; i < sizeof(trait_rows) / sizeof(*trait_rows); i++)
		if (trait_rows[i].id == trait)
			return is_within(&trait_rows[i], release);
	return false;
}

void layout_set_traits(struct layout *layout, unsigned int release)
{
	for (size_t i = 0; i < sizeof(trait_rows) / sizeof(*trait_rows); i++)
		layout->traits[trait_rows[i].id] = is_within(&trait_rows[i], release);
}

uint64_t layout_heap_span(const struct layout *layout, uint64_t huge)
{
	/* glibc 5f6d8d97c6 (2.35): HEAP_MAX_SIZE follows the huge page size. */
	if (layout->traits[TRAIT_HEAP_SPAN_HUGE] && huge != 0 && huge != ARI_UNKNOWN &&
	    huge <= LAYOUT_HUGE_PAGE_MAX && (huge & (huge - 1)) == 0)
		return HEAP_HUGE_PAGES * huge;
	return HEAP_SPAN_USUAL;
}

static bool row_fits(const struct layout *layout, const struct member_row *row)
{
	const struct layout_place *place = &layout->members[row->id];

	return place->size == 0 ||
	       (place->count > 0 &&
		place->offset + (uint64_t)place->size * place->count <=
			layout->bytes[row->in]);
}

/* Whether some release has neither this member's row nor another of its id. */
static bool is_needed(enum layout_member id)
{
	unsigned int covered = RELEASE_EVER;

	for (size_t i = 0; i < member_rows_count; i++)
		if (member_rows[i].id == id && member_rows[i].since <= covered)
			covered = member_rows[i].until;
	return covered == RELEASE_NOW;
}

bool layout_complete(const struct layout *layout, struct ari_error *err)
{
	for (int i = 0; i < LAYOUT_STRUCTS; i++)
		if (layout->bytes[i] > LAYOUT_STRUCT_MAX)
			return fail(err, ARI_BAD_LAYOUT,
				    "struct %s would be %u bytes, which cannot be",
				    layout_struct_name((enum layout_struct)i),
				    layout->bytes[i]);
	for (size_t i = 0; i < member_rows_count; i++) {
		const struct member_row *row = &member_rows[i];

		if (layout->members[row->id].size == 0 && is_needed(row->id))
			return fail(err, ARI_BAD_LAYOUT, "struct %s has no member %s",
				    layout_struct_name(row->in),
				    layout_member_name(row->id));
		if (layout->members[row->id].size > sizeof(uint64_t) ||
		    !row_fits(layout, row))
			return fail(err, ARI_BAD_LAYOUT,
				    "member %s would lie outside of struct %s",
				    layout_member_name(row->id),
				    layout_struct_name(row->in));
	}
	return true;
}

const char *layout_struct_name(enum layout_struct id)
{
	return struct_rows[id].name;
}

const char *layout_member_name(enum layout_member id)
{
	const char *name = "?";

	for (size_t i = 0; i < member_rows_count; i++)
		if (member_rows[i].id == id)
			name = member_rows[i].name; /* the newest */
	return name;
}

enum layout_struct layout_struct_of(enum layout_member id)
{
	for (size_t i = 0; i < member_rows_count; i++)
		if (member_rows[i].id == id)
			return member_rows[i].in;
	return LAYOUT_STRUCTS;
}
