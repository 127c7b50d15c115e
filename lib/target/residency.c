// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "target/residency.h"

/*
 * What pages that are present but not exclusively mapped are, in one mapping.
 * With P pages present, E of them exclusive and R resident by smaps: P = R, all
 * count; E = R, only the exclusive ones do; else it cannot be told.
 */
enum rule { RULE_NOT_YET, RULE_ALL_COUNT, RULE_EXCLUSIVE_COUNT, RULE_UNKNOWN };

#define PAGES_AT_ONCE 512

static bool read_smaps(const struct target *target, struct residency *residency,
		       struct ari_error *err)
{
	if (!smaps_of(target, &residency->smaps, err))
		return err->code == ARI_DENIED;
	residency->has_smaps = true;
	for (size_t i = 0; i < residency->smaps.list.count; i++)
		if (list_add(&residency->rules, err) == NULL)
			return false;
	return true;
}

bool residency_open(const struct target *target, struct residency *ret,
		    struct ari_error *err)
{
	struct ari_error why = { 0 };

	*ret = (struct residency){ .pages = { .fd = -1 },
				   .lock = PTHREAD_MUTEX_INITIALIZER };
	if (!pages_open(target, &ret->pages, &why) && why.code != ARI_DENIED) {
		*err = why;
		return false;
	}
	if (ret->pages.fd >= 0 && ret->pages.can_scan)
		return true;
	if (read_smaps(target, ret, err))
		return true;
	residency_close(ret);
	return false;
}

void residency_close(struct residency *residency)
{
	pages_close(&residency->pages);
	smaps_done(&residency->smaps);
	list_done(&residency->rules);
}

static enum rule decide(const struct residency *residency, const struct smap *smap)
{
	uint64_t page = residency->pages.page_bytes, present = 0, exclusive = 0;
	uint8_t states[PAGES_AT_ONCE];

	if (residency->pages.fd < 0)
		return smap->rss == smap->end - smap->start && smap->swap == 0
			       ? RULE_ALL_COUNT
			       : RULE_UNKNOWN;
	for (uint64_t at = smap->start; at < smap->end;) {
		size_t count = (smap->end - at) / page;

		count = count < PAGES_AT_ONCE ? count : PAGES_AT_ONCE;
		if (count == 0 ||
		    !pages_lookup(&residency->pages, at, count, states, NULL))
			return RULE_UNKNOWN;
		for (size_t i = 0; i < count; i++) {
			present += page_is_present(states[i]);
			exclusive += states[i] == PAGE_PRESENT;
		}
		at += count * page;
	}
	if (present * page == smap->rss)
		return RULE_ALL_COUNT;
	return exclusive * page == smap->rss ? RULE_EXCLUSIVE_COUNT : RULE_UNKNOWN;
}

static enum rule rule_of(struct residency *residency, uint64_t address)
{
	const struct smap *smap = smaps_find(&residency->smaps, address);
	uint8_t *rule;

	if (smap == NULL)
		return RULE_UNKNOWN;
	rule = &residency->rules.at[smap - residency->smaps.list.at];
	pthread_mutex_lock(&residency->lock);
	if (*rule == RULE_NOT_YET)
		*rule = decide(residency, smap);
	pthread_mutex_unlock(&residency->lock);
	return (enum rule) * rule;
}

static uint8_t apply(enum rule rule, uint8_t state)
{
	if (state == PAGE_UNKNOWN && rule == RULE_ALL_COUNT)
		return PAGE_PRESENT;
	if (state != PAGE_NOT_ALONE || rule == RULE_UNKNOWN)
		return state;
	return rule == RULE_ALL_COUNT ? PAGE_PRESENT : PAGE_ZERO;
}

/* What the page tables leave open, by the rule of each mapping. */
static void settle(struct residency *residency, uint64_t start, size_t count,
		   uint8_t *states)
{
	uint64_t page = residency->pages.page_bytes;

	for (size_t i = 0; i < count && residency->has_smaps; i++)
		if (states[i] == PAGE_NOT_ALONE || states[i] == PAGE_UNKNOWN)
			states[i] =
				apply(rule_of(residency, start + i * page), states[i]);
}

bool residency_lookup(struct residency *residency, uint64_t start, size_t count,
		      uint8_t *states, struct ari_error *err)
{
	if (!pages_lookup(&residency->pages, start, count, states, err))
		return false;
	settle(residency, start, count, states);
	return true;
}

bool residency_lookup_mapped(struct residency *residency, uint64_t start, size_t count,
			     uint8_t *states, struct ari_error *err)
{
	if (!pages_lookup_mapped(&residency->pages, start, count, states, err))
		return false;
	settle(residency, start, count, states);
	return true;
}
