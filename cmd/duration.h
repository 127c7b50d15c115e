/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_DURATION_H
#define CMD_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "10", "0.5", "500ms", "2s", "10m", "1h": a decimal number above 0, of seconds
 * unless a suffix says otherwise, in nanoseconds; false: it is none.
 */
bool duration_parse(const char *text, uint64_t *ret);

#endif
