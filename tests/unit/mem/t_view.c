// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "fake.h"
#include "mem/view.h"
#include "unit.h"

#define AT ((uint64_t)0x10000)

/* A malloc_state of 64 bytes that has four members of different widths. */
static const struct layout layout = {
	.arch = &arch_x86_64,
	.members = {
		[MS_MUTEX] = { 0, 4, 1 },
		[MS_FLAGS] = { 4, 1, 1 },
		[MS_TOP] = { 8, 8, 1 },
		[MS_BINMAP] = { 16, 2, 3 },
		[MS_BINS] = { 40, 8, 3 },
	},
	.bytes = { [MALLOC_STATE] = 64, [TCACHE] = 0 },
};

static void load(struct fake *fake, struct view *ret)
{
	struct ari_error err;

	fake_init(fake, 4096);
	fake_map(fake, AT, 0x1000, "rw-p", "");
	for (uint64_t i = 0; i < 0x1000; i++)
		*fake_at(fake, AT + i, 1) = (uint8_t)(0x80 + i);
	ck_works(view_load(ret, &fake->mem, &layout, MALLOC_STATE, AT, &err), &err);
}

TEST(members_are_read_in_their_width)
{
	struct fake fake;
	struct view view;

	load(&fake, &view);
	ck_assert_uint_eq(view_word(&view, MS_MUTEX), 0x83828180);
	ck_assert_uint_eq(view_word(&view, MS_FLAGS), 0x84);
	ck_assert_uint_eq(view_word(&view, MS_TOP), 0x8f8e8d8c8b8a8988);
	ck_assert_uint_eq(view_at(&view, MS_BINMAP, 0), 0x9190);
	ck_assert_uint_eq(view_at(&view, MS_BINMAP, 2), 0x9594);
	ck_assert_uint_eq(view_at(&view, MS_BINS, 2), 0xbfbebdbcbbbab9b8);
	fake_done(&fake);
}

TEST(member_that_is_not_there_is_unknown)
{
	struct fake fake;
	struct view view;

	load(&fake, &view);
	ck_assert(view_has(&view, MS_TOP));
	ck_assert(!view_has(&view, MS_HAVE_FASTCHUNKS));
	ck_assert_uint_eq(view_word(&view, MS_HAVE_FASTCHUNKS), ARI_UNKNOWN);
	ck_assert_uint_eq(view_at(&view, MS_FASTBINS, 3), ARI_UNKNOWN);
	fake_done(&fake);
}

TEST(element_beyond_the_count_is_unknown)
{
	struct fake fake;
	struct view view;

	load(&fake, &view);
	ck_assert_uint_eq(view_at(&view, MS_BINMAP, 3), ARI_UNKNOWN);
	ck_assert_uint_eq(view_at(&view, MS_TOP, 1), ARI_UNKNOWN);
	ck_assert_uint_eq(view_at(&view, MS_BINS, SIZE_MAX), ARI_UNKNOWN);
	fake_done(&fake);
}

TEST(struct_is_read_once)
{
	struct fake fake;
	struct view view;
	uint64_t before;

	load(&fake, &view);
	before = view_word(&view, MS_TOP);
	fake_put(&fake, AT + 8, 0);
	ck_assert_uint_eq(view_word(&view, MS_TOP), before);
	ck_assert_uint_eq(fake.copies, 1);
	fake_done(&fake);
}

TEST(address_is_that_of_the_element)
{
	struct fake fake;
	struct view view;

	load(&fake, &view);
	ck_assert_uint_eq(view_address(&view, MS_TOP, 0), AT + 8);
	ck_assert_uint_eq(view_address(&view, MS_BINS, 2), AT + 56);
	fake_done(&fake);
}

TEST(struct_that_ends_outside_of_memory_is_a_fault)
{
	struct fake fake;
	struct view view;
	struct ari_error err;

	load(&fake, &view);
	ck_fails(view_load(&view, &fake.mem, &layout, MALLOC_STATE, AT + 0xfe0, &err),
		 &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, AT + 0x1000);
	ck_fails(view_load(&view, &fake.mem, &layout, MALLOC_STATE, UINT64_MAX - 7, &err),
		 &err, ARI_FAULT);
	fake_done(&fake);
}

UNIT_MAIN("mem/view", members_are_read_in_their_width,
	  member_that_is_not_there_is_unknown, element_beyond_the_count_is_unknown,
	  struct_is_read_once, address_is_that_of_the_element,
	  struct_that_ends_outside_of_memory_is_a_fault)
