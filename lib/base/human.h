/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HUMAN_H
#define BASE_HUMAN_H

#include <stdint.h>

#define HUMAN_ROOM 32

/* A number as people read it, for messages: "812.0 MiB", "17 B". */
const char *human_bytes(uint64_t bytes, char room[HUMAN_ROOM]);

#endif
