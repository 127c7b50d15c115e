/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_RSS_H
#define TARGET_RSS_H

#include "target/residency.h"

/* A piece of one mapping, and how many bytes of it are in RSS and in swap. */
struct rss_span {
	uint64_t start, end;	    /* of any byte, not only of pages */
	uint64_t resident, swapped; /* ARI_UNKNOWN where it cannot be told */
	uint64_t tag;		    /* the caller's */
	bool huge;		    /* some of its pages are huge ones */
};

/*
 * Fills in the two numbers of `count` spans, which are in order of address, do not
 * overlap and lie in one mapping of maps each.  With PAGEMAP_SCAN it is one sweep over
 * the page tables between the first and the last (and one for each stretch of shared
 * mappings, where pages of files are told from a device's), which costs what is present.
 * Without it smaps says what a mapping holds, and pages are looked up only where
 * several spans share one (which then should cover all of it, so that what cannot be
 * looked up is what the others leave).
 *
 * RSS as the kernel counts it: not the shared page of zeros, not memory of devices,
 * not the pools of huge pages.
 */
bool rss_count(const struct target *target, struct residency *residency,
	       const struct maps *maps, struct rss_span *spans, size_t count,
	       struct ari_error *err) __attribute__((warn_unused_result));

#endif
