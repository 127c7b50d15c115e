// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "mem/live.h"
#include "target/procfs.h"

#define RANGES_PER_CALL 512 /* IOV_MAX is 1024; the local ones lie on our stack */

static struct live *live_of(struct mem *mem)
{
	return (struct live *)mem;
}

/* Huge pages of a pool are not counted in RSS. */
static void set_apart(const struct span *span, uint64_t page, uint64_t start,
		      size_t count, uint8_t *states)
{
	uint64_t end = start + count * page;
	uint64_t from = span->start > start ? span->start : start;
	uint64_t to = span->end < end ? span->end : end;

	for (uint64_t at = from; at < to; at += page) {
		uint8_t *state = &states[(at - start) / page];

		if (page_is_present(*state))
			*state = PAGE_ZERO | PAGE_IS_HUGE;
	}
}

static void set_pools_apart(const struct live *live, uint64_t start, size_t count,
			    uint8_t *states)
{
	uint64_t page = live->mem.page_bytes;
	ptrdiff_t i =
		list_floor(live->hugetlb.at, live->hugetlb.count, sizeof(struct span),
			   offsetof(struct span, start), start);

	for (i = i < 0 ? 0 : i; (size_t)i < live->hugetlb.count &&
				live->hugetlb.at[i].start < start + count * page;
	     i++)
		set_apart(&live->hugetlb.at[i], page, start, count, states);
}

static bool live_pages(struct mem *mem, uint64_t start, size_t count, uint8_t *states,
		       struct ari_error *err)
{
	struct live *live = live_of(mem);

	if (!residency_lookup(&live->residency, start, count, states, err))
		return false;
	set_pools_apart(live, start, count, states);
	return true;
}

static bool live_mapped_pages(struct mem *mem, uint64_t start, size_t count,
			      uint8_t *states, struct ari_error *err)
{
	struct live *live = live_of(mem);

	if (!residency_lookup_mapped(&live->residency, start, count, states, err))
		return false;
	set_pools_apart(live, start, count, states);
	return true;
}

static bool live_runs(struct mem *mem, uint64_t start, uint64_t end,
		      struct page_run *runs, size_t room, size_t *ret_count,
		      uint64_t *ret_reached, struct ari_error *err)
{
	return pages_runs(&live_of(mem)->residency.pages, start, end, false, runs, room,
			  ret_count, ret_reached, err);
}

static bool live_rss(struct mem *mem, struct rss_span *spans, size_t count,
		     struct ari_error *err)
{
	struct live *live = live_of(mem);

	return rss_count(live->target, &live->residency, mem->maps, spans, count, err);
}

static bool fail_errno(struct live *live, int error, uint64_t address,
		       struct ari_error *err)
{
	if (error == ESRCH)
		return fail(err, ARI_GONE, "process %d went away while it was read",
			    (int)live->target->pid);
	if (error == EPERM || error == EACCES) {
		fail(err, ARI_DENIED, "permission denied");
		return target_denied(live->target, "memory", err);
	}
	if (error == EFAULT || error == EIO)
		return fail_at(err, ARI_FAULT, address,
			       "cannot read memory at 0x%" PRIx64 ": not mapped, or not "
			       "readable",
			       address);
	if (error == ENOMEM)
		return fail_memory(err);
	return fail_at(err, ARI_IO, address, "cannot read memory at 0x%" PRIx64 ": %s",
		       address, strerror(error));
}

/* How much of the ranges came: whole ones in *ret_done, and what is next. */
static uint64_t account(const struct mem_range *ranges, size_t count, size_t bytes,
			size_t *ret_done)
{
	size_t i = 0;

	while (i < count && bytes >= ranges[i].length)
		bytes -= ranges[i++].length;
	*ret_done += i;
	return i < count ? ranges[i].address + bytes : 0;
}

/* One call's worth by process_vm_readv; errno is set when it fails. */
static ssize_t copy_by_call(struct live *live, const struct mem_range *ranges,
			    size_t count)
{
	struct iovec local[RANGES_PER_CALL], remote[RANGES_PER_CALL];

	for (size_t i = 0; i < count; i++) {
		local[i] = (struct iovec){ ranges[i].to, ranges[i].length };
		remote[i].iov_base = (void *)(uintptr_t)ranges[i].address;
		remote[i].iov_len = ranges[i].length;
	}
	return process_vm_readv(live->target->task, local, count, remote, count, 0);
}

/* The same through /proc/PID/mem, which takes one range at a time. */
static ssize_t copy_by_file(struct live *live, const struct mem_range *ranges,
			    size_t count)
{
	ssize_t total = 0;

	for (size_t i = 0; i < count; i++) {
		ssize_t got = pread(live->mem_fd, ranges[i].to, ranges[i].length,
				    (off_t)ranges[i].address);

		/* Not an error, but no memory is left: the process has ended. */
		if (got == 0 && ranges[i].length > 0) {
			errno = ESRCH;
			return -1;
		}
		if (got < 0 && total == 0)
			return -1;
		total += got < 0 ? 0 : got;
		if (got != (ssize_t)ranges[i].length)
			break;
	}
	return total;
}

