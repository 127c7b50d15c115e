// SPDX-License-Identifier: Apache-2.0
/* cgroups(7); Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "target/cgnames.h"
#include "target/cgroup.h"
#include "target/procfs.h"

/*
 * The kernel has no word for "no limit" in version 1: it writes the most that its
 * counter holds, LONG_MAX rounded down to pages, and before 3.19 LLONG_MAX.
 */
#define NO_LIMIT ((uint64_t)1 << 62)

#define LINE_BYTES 64 /* two numbers of 20 digits, and room to see that there is more */

enum version { V1, V2 };
enum { MEMORY, CPU, GROUPS };

/* The group of a process in the hierarchy that has a controller. */
struct group {
	enum version version;
	const char *controller;
	const char *path;  /* from the root of our cgroup namespace; NULL: none */
	int mount;	   /* the mount that shows it, as a directory; -1: none does */
	const char *below; /* where it is from there, "" or "/…"; a part of path */
};

/* ---- the small files of a group ---- */

/* The one line of a file, without its end; false leaves errno. */
static bool read_line(int dir, const char *name, char line[LINE_BYTES])
{
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, line, LINE_BYTES);
	close(fd);
	if (got < 0)
		return false;
	errno = EINVAL;
	if (got == LINE_BYTES || memchr(line, '\0', (size_t)got) != NULL)
		return false;
	line[got] = '\0';
	procfs_chomp(line);
	return true;
}

/* Digits and nothing else; ARI_UNKNOWN for other text and beyond 64 bits. */
static uint64_t parse_number(const char *text)
{
	unsigned long long number;

	if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
		return ARI_UNKNOWN;
	errno = 0;
	number = strtoull(text, NULL, 10);
	return errno != 0 ? ARI_UNKNOWN : number;
}

static uint64_t read_number(int dir, const char *name)
{
	char line[LINE_BYTES];

	return read_line(dir, name, line) ? parse_number(line) : ARI_UNKNOWN;
}

/*
 * NO_LIMIT or more: none.  That too without the file: the root has none, nor has a group
 * whose parent keeps the controller to itself.  ARI_UNKNOWN: it is there and not read.
 */
static uint64_t read_limit(int dir, const char *name)
{
	char line[LINE_BYTES];

	if (!read_line(dir, name, line))
		return errno == ENOENT ? NO_LIMIT : ARI_UNKNOWN;
	return strcmp(line, "max") == 0 ? NO_LIMIT : parse_number(line);
}

/* In processors: INFINITY without a quota, NaN when the two make no sense. */
static double quota_of(const char *quota_text, const char *none, const char *period_text)
{
	uint64_t quota, period;

	if (strcmp(quota_text, none) == 0)
		return INFINITY;
	quota = parse_number(quota_text);
	period = parse_number(period_text);
	if (quota == ARI_UNKNOWN || quota == 0 || period == ARI_UNKNOWN || period == 0)
		return NAN;
	return (double)quota / (double)period;
}

static double read_quota_v1(int dir)
{
	char quota[LINE_BYTES], period[LINE_BYTES] = "";

	if (!read_line(dir, "cpu.cfs_quota_us", quota))
		return errno == ENOENT ? INFINITY : NAN;
	if (!read_line(dir, "cpu.cfs_period_us", period))
		period[0] = '\0';
	return quota_of(quota, "-1", period);
}

static double read_quota_v2(int dir)
{
	char line[LINE_BYTES], *space;

	if (!read_line(dir, "cpu.max", line))
		return errno == ENOENT ? INFINITY : NAN;
	space = strchr(line, ' ');
	if (space == NULL)
		return NAN;
	*space = '\0';
	return quota_of(line, "max", space + 1);
}

/* ---- which groups: the cgroup file of the process ---- */

/* Whether `word` is one of a list that commas divide. */
static bool lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 &&
		    (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* `ID:CONTROLLERS:PATH`; the path may hold colons. */
static bool parse_group(char *line, char **ret_controllers, char **ret_path)
{
	char *controllers = strchr(line, ':');
	char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');

	if (path == NULL || path[1] != '/' || strlen(path) > PATH_MAX)
		return false;
	*controllers = *path = '\0';
	*ret_controllers = controllers + 1;
	*ret_path = path + 1;
	return true;
}

/*
 * A controller is in one hierarchy at a time: one of version 1 that names it, or else
 * that of version 2, whose line `0::` names none.
 */
static void add_line(char *line, struct group groups[GROUPS])
{
	char *controllers, *path;

	if (!parse_group(line, &controllers, &path))
		return;
	for (size_t i = 0; i < GROUPS; i++) {
		struct group *group = &groups[i];

		if (lists(controllers, group->controller)) {
			group->version = V1;
			group->path = path;
		} else if (strcmp(line, "0") == 0 && *controllers == '\0' &&
			   group->path == NULL) {
			group->version = V2;
			group->path = path;
		}
	}
}

/* The groups' paths point into text, whose lines this cuts apart. */
static void find_groups(char *text, struct group groups[GROUPS])
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(line, groups);
}

