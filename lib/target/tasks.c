// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/list.h"
#include "target/procfs.h"
#include "target/tasks.h"

static bool add_tasks(DIR *dir, struct tasks *tasks, struct ari_error *err)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		pid_t *slot;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		slot = list_add(&tasks->list, err);
		if (slot == NULL)
			return false;
		*slot = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	return true;
}

bool tasks_read(int dir, struct tasks *ret, struct ari_error *err)
{
	struct tasks tasks = { 0 };
	int fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	bool done;

	if (stream == NULL) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return procfs_fail(err, error, "task");
	}
	done = add_tasks(stream, &tasks, err);
	closedir(stream);
	if (!done) {
		tasks_done(&tasks);
		return false;
	}
	*ret = tasks;
	return true;
}

void tasks_done(struct tasks *tasks)
{
	list_done(&tasks->list);
}

uint64_t task_robust_head(pid_t tid)
{
	uint64_t head = 0;
	size_t length;

	if (syscall(SYS_get_robust_list, tid, &head, &length) != 0)
		return 0;
	return head;
}

uint64_t stat_field(const char *stat, unsigned int field)
{
	const char *at = strrchr(stat, ')');

	if (at == NULL || field < 3)
		return ARI_UNKNOWN;
	for (unsigned int i = 2; i < field; i++) {
		at = strchr(at + 1, ' ');
		if (at == NULL)
			return ARI_UNKNOWN;
	}
	return field == 3 ? (uint64_t)at[1] : strtoull(at + 1, NULL, 10);
}
