// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "target/procfs.h"
#include "target/target.h"
#include "target/tasks.h"

#define PF_KTHREAD 0x00200000u /* include/linux/sched.h; in stat's flags */

static bool gone(struct ari_error *err, pid_t pid)
{
	return fail(err, ARI_GONE, "process %d went away while it was read", (int)pid);
}

static char state_of(int dir, const char *name)
{
	autofree char *text = NULL;

	if (!procfs_read(dir, name, &text, NULL, NULL))
		return 'X';
	return (char)stat_field(text, 3);
}

static bool has_ended(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/*
 * A thread that still has the memory: the leader, unless it has ended before
 * the others (then its own maps are empty).
 */
static bool find_task(struct target *target, struct ari_error *err)
{
	struct tasks tasks;
	char name[64];

	if (!tasks_read(target->dir, &tasks, err))
		return false;
	target->task = 0;
	for (size_t i = 0; i < tasks.list.count && target->task == 0; i++) {
		snprintf(name, sizeof(name), "task/%d/stat", (int)tasks.list.at[i]);
		if (!has_ended(state_of(target->dir, name)))
			target->task = tasks.list.at[i];
	}
	tasks_done(&tasks);
	if (target->task == 0)
		return fail(
			err, ARI_GONE,
			"process %d has ended (it is a zombie: its memory is gone, only "
			"its parent has not asked for its exit status yet)",
			(int)target->pid);
	snprintf(name, sizeof(name), "task/%d", (int)target->task);
	target->task_dir = openat(target->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return target->task_dir >= 0 || procfs_fail(err, errno, name);
}

static void parse_auxv(const uint64_t *words, size_t count, struct target *target)
{
	for (size_t i = 0; i + 1 < count && words[i] != AT_NULL; i += 2) {
		if (words[i] == AT_RANDOM)
			target->identity.at_random = words[i + 1];
		if (words[i] == AT_BASE)
			target->identity.at_base = words[i + 1];
	}
	target->auxv_base = target->identity.at_base;
}

/* auxv comes from the kernel's copy: reading it touches no page of the target. */
static void read_auxv(struct target *target)
{
	autofree char *text = NULL;
	size_t length;

	target->identity.at_random = target->identity.at_base = ARI_UNKNOWN;
	target->auxv_base = ARI_UNKNOWN;
	if (procfs_read(target->task_dir, "auxv", &text, &length, NULL))
		parse_auxv((const uint64_t *)(const void *)text, length / 8, target);
}

static bool read_identity(struct target *target, struct ari_error *err)
{
	autofree char *stat_text = NULL;
	struct stat exe;

	if (!procfs_read(target->dir, "stat", &stat_text, NULL, err))
		return false;
	target->identity.start_time_ticks = stat_field(stat_text, 22);
	target->status.kernel_thread = (stat_field(stat_text, 9) & PF_KTHREAD) != 0;
	if (fstatat(target->task_dir, "exe", &exe, 0) == 0) {
		target->identity.exe_device = exe.st_dev;
		target->identity.exe_inode = exe.st_ino;
	}
	read_auxv(target);
	return true;
}

/* The bits of a mask like "f,ffffffff". */
static uint64_t count_bits(const char *mask)
{
	uint64_t bits = 0;

	for (; mask != NULL && *mask != '\0' && *mask != '\n'; mask++) {
		const char digit[] = { *mask, '\0' };

		bits += (uint64_t)__builtin_popcountl(strtoul(digit, NULL, 16));
	}
	return bits;
}

/* Of "NStgid:", the last of a number for each namespace down from ours. */
static uint64_t last_number(const char *line)
{
	uint64_t last = ARI_UNKNOWN;
	char *end;

	while (line != NULL) {
		unsigned long long number = strtoull(line, &end, 10);

		if (end == line)
			break;
		last = number == 0 ? ARI_UNKNOWN : number;
		line = *end == '\n' ? NULL : end;
	}
	return last;
}

static bool read_status(struct target *target, struct ari_error *err)
{
	autofree char *text = NULL, *comm = NULL;
	struct status *status = &target->status;

	if (!procfs_read(target->task_dir, "status", &text, NULL, err) ||
	    !procfs_read(target->dir, "comm", &comm, NULL, err))
		return false;
	procfs_chomp(comm);
	snprintf(status->comm, sizeof(status->comm), "%s", comm);
	status->ns_pid = last_number(procfs_line(text, "NStgid:"));
	status->threads = procfs_number(text, "Threads:", 10);
	status->uid = procfs_number(text, "Uid:", 10);
	status->rss_bytes = procfs_kb(text, "VmRSS:");
	status->anon_bytes = procfs_kb(text, "RssAnon:");
	status->swap_bytes = procfs_kb(text, "VmSwap:");
	status->virtual_bytes = procfs_kb(text, "VmSize:");
	status->locked_bytes = procfs_kb(text, "VmLck:");
	status->allowed_processors = count_bits(procfs_line(text, "Cpus_allowed:"));
	return true;
}

static bool open_dirs(struct target *target, struct ari_error *err)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/%d", (int)target->pid);
	target->dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->dir < 0 && (errno == ENOENT || errno == ESRCH))
		return fail(err, ARI_GONE, "there is no process %d", (int)target->pid);
	if (target->dir < 0)
		return procfs_fail(err, errno, name);
	/* Opened second: if it succeeds, it is the process of the directory. */
	target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
	return find_task(target, err) && read_identity(target, err) &&
	       read_status(target, err);
}

