/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_LOCKED_H
#define TARGET_LOCKED_H

#include "target/target.h"

/* Addresses [start, end). */
struct span {
	uint64_t start, end;
};

/*
 * The mappings that are locked in memory (mlock(2), mlockall(2); VmFlags lo), in
 * order of address: the kernel gives no page of them back on madvise(2).
 */
struct locked {
	ARI_LIST(struct span) list;
};

/*
 * smaps, which costs the kernel a walk of all page tables, is read only where
 * the process has locked memory at all (VmLck).  err: ARI_DENIED, ARI_GONE, ARI_IO,
 * ARI_NO_MEMORY.
 */
bool locked_read(const struct target *target, struct locked *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void locked_done(struct locked *locked);

#endif
