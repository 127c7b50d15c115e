// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "target/procfs.h"
#include "target/tasks.h"

/* What is named by a number in a directory. */
static bool read_ids(DIR *dir, struct tasks *ret, struct ari_error *err)
{
	struct tasks tasks = { 0 };
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		pid_t *slot;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		slot = list_add(&tasks.list, err);
		if (slot == NULL) {
			tasks_done(&tasks);
			return false;
		}
		*slot = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	*ret = tasks;
	return true;
}

bool tasks_read(int dir, struct tasks *ret, struct ari_error *err)
{
	int fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	bool done;

	if (stream == NULL) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return procfs_fail(err, error, "task");
	}
	done = read_ids(stream, ret, err);
	closedir(stream);
	return done;
}

bool tasks_read_processes(struct tasks *ret, struct ari_error *err)
{
	DIR *proc = opendir("/proc");
	bool done;

	if (proc == NULL)
		return fail(err, ARI_IO, "cannot list /proc: %s", strerror(errno));
	done = read_ids(proc, ret, err);
	closedir(proc);
	return done;
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
		return ARI_UNKNOWN;
	return head;
}

/* The kernel escapes what would break the line: the newline and the backslash. */
static void take_name(const char *from, char *to, size_t room)
{
	size_t length = 0;

	for (; *from != '\n' && *from != '\0' && length < room - 1; from++) {
		bool escaped = from[0] == '\\' && (from[1] == 'n' || from[1] == '\\');

		if (escaped)
			from++;
		to[length++] = escaped && *from == 'n' ? '\n' : *from;
	}
	to[length] = '\0';
}

/* The last of the ids: that of the innermost namespace. */
static uint64_t last_number(const char *line)
{
	uint64_t last = ARI_UNKNOWN;
	char *end;

	while (line != NULL && (*line == '\t' || *line == ' ')) {
		unsigned long long number = strtoull(line, &end, 10);

		if (end == line)
			break;
		last = number;
		line = end;
	}
	return last;
}

bool task_read(int dir, pid_t tid, struct task *ret, struct ari_error *err)
{
	autofree char *text = NULL;
	char name[40];
	const char *line;

	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	if (!procfs_read(dir, name, &text, NULL, err))
		return false;
	*ret = (struct task){ .tid = tid };
	line = procfs_line(text, "Name:\t");
	if (line != NULL)
		take_name(line, ret->name, sizeof(ret->name));
	line = procfs_line(text, "State:\t");
	ret->ended = line != NULL && (*line == 'Z' || *line == 'X');
	ret->ns_tid = last_number(procfs_line(text, "NSpid:"));
	return true;
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
