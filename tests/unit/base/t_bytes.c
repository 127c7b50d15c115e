// SPDX-License-Identifier: Apache-2.0
#include "arenainspect.h"
#include "unit.h"

TEST(bytes_have_one_decimal_and_the_unit_that_fits)
{
	char room[ARI_BYTES_ROOM];

	ck_assert_str_eq(ari_bytes_text(0, room), "0 B");
	ck_assert_str_eq(ari_bytes_text(1023, room), "1023 B");
	ck_assert_str_eq(ari_bytes_text(1024, room), "1.0 KiB");
	ck_assert_str_eq(ari_bytes_text(1536 << 10, room), "1.5 MiB");
	ck_assert_str_eq(ari_bytes_text((1024 << 10) - 1, room), "1.0 MiB");
	ck_assert_str_eq(ari_bytes_text(UINT64_MAX - 1, room), "16.0 EiB");
	ck_assert_str_eq(ari_bytes_text(ARI_UNKNOWN, room), "unknown");
}

UNIT_MAIN("base/bytes", bytes_have_one_decimal_and_the_unit_that_fits)
