// SPDX-License-Identifier: Apache-2.0
#include "base/set.h"
#include "unit.h"

TEST(empty_set_holds_nothing)
{
	struct set set = { 0 };

	ck_assert(!set_find(&set, 1, NULL));
	ck_assert(!set_find(&set, 0, NULL));
	set_done(&set);
}

TEST(every_key_is_found_with_its_value)
{
	struct set set = { 0 };
	struct ari_error err;
	uint64_t value;

	for (uint64_t i = 1; i <= 5000; i++)
		ck_works(set_add(&set, i << 26, i, &err), &err);
	ck_assert_uint_eq(set.count, 5000);
	for (uint64_t i = 1; i <= 5000; i++) {
		ck_assert(set_find(&set, i << 26, &value));
		ck_assert_uint_eq(value, i);
		ck_assert(!set_find(&set, (i << 26) + 1, NULL));
	}
	ck_assert(!set_find(&set, 0, NULL));
	set_done(&set);
}

TEST(key_that_is_added_twice_keeps_its_first_value)
{
	struct set set = { 0 };
	struct ari_error err;
	uint64_t value;

	ck_works(set_add(&set, 42, 1, &err), &err);
	ck_works(set_add(&set, 42, 2, &err), &err);
	ck_assert_uint_eq(set.count, 1);
	ck_assert(set_find(&set, 42, &value));
	ck_assert_uint_eq(value, 1);
	set_done(&set);
}

TEST(highest_key_is_a_key_like_others)
{
	struct set set = { 0 };
	struct ari_error err;

	ck_works(set_add(&set, UINT64_MAX, 0, &err), &err);
	ck_assert(set_find(&set, UINT64_MAX, NULL));
	ck_assert(!set_find(&set, UINT64_MAX - 1, NULL));
	set_done(&set);
}

UNIT_MAIN("base/set", empty_set_holds_nothing, every_key_is_found_with_its_value,
	  key_that_is_added_twice_keeps_its_first_value, highest_key_is_a_key_like_others)
