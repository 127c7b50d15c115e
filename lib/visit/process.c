// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/model.h"
#include "target/cgroup.h"
#include "target/procfs.h"
#include "visit/visit.h"

/* Which boot it is: pids and start times mean something only within one. */
static bool read_boot_id(struct ari_process *process, struct ari_error *err)
{
	autoclose int dir =
		open("/proc/sys/kernel/random", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *text = NULL;

	if (dir < 0 || !procfs_read(dir, "boot_id", &text, NULL, NULL))
		return true;
	procfs_chomp(text);
	return model_set_string(&process->boot_id, text, err);
}

static bool read_exe(struct visit *visit, struct ari_error *err)
{
	autofree char *exe = NULL;

	if (!target_exe(&visit->target, &exe, NULL))
		return true;
	return model_set_string(&visit->model->process.exe, exe, err);
}

/* Of the thread that has the memory: version 1 shows a zombie in the root group. */
static bool read_cgroup(struct visit *visit, struct ari_error *err)
{
	autoclose int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ari_cgroup *cgroup = &visit->model->process.cgroup;

	return cgroup_read(visit->target.task_dir, self, cgroup, err);
}

bool visit_process(struct visit *visit, struct ari_error *err)
{
	struct ari_process *process = &visit->model->process;
	const struct status *status = &visit->target.status;

	process->ns_pid = status->ns_pid;
	process->start_time_ticks = visit->target.identity.start_time_ticks;
	process->page_bytes = visit->target.page_bytes;
	process->tasks = status->threads;
	process->rss_bytes = status->rss_bytes;
	process->anon_bytes = status->anon_bytes;
	process->swap_bytes = status->swap_bytes;
	process->virtual_bytes = status->virtual_bytes;
	return model_set_string(&process->comm, status->comm, err) &&
	       read_exe(visit, err) && read_boot_id(process, err) &&
	       read_cgroup(visit, err);
}
