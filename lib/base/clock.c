// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

uint64_t clock_real_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

struct deadline deadline_in(uint64_t timeout_ns)
{
	struct deadline deadline = { 0 };

	if (timeout_ns != 0 &&
	    __builtin_add_overflow(clock_monotonic_ns(), timeout_ns, &deadline.at_ns))
		deadline.at_ns = UINT64_MAX;
	return deadline;
}

bool deadline_ok(struct deadline deadline, struct ari_error *err)
{
	if (deadline.at_ns == 0 || clock_monotonic_ns() < deadline.at_ns)
		return true;
	return fail(err, ARI_TIMED_OUT, "the time given with --timeout is over");
}
