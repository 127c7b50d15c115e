/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_TIME_LEFT_H
#define CMD_TIME_LEFT_H

#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)

/* Nanoseconds of the monotonic clock. */
uint64_t time_now(void);

/* ---- one --timeout for several visits ---- */

/* timeout_ns: 0: never. */
uint64_t time_end_after(uint64_t timeout_ns);

/* The timeout of a visit that begins now: 0: none; 1 when the time is over. */
uint64_t time_left(uint64_t end);

#endif
