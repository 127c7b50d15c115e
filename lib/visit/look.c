// SPDX-License-Identifier: Apache-2.0
#include "visit/look.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "layout/image.h"
#include "model/fields.h"
#include "model/model.h"
#include "target/cgroup.h"
#include "target/procfs.h"
#include "target/target.h"
#include "target/tasks.h"

enum ari_skip look_skip_of(enum ari_code code)
{
	static const enum ari_skip skips[] = {
		[ARI_GONE] = ARI_SKIP_GONE,
		[ARI_DENIED] = ARI_SKIP_DENIED,
		[ARI_NOT_GLIBC] = ARI_SKIP_OTHER_LIBC,
		[ARI_NO_SYMBOLS] = ARI_SKIP_NO_LAYOUT,
		[ARI_BAD_LAYOUT] = ARI_SKIP_NO_LAYOUT,
		[ARI_UNSTABLE] = ARI_SKIP_UNSTABLE,
		[ARI_FAULT] = ARI_SKIP_UNSTABLE,
		[ARI_SWAPPED] = ARI_SKIP_UNSTABLE,
		[ARI_TIMED_OUT] = ARI_SKIP_TIMEOUT,
		[ARI_UNSUPPORTED] = ARI_SKIP_FAILED,
	};

	_Static_assert(sizeof(skips) / sizeof(*skips) == ARI_CODES,
		       "a new code needs a reason to skip");
	/* 0 is a kernel thread, which no visit meets here. */
	return skips[code] != 0 ? skips[code] : ARI_SKIP_FAILED;
}

void look_skip(struct ari_scanned *row, enum ari_skip skip, const char *reason)
{
	row->skipped = skip;
	free(row->reason);
	row->reason = reason == NULL ? NULL : strdup(reason);
}

static bool is_zombie(pid_t pid)
{
	autofree char *stat = NULL;
	autoclose int dir = procfs_open_process(pid);

	return dir >= 0 && procfs_read(dir, "stat", &stat, NULL, NULL) &&
	       stat_field(stat, 3) == 'Z';
}

/* It could not be opened: nothing of it is known but the pid. */
static void not_opened(struct ari_scanned *row, const struct ari_error *why)
{
	enum ari_skip skip = look_skip_of(why->code);

	if (why->code == ARI_NOT_GLIBC)
		skip = ARI_SKIP_KERNEL_THREAD;
	else if (why->code == ARI_GONE && is_zombie((pid_t)row->pid))
		skip = ARI_SKIP_ZOMBIE;
	look_skip(row, skip, why->message);
}

static bool take_cgroup(const struct target *target, struct ari_scanned *row,
			struct ari_error *err)
{
	autoclose int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ari_cgroup cgroup = { 0 };

	if (!cgroup_read(target->task_dir, self, &cgroup, err))
		return false;
	row->cgroup = cgroup.path;
	row->unit = cgroup.unit;
	row->container = cgroup.container;
	return true;
}

static bool take_status(const struct target *target, struct look *look,
			struct ari_error *err)
{
	struct ari_scanned *row = &look->row;
	const struct status *status = &target->status;
	char uid[24];

	look->program = (struct program_id){ target->identity.exe_device,
					     target->identity.exe_inode };
	row->rss_bytes = status->rss_bytes;
	row->anon_bytes = status->anon_bytes;
	row->swap_bytes = status->swap_bytes;
	row->depth = ARI_SEEN_PROCESS;
	snprintf(uid, sizeof(uid), "%" PRIu64, status->uid);
	return model_set_string(&row->comm, status->comm, err) &&
	       (status->uid == ARI_UNKNOWN || model_set_string(&row->user, uid, err)) &&
	       take_cgroup(target, row, err);
}

/* By the names of the files that are mapped; the visit looks into them. */
static bool take_libc(const struct maps *maps, struct look *look, struct ari_error *err)
{
	struct ari_scanned *row = &look->row;
	struct libc_list libcs;
	const char *libc;

	if (!image_list(maps, &libcs, err)) {
		list_done(&libcs.maps);
		return false;
	}
	libc = libcs.maps.count > 0 ? "glibc" : libcs.other;
	list_done(&libcs.maps);
	row->depth = ARI_SEEN_MAPPINGS;
	look->no_libc = libc == NULL;
	if (libc != NULL && libc == libcs.other)
		look_skip(row, ARI_SKIP_OTHER_LIBC, libc);
	return model_set_string(&row->libc, libc, err);
}

static bool take_maps(const struct target *target, struct look *look,
		      struct ari_error *err)
{
	struct maps maps = { 0 };
	struct ari_error why;
	bool done;

	if (!target_maps(target, &maps, &why)) {
		if (why.code == ARI_NO_MEMORY)
			return fail_memory(err);
		look_skip(&look->row, look_skip_of(why.code), why.message);
		return true;
	}
	done = take_libc(&maps, look, err);
	maps_done(&maps);
	return done;
}

bool look_at(pid_t pid, struct look *ret, struct ari_error *err)
{
	struct ari_error why;
	struct target target;
	bool done;

	*ret = (struct look){ 0 };
	record_clear(&scanned_record, &ret->row);
	ret->row.pid = (uint64_t)pid;
	if (!target_open(pid, &target, &why)) {
		not_opened(&ret->row, &why);
		return why.code != ARI_NO_MEMORY || fail_memory(err);
	}
	done = take_status(&target, ret, err) && take_maps(&target, ret, err);
	target_close(&target);
	if (!done)
		look_done(ret);
	return done;
}

void look_done(struct look *look)
{
	record_done(&scanned_record, &look->row);
	*look = (struct look){ 0 };
}
