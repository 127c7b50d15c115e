/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_LIVE_H
#define MEM_LIVE_H

#include "mem/mem.h"
#include "target/locked.h"
#include "target/residency.h"
#include "target/target.h"

/* The memory of a running process, by process_vm_readv(2) or /proc/PID/mem. */
struct live {
	struct mem mem;
	const struct target *target;
	struct residency residency;
	/* Pages of these are present, and in no RSS.  As they were at the start. */
	ARI_LIST(struct span) hugetlb;
	int mem_fd; /* -1: process_vm_readv works */
	/* The file of the last absent page that was read; -1: none. */
	int file_fd;
	uint64_t file_inode, file_device;
};

/*
 * target and maps are borrowed until live_close(); maps is read anew when the
 * memory is refreshed.  Tries one word of memory,
 * so that a lack of rights shows here.  err: ARI_DENIED, ARI_GONE.
 */
bool live_open(const struct target *target, struct maps *maps, struct live *ret,
	       struct ari_error *err) __attribute__((warn_unused_result));
void live_close(struct live *live);

/* Whether the page tables may be looked at. */
bool live_knows_pages(const struct live *live);

#endif
