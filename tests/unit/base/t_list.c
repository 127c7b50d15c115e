// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "unit.h"

struct item {
	char before;
	uint64_t key;
	uint32_t after;
};

static ptrdiff_t floor_of(const struct item *items, size_t count, uint64_t key)
{
	return list_floor(items, count, sizeof(*items), offsetof(struct item, key), key);
}

TEST(floor_is_the_last_element_not_above_the_key)
{
	static const struct item items[] = {
		{ .key = 10 },
		{ .key = 20 },
		{ .key = 20 },
		{ .key = UINT64_MAX },
	};

	ck_assert_int_eq(floor_of(items, 0, 5), -1);
	ck_assert_int_eq(floor_of(items, 4, 0), -1);
	ck_assert_int_eq(floor_of(items, 4, 9), -1);
	ck_assert_int_eq(floor_of(items, 4, 10), 0);
	ck_assert_int_eq(floor_of(items, 4, 19), 0);
	ck_assert_int_eq(floor_of(items, 4, 20), 2);
	ck_assert_int_eq(floor_of(items, 4, UINT64_MAX - 1), 2);
	ck_assert_int_eq(floor_of(items, 4, UINT64_MAX), 3);
	ck_assert_int_eq(floor_of(items, 1, UINT64_MAX), 0);
}

TEST(floor_agrees_with_a_linear_search)
{
	struct item items[50];

	for (size_t i = 0; i < 50; i++)
		items[i] = (struct item){ .key = 3 * i + 1 };
	for (size_t count = 0; count <= 50; count++)
		for (uint64_t key = 0; key < 155; key++) {
			ptrdiff_t expected = -1;

			for (size_t i = 0; i < count; i++)
				if (items[i].key <= key)
					expected = (ptrdiff_t)i;
			must(floor_of(items, count, key) == expected);
		}
}

TEST(list_grows_by_zeroed_elements_and_keeps_the_earlier_ones)
{
	ARI_LIST(struct item) list = { 0 };
	struct ari_error err;

	ck_assert(!list.known);
	for (uint64_t i = 0; i < 1000; i++) {
		struct item *item = list_add(&list, &err);

		ck_assert_ptr_nonnull(item);
		ck_assert_uint_eq(item->key, 0);
		ck_assert_uint_eq(item->after, 0);
		*item = (struct item){ .key = i + 1, .after = 7 };
	}
	ck_assert(list.known);
	ck_assert_uint_eq(list.count, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(list.at[i].key, i + 1);
	list_done(&list);
	ck_assert_ptr_null(list.at);
	ck_assert_uint_eq(list.count, 0);
	ck_assert(!list.known);
}

TEST(list_that_cannot_grow_keeps_its_elements)
{
	ARI_LIST(struct item) list = { 0 };
	struct ari_error err;

	for (int i = 0; i < 8; i++)
		ck_assert_ptr_nonnull(list_add(&list, &err));
	ck_assert_ptr_null(list_grow(&list.raw, SIZE_MAX / 4, &err));
	ck_assert_int_eq(err.code, ARI_NO_MEMORY);
	ck_assert_uint_eq(list.count, 8);
	ck_assert_ptr_nonnull(list_add(&list, &err));
	list_done(&list);
}

TEST(empty_list_can_be_freed_twice)
{
	ARI_LIST(struct item) list = { 0 };

	list_done(&list);
	list_done(&list);
}

UNIT_MAIN("base/list", floor_is_the_last_element_not_above_the_key,
	  floor_agrees_with_a_linear_search,
	  list_grows_by_zeroed_elements_and_keeps_the_earlier_ones,
	  list_that_cannot_grow_keeps_its_elements, empty_list_can_be_freed_twice)
