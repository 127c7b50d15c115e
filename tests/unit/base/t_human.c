// SPDX-License-Identifier: Apache-2.0
#include "base/human.h"
#include "unit.h"

TEST(bytes_have_one_decimal_and_the_unit_that_fits)
{
	char room[HUMAN_ROOM];

	ck_assert_str_eq(human_bytes(0, room), "0 B");
	ck_assert_str_eq(human_bytes(1023, room), "1023 B");
	ck_assert_str_eq(human_bytes(1024, room), "1.0 KiB");
	ck_assert_str_eq(human_bytes(1536 << 10, room), "1.5 MiB");
	ck_assert_str_eq(human_bytes((1024 << 10) - 1, room), "1.0 MiB");
	ck_assert_str_eq(human_bytes(UINT64_MAX, room), "16.0 EiB");
}

UNIT_MAIN("base/human", bytes_have_one_decimal_and_the_unit_that_fits)
