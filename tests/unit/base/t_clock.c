// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "unit.h"

TEST(no_timeout_never_ends)
{
	struct ari_error err;

	ck_assert_uint_eq(deadline_in(0).at_ns, 0);
	ck_works(deadline_ok(deadline_in(0), &err), &err);
}

TEST(deadline_ahead_lets_work_go_on)
{
	struct ari_error err;

	ck_works(deadline_ok(deadline_in(UINT64_C(3600000000000)), &err), &err);
}

TEST(deadline_that_passed_is_a_timeout)
{
	struct deadline deadline = { .at_ns = clock_monotonic_ns() };
	struct ari_error err;

	ck_fails(deadline_ok(deadline, &err), &err, ARI_TIMED_OUT);
	ck_fails(deadline_ok((struct deadline){ .at_ns = 1 }, &err), &err, ARI_TIMED_OUT);
}

TEST(timeout_of_centuries_is_not_over_at_once)
{
	struct ari_error err;

	ck_works(deadline_ok(deadline_in(UINT64_MAX), &err), &err);
	ck_works(deadline_ok(deadline_in(UINT64_MAX - 1), &err), &err);
}

TEST(clocks_go_forward)
{
	uint64_t before = clock_monotonic_ns();

	ck_assert_uint_ge(clock_monotonic_ns(), before);
	ck_assert_uint_gt(clock_real_ns(), UINT64_C(1600000000) * 1000000000);
}

UNIT_MAIN("base/clock", no_timeout_never_ends, deadline_ahead_lets_work_go_on,
	  deadline_that_passed_is_a_timeout, timeout_of_centuries_is_not_over_at_once,
	  clocks_go_forward)