/*
 * process_vm_readv may be missing (ENOSYS) or barred by a seccomp filter (EPERM)
 * where the file is not: both need the same right over the target.
 */
static bool fall_back(struct live *live, int error)
{
	if (live->mem_fd >= 0 || (error != ENOSYS && error != EPERM))
		return false;
	live->mem_fd = openat(live->target->task_dir, "mem", O_RDONLY | O_CLOEXEC);
	return live->mem_fd >= 0;
}

static bool live_copy(struct mem *mem, const struct mem_range *ranges, size_t count,
		      size_t *ret_done, struct ari_error *err)
{
	struct live *live = live_of(mem);

	*ret_done = 0;
	while (*ret_done < count) {
		const struct mem_range *left = ranges + *ret_done;
		size_t some = count - *ret_done;
		ssize_t got;
		uint64_t bad;

		if (some > RANGES_PER_CALL)
			some = RANGES_PER_CALL;
		got = live->mem_fd < 0 ? copy_by_call(live, left, some)
				       : copy_by_file(live, left, some);
		if (got < 0 && (errno == EINTR || fall_back(live, errno)))
			continue;
		if (got < 0)
			return fail_errno(live, errno, left->address, err);
		/* A short count stops in front of the first bad page. */
		bad = account(left, some, (size_t)got, ret_done);
		if (bad != 0)
			return fail_errno(live, EFAULT, bad, err);
	}
	return true;
}

static bool open_backing(struct live *live, const struct map *map, struct ari_error *err)
{
	if (live->file_fd >= 0 && live->file_inode == map->inode &&
	    live->file_device == map->device)
		return true;
	cleanup_close(&live->file_fd);
	live->file_fd = -1;
	if (!target_open_file(live->target, map, &live->file_fd, err)) {
		if (err != NULL)
			err->code = ARI_FAULT;
		return false;
	}
	live->file_inode = map->inode;
	live->file_device = map->device;
	return true;
}

static bool live_file(struct mem *mem, const struct map *map, uint64_t address, void *to,
		      size_t length, struct ari_error *err)
{
	struct live *live = live_of(mem);
	off_t offset = (off_t)(map->offset + (address - map->start));
	ssize_t got;

	if (!open_backing(live, map, err))
		return false;
	got = pread(live->file_fd, to, length, offset);
	if (got < 0)
		return fail_errno(live, EIO, address, err);
	memset((uint8_t *)to + got, 0, length - (size_t)got); /* beyond its end */
	return true;
}

static bool live_refresh(struct mem *mem, struct ari_error *err)
{
	struct maps maps;

	if (!target_maps(live_of(mem)->target, &maps, err))
		return false;
	maps_done(mem->maps);
	*mem->maps = maps;
	return true;
}

static const struct mem_ops live_ops = {
	.pages = live_pages,
	.mapped_pages = live_mapped_pages,
	.runs = live_runs,
	.rss = live_rss,
	.copy = live_copy,
	.file = live_file,
	.refresh = live_refresh,
};

/*
 * Reads one word of a page that is surely present, the running program's stack:
 * permission is the same for all of the memory.
 */
static bool try_read(struct live *live, struct ari_error *err)
{
	uint64_t word, address = live->target->identity.at_random;
	struct ari_error ignored;

	if (address == ARI_UNKNOWN || address == 0)
		address = live->mem.maps->list.at[0].start;
	if (mem_read_word(&live->mem, address, &word, &ignored) || mem_is_fault(&ignored))
		return true;
	*err = ignored;
	return false;
}

static bool find_hugetlb(struct live *live, struct ari_error *err)
{
	const struct maps *maps = live->mem.maps;

	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];
		struct span *span;

		if (!map_is_hugetlb(map))
			continue;
		span = list_add(&live->hugetlb, err);
		if (span == NULL)
			return false;
		*span = (struct span){ map->start, map->end };
	}
	return true;
}

bool live_open(const struct target *target, struct maps *maps, struct live *ret,
	       struct ari_error *err)
{
	*ret = (struct live){
		.mem = { &live_ops, maps, target->page_bytes, false },
		.target = target,
		.mem_fd = -1,
		.file_fd = -1,
	};
	if (!residency_open(target, &ret->residency, err))
		return false;
	ret->mem.tells_huge = ret->residency.pages.can_scan;
	if (find_hugetlb(ret, err) && try_read(ret, err))
		return true;
	live_close(ret);
	return false;
}

void live_close(struct live *live)
{
	residency_close(&live->residency);
	list_done(&live->hugetlb);
	cleanup_close(&live->mem_fd);
	cleanup_close(&live->file_fd);
	live->mem_fd = live->file_fd = -1;
}

bool live_knows_pages(const struct live *live)
{
	return live->residency.pages.fd >= 0;
}
