// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>

#include "base/human.h"

const char *human_bytes(uint64_t bytes, char room[HUMAN_ROOM])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double rounded = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(room, HUMAN_ROOM, "%" PRIu64 " B", bytes);
		return room;
	}
	/* From here on one decimal would print as 1024.0. */
	while (rounded >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		rounded /= 1024;
		unit++;
	}
	snprintf(room, HUMAN_ROOM, "%.1f %s", rounded, units[unit]);
	return room;
}
