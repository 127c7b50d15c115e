// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "unit.h"

TEST(failure_says_code_and_message_and_no_address)
{
	struct ari_error err;

	ck_fails(fail(&err, ARI_GONE, "process %d ended", 7), &err, ARI_GONE);
	ck_assert_str_eq(err.message, "process 7 ended");
	ck_assert_uint_eq(err.address, ARI_UNKNOWN);
}

TEST(fault_says_its_address)
{
	struct ari_error err;

	ck_fails(fail_at(&err, ARI_FAULT, 0x1000, "bad"), &err, ARI_FAULT);
	ck_assert_uint_eq(err.address, 0x1000);
}

TEST(long_message_is_cut_and_ends)
{
	struct ari_error err;
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_fails(fail(&err, ARI_IO, "%s", text), &err, ARI_IO);
	ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}

TEST(failure_without_a_place_for_it_is_dropped)
{
	ck_assert(!fail(NULL, ARI_IO, "nobody asks"));
	ck_assert(!fail_at(NULL, ARI_FAULT, 1, "nobody asks"));
	ck_assert(!fail_memory(NULL));
}

TEST(want_of_memory_is_said)
{
	struct ari_error err;

	ck_fails(fail_memory(&err), &err, ARI_NO_MEMORY);
}

UNIT_MAIN("base/error", failure_says_code_and_message_and_no_address,
	  fault_says_its_address, long_message_is_cut_and_ends,
	  failure_without_a_place_for_it_is_dropped, want_of_memory_is_said)
