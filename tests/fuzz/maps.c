// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "target/maps.h"

/* What maps.h promises: in address order, half-open, each address in one at most. */
static void check(const struct maps *maps)
{
	uint64_t end = 0, bytes = 0;

	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		FUZZ_MUST(map->start >= end && map->start < map->end);
		FUZZ_MUST(maps_find(maps, map->start) == map);
		FUZZ_MUST(maps_find(maps, map->end - 1) == map);
		FUZZ_MUST(map->path != NULL);
		FUZZ_MUST(
			maps_covers(maps, map->start, map->end - map->start, map->flags));
		end = map->end;
		bytes += map->end - map->start;
	}
	FUZZ_MUST(maps_bytes(maps) == bytes);
	FUZZ_MUST(maps_find(maps, end) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	FILE *stream = fmemopen((void *)(uintptr_t)bytes, count, "r");
	struct maps maps = { 0 };
	struct ari_error err = { .code = ARI_OK };

	if (stream == NULL) /* of no bytes there is none */
		return 0;
	if (maps_read(stream, &maps, &err)) {
		check(&maps);
		maps_done(&maps);
	} else {
		FUZZ_MUST(err.code != ARI_OK && err.message[0] != '\0');
	}
	fclose(stream);
	return 0;
}

static const char *const seeds[] = {
	"1000-2000 r--p 0 08:01 5 /opt/a b (deleted)\n",
	"7f5c00001000-7f5c00003000 r-xp 00002000 fd:01 131077        /usr/lib/libc.so.6\n"
	"7f5c00003000-7f5c00004000 rw-p 00000000 00:00 0 \n"
	"7f5c00005000-7f5c00006000 ---s 00000000 00:01 9 /dev/zero (deleted)\n",
	"555555554000-555555555000 rw-p 00000000 00:00 0                  [heap]\n"
	"7ffff7fc1000-7ffff7fc3000 r-xp 00000000 00:00 0                  [vdso]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n",
};

uint8_t *fuzz_seed(uint64_t n, size_t *ret)
{
	char *text;

	if (n == sizeof(seeds) / sizeof(*seeds))
		return NULL;
	text = strdup(seeds[n]);
	FUZZ_MUST(text != NULL);
	*ret = strlen(text);
	return (uint8_t *)text;
}
