/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_RESIDENCY_H
#define TARGET_RESIDENCY_H

#include <pthread.h>

#include "target/pages.h"
#include "target/smaps.h"

/*
 * Page states as pages_lookup() gives them, with what smaps adds where the page
 * tables alone do not tell the shared page of zeros from a page shared after a
 * fork (kernels without PAGEMAP_SCAN), or may not be looked at.  smaps is read
 * only then.  May be used by several threads.
 */
struct residency {
	struct pages pages;
	struct smaps smaps;
	bool has_smaps;
	ARI_LIST(uint8_t) rules; /* one for each mapping of smaps */
	pthread_mutex_t lock;
};

/* Never fails for want of rights: then every page is PAGE_UNKNOWN. */
bool residency_open(const struct target *target, struct residency *ret,
		    struct ari_error *err) __attribute__((warn_unused_result));
void residency_close(struct residency *residency);

/* As pages_lookup() and pages_lookup_mapped(). */
bool residency_lookup(struct residency *residency, uint64_t start, size_t count,
		      uint8_t *states, struct ari_error *err)
	__attribute__((warn_unused_result));
bool residency_lookup_mapped(struct residency *residency, uint64_t start, size_t count,
			     uint8_t *states, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
