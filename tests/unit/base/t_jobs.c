// SPDX-License-Identifier: Apache-2.0
#include <limits.h>

#include "base/jobs.h"
#include "unit.h"

TEST(as_many_as_were_asked_for_up_to_a_bound)
{
	ck_assert_uint_eq(jobs_wanted(1), 1);
	ck_assert_uint_eq(jobs_wanted(JOBS_MAX), JOBS_MAX);
	ck_assert_uint_eq(jobs_wanted(JOBS_MAX + 1), JOBS_MAX);
	ck_assert_uint_eq(jobs_wanted(UINT_MAX), JOBS_MAX);
}

TEST(some_when_nobody_asked)
{
	ck_assert_uint_ge(jobs_wanted(0), 1);
	ck_assert_uint_le(jobs_wanted(0), JOBS_MAX);
}

UNIT_MAIN("base/jobs", as_many_as_were_asked_for_up_to_a_bound, some_when_nobody_asked)
