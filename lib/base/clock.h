/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "arenainspect.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* Nanoseconds of CLOCK_MONOTONIC and of CLOCK_REALTIME. */
uint64_t clock_monotonic_ns(void);
uint64_t clock_real_ns(void);

/* A moment of the monotonic clock after which work stops; 0: never. */
struct deadline {
	uint64_t at_ns;
};

struct deadline deadline_in(uint64_t timeout_ns);

/* Fails with ARI_TIMED_OUT once the moment has passed. */
bool deadline_ok(struct deadline deadline, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
