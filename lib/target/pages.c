// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "target/pages.h"
#include "target/procfs.h"

/*
 * include/uapi/linux/fs.h of Linux 6.7 (52526ca7fdb9 "fs/proc/task_mmu: implement
 * IOCTL to get and optionally clear info about PTEs"); older headers lack it.
 */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL   _IOWR('f', 16, struct scan_arg)
#define SCAN_FILE    ((uint64_t)1 << 2)
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_SWAPPED ((uint64_t)1 << 4)
#define SCAN_ZERO    ((uint64_t)1 << 5)
#define SCAN_HUGE    ((uint64_t)1 << 6)
#define SCAN_GUARD   ((uint64_t)1 << 8) /* since 6.15; such a page shows as swapped too */

/* Bits of an entry of /proc/PID/pagemap; Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_PRESENT	((uint64_t)1 << 63)
#define ENTRY_SWAPPED	((uint64_t)1 << 62)
#define ENTRY_EXCLUSIVE ((uint64_t)1 << 56)

#define REGIONS	    256
#define ENTRIES	    512
#define RUN_ENTRIES 1024

/* Which pages PAGEMAP_SCAN is asked for, and what the others are. */
struct question {
	uint64_t inverted, any_of;
	uint64_t tell;	/* besides what is always told */
	uint8_t others; /* enum page_state */
};

#define TELL_ALWAYS (SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO | SCAN_HUGE)

static const struct question who_is_there = {
	.any_of = SCAN_PRESENT | SCAN_SWAPPED,
	.others = PAGE_ABSENT,
};

static const struct question who_is_there_and_whose = {
	.any_of = SCAN_PRESENT | SCAN_SWAPPED,
	.tell = SCAN_FILE,
	.others = PAGE_ABSENT,
};

/*
 * Nearly all pages of a heap are just present.  The kernel is quick to pass a page that
 * is not asked for; but so it passes what is not mapped, which has no pages.
 */
static const struct question who_is_odd = {
	.inverted = SCAN_PRESENT,
	.any_of = SCAN_PRESENT | SCAN_ZERO | SCAN_HUGE,
	.others = PAGE_PRESENT,
};

static bool scan(const struct pages *pages, uint64_t start, uint64_t end,
		 struct scan_region *regions, size_t room,
		 const struct question *question, struct scan_arg *arg, size_t *ret)
{
	uint64_t guards = pages->can_tell_guards ? SCAN_GUARD : 0;
	int found;

	*arg = (struct scan_arg){
		.size = sizeof(*arg),
		.start = start,
		.end = end,
		.vec = (uint64_t)(uintptr_t)regions,
		.vec_len = room,
		.category_inverted = question->inverted,
		.category_anyof_mask = question->any_of,
		.return_mask = TELL_ALWAYS | guards | question->tell,
	};
	found = ioctl(pages->fd, SCAN_IOCTL, arg);
	if (found < 0)
		return false;
	*ret = (size_t)found;
	return true;
}

static uint8_t state_of_region(const struct scan_region *region)
{
	uint64_t is = region->categories;

	if (!(is & SCAN_PRESENT))
		return is & SCAN_SWAPPED && !(is & SCAN_GUARD) ? PAGE_SWAPPED
							       : PAGE_ABSENT;
	return (is & SCAN_ZERO ? PAGE_ZERO : PAGE_PRESENT) |
	       (is & SCAN_HUGE ? PAGE_IS_HUGE : 0);
}

static uint8_t state_of_entry(uint64_t entry)
{
	if (entry & ENTRY_PRESENT)
		return entry & ENTRY_EXCLUSIVE ? PAGE_PRESENT : PAGE_NOT_ALONE;
	return entry & ENTRY_SWAPPED ? PAGE_SWAPPED : PAGE_ABSENT;
}

/* A kernel that lacks a category refuses the call. */
static void find_abilities(struct pages *pages)
{
	struct scan_region region;
	struct scan_arg arg;
	size_t found;

	pages->can_scan = pages->can_tell_guards = true;
	if (scan(pages, 0, 0, &region, 1, &who_is_there_and_whose, &arg, &found))
		return;
	pages->can_tell_guards = false;
	pages->can_scan =
		scan(pages, 0, 0, &region, 1, &who_is_there_and_whose, &arg, &found);
}

bool pages_open(const struct target *target, struct pages *ret, struct ari_error *err)
{
	*ret = (struct pages){ .fd = -1, .page_bytes = target->page_bytes };
	if (!procfs_open(target->task_dir, "pagemap", &ret->fd, err))
		return target_denied(target, "pagemap", err);
	find_abilities(ret);
	return true;
}

void pages_close(struct pages *pages)
{
	cleanup_close(&pages->fd);
	pages->fd = -1;
}

static bool gone(struct ari_error *err)
{
	return fail(err, ARI_GONE,
		    "the process went away while its pages were looked up (%s)",
		    strerror(errno));
}

static bool lookup_by_scan(const struct pages *pages, uint64_t start, size_t count,
			   const struct question *question, uint8_t *states,
			   struct ari_error *err)
{
	uint64_t end = start + count * pages->page_bytes, at = start;
	struct scan_region regions[REGIONS];