/* ---- where they are mounted: our mountinfo ---- */

/* A line of mountinfo, see proc_pid_mountinfo(5). */
struct mount {
	dev_t device;
	const char *root; /* the group that is seen at `point` */
	const char *point;
	const char *type, *options; /* of the filesystem */
};

/* Undoes the kernel's \ooo, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; to++) {
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
		    at[2] <= '7' && at[3] >= '0' && at[3] <= '7') {
			*to = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 |
				     (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

/* Cuts the line apart; what ret holds points into it. */
static bool parse_mount(char *line, struct mount *ret)
{
	char *dash = strstr(line, " - "), *rest = line, *fields[5];
	unsigned int major, minor;

	if (dash == NULL)
		return false;
	*dash = '\0';
	for (size_t i = 0; i < 5; i++)
		fields[i] = strsep(&rest, " ");
	if (fields[4] == NULL || fields[3][0] != '/' || fields[4][0] != '/' ||
	    sscanf(fields[2], "%u:%u", &major, &minor) != 2)
		return false;
	unescape(fields[3]);
	unescape(fields[4]);
	ret->device = makedev(major, minor);
	ret->root = fields[3];
	ret->point = fields[4];
	rest = dash + 3;
	ret->type = strsep(&rest, " ");
	/* Then the source: any word that the administrator chose. */
	if (strsep(&rest, " ") == NULL || rest == NULL)
		return false;
	rest[strcspn(rest, "\n")] = '\0';
	ret->options = rest;
	return true;
}

static bool has_hierarchy(const struct mount *mount, const struct group *group)
{
	if (group->version == V2)
		return strcmp(mount->type, "cgroup2") == 0;
	return strcmp(mount->type, "cgroup") == 0 &&
	       lists(mount->options, group->controller);
}

/* ".." leads to groups that our namespace hides: "/../x" is a sibling of its root. */
static bool climbs(const char *path)
{
	while ((path = strstr(path, "/..")) != NULL) {
		path += 3;
		if (*path == '/' || *path == '\0')
			return true;
	}
	return false;
}

/* What is left of path below root, "" or "/…"; NULL: the mount does not show it. */
static const char *path_below(const char *path, const char *root)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(path, root, length) != 0 ||
	    (path[length] != '/' && path[length] != '\0') || climbs(path + length))
		return NULL;
	return path + length;
}

/* -1 when another filesystem has been mounted over it. */
static int open_mount(const struct mount *mount)
{
	int dir = open(mount->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat file;

	if (dir >= 0 && (fstat(dir, &file) != 0 || file.st_dev != mount->device)) {
		close(dir);
		return -1;
	}
	return dir;
}

/* Takes the mount for the group if it shows more of those above it than the last did. */
static void offer_mount(const struct mount *mount, struct group *group)
{
	const char *below = NULL;
	int dir;

	if (group->path != NULL && has_hierarchy(mount, group))
		below = path_below(group->path, mount->root);
	if (below == NULL || (group->mount >= 0 && below >= group->below))
		return;
	dir = open_mount(mount);
	if (dir < 0)
		return;
	cleanup_close(&group->mount);
	group->mount = dir;
	group->below = below;
}

static void find_mounts(FILE *mountinfo, struct group groups[GROUPS])
{
	autofree char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, mountinfo) > 0) {
		struct mount mount;

		if (!parse_mount(line, &mount))
			continue;
		for (size_t i = 0; i < GROUPS; i++)
			offer_mount(&mount, &groups[i]);
	}
}

/* ---- from the mount down to the group ---- */

