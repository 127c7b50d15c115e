// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "arenainspect.h"

const char *ari_bytes_text(uint64_t bytes, char room[ARI_BYTES_ROOM])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double rounded = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes == ARI_UNKNOWN)
		return "unknown";
	if (bytes < 1024) {
		snprintf(room, ARI_BYTES_ROOM, "%" PRIu64 " B", bytes);
		return room;
	}
	/* From here on one decimal would print as 1024.0. */
	while (rounded >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		rounded /= 1024;
		unit++;
	}
	snprintf(room, ARI_BYTES_ROOM, "%.1f %s", rounded, units[unit]);
	return room;
}