/* The pid of a thread opens a directory too, of the process it belongs to. */
static bool check_is_process(const struct target *target, struct ari_error *err)
{
	autofree char *text = NULL;
	uint64_t leader;

	if (!procfs_read(target->dir, "status", &text, NULL, err))
		return false;
	leader = procfs_number(text, "Tgid:", 10);
	if (leader != (uint64_t)target->pid)
		return fail(err, ARI_GONE,
			    "%d is a thread of process %" PRIu64 ": inspect that process",
			    (int)target->pid, leader);
	return true;
}

bool target_open(pid_t pid, struct target *ret, struct ari_error *err)
{
	struct target target = { .pid = pid, .pidfd = -1, .dir = -1, .task_dir = -1 };

	target.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	if (!open_dirs(&target, err) || !check_is_process(&target, err)) {
		target_close(&target);
		return false;
	}
	if (target.status.kernel_thread) {
		fail(err, ARI_NOT_GLIBC,
		     "process %d (%s) is a thread of the kernel: it has no memory of its "
		     "own and no malloc",
		     (int)pid, target.status.comm);
		target_close(&target);
		return false;
	}
	*ret = target;
	return true;
}

void target_close(struct target *target)
{
	cleanup_close(&target->task_dir);
	cleanup_close(&target->dir);
	cleanup_close(&target->pidfd);
	target->task_dir = target->dir = target->pidfd = -1;
}

bool target_same_identity(const struct identity *a, const struct identity *b)
{
	return a->start_time_ticks == b->start_time_ticks &&
	       a->at_random == b->at_random && a->at_base == b->at_base &&
	       a->exe_device == b->exe_device && a->exe_inode == b->exe_inode;
}

bool target_ran_another(pid_t pid, struct ari_error *err)
{
	return fail(err, ARI_GONE,
		    "process %d went away while it was read: it runs another program now",
		    (int)pid);
}

bool target_check(const struct target *target, struct ari_error *err)
{
	struct pollfd exited = { .fd = target->pidfd, .events = POLLIN };
	struct target now = *target;

	if (target->pidfd >= 0 && poll(&exited, 1, 0) == 1)
		return gone(err, target->pid);
	now.identity = (struct identity){ 0 };
	if (!read_identity(&now, err))
		return gone(err, target->pid);
	if (!target_same_identity(&now.identity, &target->identity))
		return target_ran_another(target->pid, err);
	return true;
}

bool target_maps(const struct target *target, struct maps *ret, struct ari_error *err)
{
	autofclose FILE *stream = NULL;

	if (!procfs_stream(target->task_dir, "maps", &stream, err))
		return target_denied(target, "mappings", err);
	if (!maps_read(stream, ret, err))
		return false;
	if (ret->list.count == 0) {
		maps_done(ret);
		return gone(err, target->pid);
	}
	return true;
}