/* Takes the first component of *path, which may begin with slashes; -1. */
static int open_below(int dir, const char **path)
{
	const char *name = *path + strspn(*path, "/");
	size_t length = strcspn(name, "/");
	char component[NAME_MAX + 1];

	if (length > NAME_MAX)
		return -1;
	memcpy(component, name, length);
	component[length] = '\0';
	*path = name + length;
	return openat(dir, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Has `look` see every group from the top of the mount to the process's own, which
 * comes last.  False when one of them cannot be opened.
 */
static bool walk_groups(const struct group *group,
			void (*look)(int dir, enum version version, void *into),
			void *into)
{
	autoclose int dir = openat(group->mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *path = group->below;

	if (dir < 0)
		return false;
	look(dir, group->version, into);
	while (path[strspn(path, "/")] != '\0') {
		int below = open_below(dir, &path);

		if (below < 0)
			return false;
		close(dir);
		dir = below;
		look(dir, group->version, into);
	}
	return true;
}

static const struct memory_files {
	const char *use, *limit;
	const char *hierarchical; /* NULL: always */
	const char *inactive;	  /* in memory.stat, groups below included */
} memory_files[] = {
	[V1] = { "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.use_hierarchy",
		 "total_inactive_file" },
	[V2] = { "memory.current", "memory.max", NULL, "inactive_file" },
};

/* A number of memory.stat, whose lines are `NAME NUMBER`. */
static uint64_t read_stat(int dir, const char *name)
{
	autofree char *text = NULL;
	char *rest, *line;
	size_t length = strlen(name);

	if (!procfs_read(dir, "memory.stat", &text, NULL, NULL))
		return ARI_UNKNOWN;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return parse_number(line + length + 1);
	return ARI_UNKNOWN;
}

struct memory {
	uint64_t limit, use; /* the tightest so far, and the use of its group */
	uint64_t inactive;   /* of that use: files that have not been read for long */
	uint64_t own_use;    /* of the group last seen */
	bool unsure;	     /* there are limits that could not be read */
	bool binds_below;    /* the group last seen also counts the groups below it */
};

static void look_at_memory(int dir, enum version version, void *into)
{
	const struct memory_files *files = &memory_files[version];
	struct memory *memory = into;
	uint64_t limit = read_limit(dir, files->limit);

	if (!memory->binds_below)
		*memory = (struct memory){ .limit = NO_LIMIT };
	memory->own_use = read_number(dir, files->use);
	/* Of two alike the upper one counts more, and is reached first. */
	if (limit < memory->limit) {
		memory->limit = limit;
		memory->use = memory->own_use;
		memory->inactive = read_stat(dir, files->inactive);
	}
	memory->unsure |= limit == ARI_UNKNOWN;
	memory->binds_below =
		files->hierarchical == NULL || read_number(dir, files->hierarchical) != 0;
}

static void read_memory(const struct group *group, struct ari_cgroup *cgroup)
{
	struct memory memory = { .limit = NO_LIMIT, .binds_below = true };

	if (!walk_groups(group, look_at_memory, &memory))
		return;
	if (memory.unsure || memory.limit == NO_LIMIT) {
		cgroup->memory_current_bytes = memory.own_use;
		return;
	}
	cgroup->memory_max_bytes = memory.limit;
	cgroup->memory_current_bytes = memory.use;
	cgroup->memory_inactive_file_bytes = memory.inactive;
}

/* NaN, once there, stays: what could not be read may be the least. */
static void look_at_quota(int dir, enum version version, void *into)
{
	double *least = into;
	double quota = version == V1 ? read_quota_v1(dir) : read_quota_v2(dir);

	if (isnan(quota) || quota < *least)
		*least = quota;
}

static void read_quota(const struct group *group, struct ari_cgroup *cgroup)
{
	double least = INFINITY;

	if (walk_groups(group, look_at_quota, &least) && isfinite(least))
		cgroup->cpu_quota = least;
}

/* That of the memory, which is what we are about. */
static bool copy_path(const struct group *groups, char **ret, struct ari_error *err)
{
	const char *path = groups[groups[MEMORY].path != NULL ? MEMORY : CPU].path;

	if (path == NULL)
		return true;
	*ret = strdup(path);
	return *ret != NULL || fail_memory(err);
}

bool cgroup_read(int dir, int self, struct ari_cgroup *ret, struct ari_error *err)
{
	struct group groups[] = { [MEMORY] = { .controller = "memory", .mount = -1 },
				  [CPU] = { .controller = "cpu", .mount = -1 } };
	struct ari_cgroup cgroup = { .memory_current_bytes = ARI_UNKNOWN,
				     .memory_max_bytes = ARI_UNKNOWN,
				     .memory_inactive_file_bytes = ARI_UNKNOWN,
				     .cpu_quota = NAN };
	autofree char *text = NULL;
	autofclose FILE *mountinfo = NULL;

	if (procfs_read(dir, "cgroup", &text, NULL, NULL)) {
		if (!cgnames_read(text, &cgroup.unit, &cgroup.container, err))
			return false;
		find_groups(text, groups);
	}
	if (!copy_path(groups, &cgroup.path, err)) {
		free(cgroup.unit);
		free(cgroup.container);
		return false;
	}
	if (procfs_stream(self, "mountinfo", &mountinfo, NULL))
		find_mounts(mountinfo, groups);
	read_memory(&groups[MEMORY], &cgroup);
	read_quota(&groups[CPU], &cgroup);
	for (size_t i = 0; i < GROUPS; i++)
		cleanup_close(&groups[i].mount);
	*ret = cgroup;
	return true;
}
