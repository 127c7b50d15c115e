/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JOBS_H
#define BASE_JOBS_H

/* More threads than this are never at work on one thing. */
#define JOBS_MAX 8

/*
 * Threads for what can be done at the same time, from 1 to JOBS_MAX.  jobs: as many as
 * were asked for; 0: as there are processors.
 */
unsigned int jobs_wanted(unsigned int jobs);

#endif
