// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "time_left.h"

#define NEVER UINT64_MAX

uint64_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t time_end_after(uint64_t timeout_ns)
{
	return timeout_ns == 0 ? NEVER : time_now() + timeout_ns;
}

uint64_t time_left(uint64_t end)
{
	uint64_t time = time_now();

	if (end == NEVER)
		return 0;
	return end > time ? end - time : 1;
}