bool target_exe(const struct target *target, char **ret, struct ari_error *err)
{
	return procfs_link(target->task_dir, "exe", ret, err);
}

static bool is_file_of(int fd, const struct map *map)
{
	struct stat file;

	return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
	       file.st_ino == map->inode;
}

/*
 * The device is not compared, since overlay and btrfs show another one in maps
 * than to stat().
 */
static bool names_file_of(const char *name, const struct map *map)
{
	struct stat file;

	return map->path[0] == '/' && !(map->flags & MAP_DELETED) &&
	       stat(name, &file) == 0 && file.st_ino == map->inode;
}

/* Its program opens through exe, whatever became of the file. */
static bool is_program(const struct target *target, const struct map *map)
{
	autofree char *exe = NULL;

	return target->identity.exe_inode != 0 &&
	       map->inode == target->identity.exe_inode &&
	       target_exe(target, &exe, NULL) && strcmp(exe, map->path) == 0;
}

/*
 * A path from the process's own root.  Where that is not ours the kernel may write it
 * from ours, or from that of our mount namespace, as it then writes the root itself.
 */
static const char *from_root(const char *root, const char *path)
{
	size_t length = root == NULL ? 0 : strlen(root);

	return length > 1 && strncmp(path, root, length) == 0 && path[length] == '/'
		       ? path + length
		       : path;
}

bool target_file_name(const struct target *target, const struct map *map, char **ret,
		      struct ari_error *err)
{
	autofree char *in_root = NULL, *root = NULL;

	if (!procfs_link(target->task_dir, "root", &root, NULL))
		root = NULL;
	if (asprintf(&in_root, "/proc/%d/root%s", (int)target->task,
		     from_root(root, map->path)) < 0)
		return fail_memory(err);
	/*
	 * Paths first: debug information is looked for beside them.  In the root
	 * of the process, or in ours: the kernel writes them as we would see them,
	 * where we do.
	 */
	if (names_file_of(in_root, map))
		*ret = strdup(in_root);
	else if (names_file_of(map->path, map))
		*ret = strdup(map->path);
	else if (is_program(target, map)) {
		if (asprintf(ret, "/proc/%d/exe", (int)target->task) < 0)
			*ret = NULL;
	} else if (asprintf(ret, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
			    (int)target->task, map->start, map->end) < 0)
		*ret = NULL;
	return *ret != NULL || fail_memory(err);
}

static bool is_barred(const char *name)
{
	struct stat file;

	return stat(name, &file) != 0 && (errno == EACCES || errno == EPERM);
}

/* Whether the file may be where its path says, but this user may not go there. */
static bool is_out_of_reach(const struct target *target, const struct map *map)
{
	autofree char *in_root = NULL;

	if ((map->flags & MAP_DELETED) ||
	    asprintf(&in_root, "/proc/%d/root%s", (int)target->task, map->path) < 0)
		return false;
	return is_barred(in_root) || is_barred(map->path);
}

static bool fail_file(const struct target *target, const struct map *map, bool denied,
		      struct ari_error *err)
{
	if (is_out_of_reach(target, map))
		return fail(err, ARI_DENIED,
			    "cannot open the file that is mapped as %s: the folders that "
			    "lead to it are not for this user (needs "
			    "CAP_DAC_READ_SEARCH, which root has)",
			    map->path);
	return fail(err, denied ? ARI_DENIED : ARI_IO,
		    "cannot open the file that is mapped as %s (replaced on disk, and "
		    "reading it through map_files needs CAP_CHECKPOINT_RESTORE)",
		    map->path);
}

bool target_open_file(const struct target *target, const struct map *map, int *ret,
		      struct ari_error *err)
{
	autofree char *name = NULL;
	bool denied;
	int fd;

	if (!target_file_name(target, map, &name, err))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0 && is_file_of(fd, map)) {
		*ret = fd;
		return true;
	}
	denied = fd < 0 && (errno == EPERM || errno == EACCES);
	if (fd >= 0)
		close(fd);
	return fail_file(target, map, denied, err);
}
