// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "target/locked.h"
#include "target/smaps.h"

static bool take(const struct smaps *smaps, struct locked *ret, struct ari_error *err)
{
	for (size_t i = 0; i < smaps->list.count; i++) {
		const struct smap *smap = &smaps->list.at[i];
		struct span *span;

		if (!smap->locked)
			continue;
		span = list_add(&ret->list, err);
		if (span == NULL)
			return false;
		*span = (struct span){ smap->start, smap->end };
	}
	return true;
}

bool locked_read(const struct target *target, struct locked *ret, struct ari_error *err)
{
	struct smaps smaps;
	bool done;

	*ret = (struct locked){ 0 };
	if (target->status.locked_bytes == 0)
		return true;
	if (!smaps_of(target, &smaps, err))
		return false;
	done = take(&smaps, ret, err);
	smaps_done(&smaps);
	if (!done)
		locked_done(ret);
	return done;
}

void locked_done(struct locked *locked)
{
	list_done(&locked->list);
}
