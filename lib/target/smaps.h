/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_SMAPS_H
#define TARGET_SMAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "target/target.h"

/* What the kernel counts in a mapping; bytes. */
struct smap {
	uint64_t start, end;
	uint64_t rss, swap;
	bool locked;  /* VmFlags lo */
	bool hugetlb; /* VmFlags ht: of the pool of huge pages, which is not RSS */
};

/* In address order.  Costs the kernel a walk of all page tables. */
struct smaps {
	ARI_LIST(struct smap) list;
};

/* Of a process; err: ARI_DENIED, ARI_GONE, ARI_IO, ARI_NO_MEMORY. */
bool smaps_of(const struct target *target, struct smaps *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The text of the file, from a stream. */
bool smaps_read(FILE *stream, struct smaps *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void smaps_done(struct smaps *smaps);

/* The mapping that holds address, or NULL. */
const struct smap *smaps_find(const struct smaps *smaps, uint64_t address);

#endif