	memset(states, question->others, count);
	while (at < end) {
		struct scan_arg arg;
		size_t found;

		if (!scan(pages, at, end, regions, REGIONS, question, &arg, &found)) {
			if (errno == EINTR)
				continue;
			/* Beyond user space, where a link that is none may lead. */
			memset(states, PAGE_ABSENT, count);
			return errno == EFAULT || gone(err);
		}
		for (size_t i = 0; i < found; i++)
			memset(states + (regions[i].start - start) / pages->page_bytes,
			       state_of_region(&regions[i]),
			       (regions[i].end - regions[i].start) / pages->page_bytes);
		if (arg.walk_end <= at) {
			/* Never seen; must not hang. */
			memset(states + (at - start) / pages->page_bytes, PAGE_ABSENT,
			       (end - at) / pages->page_bytes);
			break;
		}
		at = arg.walk_end;
	}
	return true;
}

static bool lookup_by_entries(const struct pages *pages, uint64_t start, size_t count,
			      uint8_t *states, struct ari_error *err)
{
	uint64_t entries[ENTRIES];

	for (size_t done = 0; done < count;) {
		size_t want = count - done < ENTRIES ? count - done : ENTRIES;
		off_t offset =
			(off_t)((start / pages->page_bytes + done) * sizeof(*entries));
		ssize_t got = pread(pages->fd, entries, want * sizeof(*entries), offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno != EINVAL)
			return gone(err);
		if (got < (ssize_t)sizeof(
				  *entries)) { /* beyond user space, or no memory left */
			memset(states + done, PAGE_ABSENT, count - done);
			return true;
		}
		for (size_t i = 0; i < (size_t)got / sizeof(*entries); i++)
			states[done++] = state_of_entry(entries[i]);
	}
	return true;
}

static bool lookup(const struct pages *pages, uint64_t start, size_t count,
		   const struct question *question, uint8_t *states,
		   struct ari_error *err)
{
	uint64_t bytes, end;

	if (__builtin_mul_overflow(count, pages->page_bytes, &bytes) ||
	    __builtin_add_overflow(start, bytes, &end))
		return fail_at(err, ARI_FAULT, start,
			       "an address beyond the address space");
	if (pages->fd < 0) {
		memset(states, PAGE_UNKNOWN, count);
		return true;
	}
	return pages->can_scan
		       ? lookup_by_scan(pages, start, count, question, states, err)
		       : lookup_by_entries(pages, start, count, states, err);
}

bool pages_lookup(const struct pages *pages, uint64_t start, size_t count,
		  uint8_t *states, struct ari_error *err)
{
	return lookup(pages, start, count, &who_is_there, states, err);
}

bool pages_lookup_mapped(const struct pages *pages, uint64_t start, size_t count,
			 uint8_t *states, struct ari_error *err)
{
	return lookup(pages, start, count, &who_is_odd, states, err);
}

/* ---- runs ---- */

static void add_run(struct page_run *runs, size_t *count, const struct page_run *run)
{
	struct page_run *last = *count == 0 ? NULL : &runs[*count - 1];

	if (last != NULL && last->end == run->start && last->state == run->state &&
	    last->of_file == run->of_file)
		last->end = run->end;
	else
		runs[(*count)++] = *run;
}

static bool runs_by_scan(const struct pages *pages, uint64_t start, uint64_t end,
			 bool tell_files, struct page_run *runs, size_t room,
			 size_t *ret_count, uint64_t *ret_reached, struct ari_error *err)
{
	const struct question *question =
		tell_files ? &who_is_there_and_whose : &who_is_there;
	struct scan_region regions[REGIONS];
	struct scan_arg arg;
	size_t found;

	if (room > REGIONS)
		room = REGIONS;
	while (!scan(pages, start, end, regions, room, question, &arg, &found))
		if (errno != EINTR)
			return gone(err);
	for (size_t i = 0; i < found; i++) {
		struct page_run run = { regions[i].start, regions[i].end,
					state_of_region(&regions[i]),
					(regions[i].categories & SCAN_FILE) != 0 };

		if (run.state != PAGE_ABSENT)
			add_run(runs, ret_count, &run);
	}
	/* Never seen to stay where it is; must not hang. */
	*ret_reached = arg.walk_end > start ? arg.walk_end : end;
	return true;
}

static bool runs_by_entries(const struct pages *pages, uint64_t start, uint64_t end,
			    struct page_run *runs, size_t room, size_t *ret_count,
			    uint64_t *ret_reached, struct ari_error *err)
{
	uint8_t states[RUN_ENTRIES];
	size_t count = (end - start) / pages->page_bytes, i;

	if (count > RUN_ENTRIES)
		count = RUN_ENTRIES;
	if (!lookup_by_entries(pages, start, count, states, err))
		return false;
	for (i = 0; i < count && *ret_count < room; i++) {
		uint64_t at = start + i * pages->page_bytes;
		struct page_run run = { at, at + pages->page_bytes, states[i], false };

		if (states[i] != PAGE_ABSENT)
			add_run(runs, ret_count, &run);
	}
	*ret_reached = start + i * pages->page_bytes;
	return true;
}

bool pages_runs(const struct pages *pages, uint64_t start, uint64_t end, bool tell_files,
		struct page_run *runs, size_t room, size_t *ret_count,
		uint64_t *ret_reached, struct ari_error *err)
{
	*ret_count = 0;
	*ret_reached = end;
	if (pages->fd < 0 || start >= end)
		return true;
	if (!pages->can_scan)
		return runs_by_entries(pages, start, end, runs, room, ret_count,
				       ret_reached, err);
	return runs_by_scan(pages, start, end, tell_files, runs, room, ret_count,
			    ret_reached, err);
}
