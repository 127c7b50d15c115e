// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "base/jobs.h"

unsigned int jobs_wanted(unsigned int jobs)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (jobs == 0)
		jobs = processors < 1 ? 1 : (unsigned int)processors;
	return jobs < JOBS_MAX ? jobs : JOBS_MAX;
}
