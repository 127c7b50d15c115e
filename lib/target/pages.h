/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_PAGES_H
#define TARGET_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arenainspect.h"
#include "target/target.h"

/* What the page tables say of one page. */
enum page_state {
	PAGE_ABSENT,
	PAGE_PRESENT,	/* and counted in RSS */
	PAGE_ZERO,	/* present and not in RSS: the shared page of zeros, hugetlb */
	PAGE_NOT_ALONE, /* present; the zero page, or shared after a fork: not told */
	PAGE_SWAPPED,
	PAGE_UNKNOWN,	 /* the page tables may not be looked at */
	PAGE_UNREADABLE, /* for readers: present, but reading it failed */
};

/* Set beside the state: part of a huge page.  Only PAGEMAP_SCAN tells. */
#define PAGE_IS_HUGE 0x80

static inline uint8_t page_state(uint8_t state)
{
	return state & (uint8_t)~PAGE_IS_HUGE;
}

/*
 * Looks pages up in the page tables of a process, by PAGEMAP_SCAN (Linux 6.7)
 * or from /proc/PID/pagemap; neither changes them.
 */
struct pages {
	int fd; /* -1: every page is PAGE_UNKNOWN */
	bool can_scan;
	bool can_tell_guards; /* from swap (Linux 6.15) */
	uint64_t page_bytes;
};

/* err: ARI_DENIED; *ret can be used then too, and knows no page. */
bool pages_open(const struct target *target, struct pages *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void pages_close(struct pages *pages);

/*
 * The states (enum page_state, with PAGE_IS_HUGE) of `count` pages from `start`, a page's
 * address. Addresses that are not mapped are PAGE_ABSENT.
 */
bool pages_lookup(const struct pages *pages, uint64_t start, size_t count,
		  uint8_t *states, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The same of pages that are all mapped, and none of them a device's: where most are
 * present it takes a third of the time.  A page that is not mapped shows as present.
 */
bool pages_lookup_mapped(const struct pages *pages, uint64_t start, size_t count,
			 uint8_t *states, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Pages in a row, [start, end), that are in one state: present in some way, or in swap.
 */
struct page_run {
	uint64_t start, end;
	uint8_t state; /* enum page_state, with PAGE_IS_HUGE */
	bool of_file;  /* not anonymous; only PAGEMAP_SCAN tells, when asked to */
};

/*
 * The first runs, at most `room`, of pages in [start, end), which are addresses of
 * pages.  They were looked for up to *ret_reached, from where to go on; it is `end`
 * when there are no more.  With PAGEMAP_SCAN the cost follows what is there; else a
 * call looks at 1024 pages at most.  Where the page tables may not be looked at there
 * are no runs.  tell_files: the kernel looks at each page itself then, which costs four
 * times as much.
 */
bool pages_runs(const struct pages *pages, uint64_t start, uint64_t end, bool tell_files,
		struct page_run *runs, size_t room, size_t *ret_count,
		uint64_t *ret_reached, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Whether reading the page leaves the page tables as they are. */
static inline bool page_is_present(uint8_t state)
{
	state = page_state(state);
	return state == PAGE_PRESENT || state == PAGE_ZERO || state == PAGE_NOT_ALONE;
}

#endif
