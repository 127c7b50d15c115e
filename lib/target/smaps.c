// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "target/procfs.h"
#include "target/smaps.h"

/* Lines of a mapping that are counted, in kB, and where they go. */
// clang-format off
static const struct count_line {
	const char *key;
	size_t offset;
} count_lines[] = {
	{ "Rss:", offsetof(struct smap, rss) },
	{ "Swap:", offsetof(struct smap, swap) },
};
// clang-format on

static void take_line(struct smap *smap, const char *line)
{
	const char *flags = procfs_line(line, "VmFlags:");

	if (flags != NULL) {
		smap->locked = strstr(flags, " lo") != NULL;
		smap->hugetlb = strstr(flags, " ht") != NULL;
	}
	for (size_t i = 0; i < sizeof(count_lines) / sizeof(*count_lines); i++) {
		uint64_t bytes = procfs_kb(line, count_lines[i].key);

		if (bytes != ARI_UNKNOWN)
			*(uint64_t *)(void *)((char *)smap + count_lines[i].offset) =
				bytes;
	}
}

bool smaps_read(FILE *stream, struct smaps *ret, struct ari_error *err)
{
	struct smaps smaps = { 0 };
	autofree char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stream) > 0) {
		uint64_t start, end;
		struct smap *smap;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) != 2) {
			if (smaps.list.count > 0)
				take_line(&smaps.list.at[smaps.list.count - 1], line);
			continue;
		}
		smap = list_add(&smaps.list, err);
		if (smap == NULL) {
			smaps_done(&smaps);
			return false;
		}
		smap->start = start;
		smap->end = end;
	}
	if (ferror(stream)) {
		smaps_done(&smaps);
		return fail(err, ARI_GONE, "the process went away");
	}
	*ret = smaps;
	return true;
}

bool smaps_of(const struct target *target, struct smaps *ret, struct ari_error *err)
{
	autofclose FILE *stream = NULL;

	return procfs_stream(target->task_dir, "smaps", &stream, err) &&
	       smaps_read(stream, ret, err);
}

void smaps_done(struct smaps *smaps)
{
	list_done(&smaps->list);
}

const struct smap *smaps_find(const struct smaps *smaps, uint64_t address)
{
	ptrdiff_t i = list_floor(smaps->list.at, smaps->list.count, sizeof(struct smap),
				 offsetof(struct smap, start), address);

	if (i < 0 || smaps->list.at[i].end <= address)
		return NULL;
	return &smaps->list.at[i];
}
