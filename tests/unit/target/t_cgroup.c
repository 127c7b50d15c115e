// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "scratch.h"
#include "target/cgroup.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)

/* Directories in place of /proc/PID, /proc/self and of mounted hierarchies. */
struct host {
	struct scratch scratch;
	unsigned int major, minor; /* of the device that all of it is on */
	char mountinfo[8192];
};

static void host_open(struct host *host)
{
	struct stat file;

	scratch_open(&host->scratch);
	ck_assert_int_eq(fstat(host->scratch.dir, &file), 0);
	host->major = major(file.st_dev);
	host->minor = minor(file.st_dev);
	host->mountinfo[0] = '\0';
	scratch_text(&host->scratch, "proc/cgroup", "");
	scratch_text(&host->scratch, "self/mountinfo", "");
}

static void host_close(struct host *host)
{
	scratch_close(&host->scratch);
}

/* A file with the directories that lead to it. */
static void put_bytes(struct host *host, const char *name, const char *bytes,
		      size_t length)
{
	char folder[256];
	int fd;

	for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
		mkdirat(host->scratch.dir, folder, 0700);
	}
	fd = openat(host->scratch.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void put(struct host *host, const char *name, const char *text)
{
	put_bytes(host, name, text, strlen(text));
}

/* A line of mountinfo for a directory of the scratch; both names as the kernel escapes.
 */
static void mounted(struct host *host, const char *root, const char *folder,
		    const char *type, const char *options)
{
	size_t used = strlen(host->mountinfo);

	snprintf(host->mountinfo + used, sizeof(host->mountinfo) - used,
		 "31 23 %u:%u %s %s/%s rw,relatime shared:4 - %s none %s\n", host->major,
		 host->minor, root, host->scratch.path, folder, type, options);
	scratch_text(&host->scratch, "self/mountinfo", host->mountinfo);
}

static struct ari_cgroup look(const struct host *host)
{
	autoclose int proc = openat(host->scratch.dir, "proc", O_RDONLY | O_DIRECTORY);
	autoclose int self = openat(host->scratch.dir, "self", O_RDONLY | O_DIRECTORY);
	struct ari_cgroup cgroup;
	struct ari_error err;

	ck_works(cgroup_read(proc, self, &cgroup, &err), &err);
	return cgroup;
}

static struct ari_cgroup look_at(struct host *host, const char *groups)
{
	put(host, "proc/cgroup", groups);
	return look(host);
}

/* The process with these lines in its cgroup file; a quota of 0 stands for none. */
static void expect(struct host *host, const char *groups, const char *path,
		   uint64_t current, uint64_t max, double quota)
{
	struct ari_cgroup cgroup = look_at(host, groups);

	if (path == NULL)
		ck_assert_ptr_null(cgroup.path);
	else
		ck_assert_str_eq(cgroup.path, path);
	ck_assert_uint_eq(cgroup.memory_current_bytes, current);
	ck_assert_uint_eq(cgroup.memory_max_bytes, max);
	if (quota == 0)
		ck_assert_double_nan(cgroup.cpu_quota);
	else
		ck_assert_double_eq(cgroup.cpu_quota, quota);
	free(cgroup.path);
	free(cgroup.unit);
	free(cgroup.container);
}

static void expect_unknown(struct host *host, const char *groups, const char *path)
{
	expect(host, groups, path, ARI_UNKNOWN, ARI_UNKNOWN, 0);
}

/* Version 2 at v2/, whose group /app has 1 MiB of 4 MiB and half a processor. */
static void host_with_app(struct host *host)
{
	host_open(host);
	mounted(host, "/", "v2", "cgroup2", "rw,nsdelegate");
	put(host, "v2/cgroup.procs", "");
	put(host, "v2/app/memory.current", "1048576\n");
	put(host, "v2/app/memory.max", "4194304\n");
	put(host, "v2/app/cpu.max", "50000 100000\n");
}

TEST(files_that_nobody_asks_for_are_told_of_the_group_that_binds)
{
	struct host host;
	struct ari_cgroup cgroup;

	host_with_app(&host);
	put(&host, "v2/app/memory.stat",
	    "anon 4096\ninactive_file_not 1\ninactive_file 8192\nfile 1\n");
	put(&host, "v2/app/below/memory.current", "4096\n");
	put(&host, "v2/app/below/memory.max", "max\n");
	put(&host, "v2/app/below/memory.stat", "inactive_file 12288\n");
	cgroup = look_at(&host, "0::/app/below\n");
	ck_assert_uint_eq(cgroup.memory_inactive_file_bytes, 8192);
	free(cgroup.path);
	put(&host, "v2/app/memory.stat", "inactive_file none\n");
	cgroup = look_at(&host, "0::/app\n");
	ck_assert_uint_eq(cgroup.memory_inactive_file_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(cgroup.memory_max_bytes, 4 * MIB);
	free(cgroup.path);
	put(&host, "v2/app/memory.max", "max\n");
	cgroup = look_at(&host, "0::/app/below\n");
	ck_assert_uint_eq(cgroup.memory_inactive_file_bytes, ARI_UNKNOWN);
	free(cgroup.path);
	host_close(&host);
}

TEST(v2_group_has_limit_use_and_quota)
{
	struct host host;

	host_with_app(&host);
	expect(&host, "0::/app\n", "/app", MIB, 4 * MIB, 0.5);
	host_close(&host);
}

TEST(tightest_limit_counts_and_the_use_is_that_of_its_group)
{
	struct host host;

	host_with_app(&host);
	put(&host, "v2/app/pod/memory.current", "900000\n");
	put(&host, "v2/app/pod/memory.max", "max\n");
	put(&host, "v2/app/pod/cpu.max", "max 100000\n");
	put(&host, "v2/app/pod/box/memory.current", "800000\n");
	put(&host, "v2/app/pod/box/memory.max", "8388608\n");
	put(&host, "v2/app/pod/box/cpu.max", "200000 100000\n");
	expect(&host, "0::/app/pod/box\n", "/app/pod/box", MIB, 4 * MIB, 0.5);
	put(&host, "v2/app/pod/box/memory.max", "2097152\n");
	put(&host, "v2/app/pod/box/cpu.max", "25000 100000\n");
	expect(&host, "0::/app/pod/box\n", "/app/pod/box", 800000, 2 * MIB, 0.25);
	put(&host, "v2/app/pod/memory.max", "0\n");
	expect(&host, "0::/app/pod/box\n", "/app/pod/box", 900000, 0, 0.25);
	host_close(&host);
}

TEST(of_two_limits_alike_the_upper_group_is_the_fuller)
{
	struct host host;

	host_with_app(&host);
	put(&host, "v2/app/box/memory.current", "800000\n");
	put(&host, "v2/app/box/memory.max", "4194304\n");
	expect(&host, "0::/app/box\n", "/app/box", MIB, 4 * MIB, 0.5);
	host_close(&host);
}

TEST(without_a_limit_the_use_is_the_own_group_s)
{
	struct host host;

	host_open(&host);
	mounted(&host, "/", "v2", "cgroup2", "rw");
	put(&host, "v2/a/memory.current", "5000\n");
	put(&host, "v2/a/memory.max", "max\n");
	put(&host, "v2/a/b/memory.current", "3000\n");
	put(&host, "v2/a/b/memory.max", "max\n");
	put(&host, "v2/a/b/cpu.max", "max 100000\n");
	expect(&host, "0::/a/b\n", "/a/b", 3000, ARI_UNKNOWN, 0);
	host_close(&host);
}

TEST(root_group_is_told_without_numbers)
{
	struct host host;

	host_with_app(&host);
	expect_unknown(&host, "0::/\n", "/");
	host_close(&host);
}

TEST(group_without_the_controllers_is_bound_by_those_above)
{
	struct host host;

	host_with_app(&host);
	put(&host, "v2/app/session/cgroup.procs", "");
	expect(&host, "0::/app/session\n", "/app/session", MIB, 4 * MIB, 0.5);
	put(&host, "v2/app/memory.max", "max\n");
	expect(&host, "0::/app/session\n", "/app/session", ARI_UNKNOWN, ARI_UNKNOWN, 0.5);
	host_close(&host);
}

/* Version 1 as systemd mounts it, with 1 of 4 MiB and half a processor. */
static void host_of_v1(struct host *host, const char *cpu_options)
{
	host_open(host);
	mounted(host, "/", "systemd", "cgroup", "rw,xattr,name=systemd");
	mounted(host, "/", "memory", "cgroup", "rw,memory");
	mounted(host, "/", "cpu", "cgroup", cpu_options);
	put(host, "systemd/x", "");
	put(host, "memory/memory.limit_in_bytes", "9223372036854771712\n");
	put(host, "memory/memory.usage_in_bytes", "90000000\n");
	put(host, "memory/memory.use_hierarchy", "1\n");
	put(host, "memory/m/memory.limit_in_bytes", "4194304\n");
	put(host, "memory/m/memory.usage_in_bytes", "1048576\n");
	put(host, "memory/m/memory.use_hierarchy", "1\n");
	put(host, "cpu/cpu.cfs_quota_us", "-1\n");
	put(host, "cpu/cpu.cfs_period_us", "100000\n");
	put(host, "cpu/c/cpu.cfs_quota_us", "50000\n");
	put(host, "cpu/c/cpu.cfs_period_us", "100000\n");
}

TEST(v1_controllers_have_a_group_each)
{
	struct host host;

	host_of_v1(&host, "rw,cpu");
	expect(&host, "4:memory:/m\n3:cpuacct:/m\n2:cpu:/c\n1:name=systemd:/s\n", "/m",
	       MIB, 4 * MIB, 0.5);
	expect(&host, "2:cpu:/c\n4:memory:/\n", "/", 90000000, ARI_UNKNOWN, 0.5);
	expect(&host, "2:cpu:/c\n", "/c", ARI_UNKNOWN, ARI_UNKNOWN, 0.5);
	host_close(&host);
}

TEST(v1_controllers_may_be_joined)
{
	struct host host;

	host_of_v1(&host, "rw,cpuacct,cpu");
	expect(&host, "4:memory:/m\n2:cpu,cpuacct:/c\n", "/m", MIB, 4 * MIB, 0.5);
	expect(&host, "4:memory:/m\n2:cpuacct,cpu:/c\n", "/m", MIB, 4 * MIB, 0.5);
	host_close(&host);
}

TEST(hierarchy_with_a_controller_s_name_is_none_of_its)
{
	struct host host;

	host_open(&host);
	mounted(&host, "/", "named", "cgroup", "rw,name=memory");
	mounted(&host, "/", "set", "cgroup", "rw,cpuset,cpuacct");
	mounted(&host, "/", "tmp", "tmpfs", "rw,memory,cpu");
	put(&host, "named/a/memory.limit_in_bytes", "1000\n");
	put(&host, "set/a/cpu.cfs_quota_us", "1000\n");
	put(&host, "set/a/cpu.cfs_period_us", "1000\n");
	put(&host, "tmp/a/memory.limit_in_bytes", "1000\n");
	expect_unknown(&host, "2:name=memory:/a\n1:cpuset,cpuacct:/a\n", NULL);
	expect_unknown(&host, "2:memory:/a\n1:cpu:/a\n", "/a");
	host_close(&host);
}

TEST(v1_limit_of_the_counter_s_size_is_none)
{
	static const char *const huge[] = { "9223372036854771712", "9223372036854710272",
					    "9223372036854775807" };
	struct host host;

	host_of_v1(&host, "rw,cpu");
	for (size_t i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		put(&host, "memory/m/memory.limit_in_bytes", huge[i]);
		expect(&host, "4:memory:/m\n", "/m", MIB, ARI_UNKNOWN, 0);
	}
	host_close(&host);
}

TEST(v1_groups_without_hierarchy_do_not_bind_those_below)
{
	struct host host;

	host_of_v1(&host, "rw,cpu");
	put(&host, "memory/m/n/memory.limit_in_bytes", "8388608\n");
	put(&host, "memory/m/n/memory.usage_in_bytes", "700000\n");
	expect(&host, "4:memory:/m/n\n", "/m/n", MIB, 4 * MIB, 0);
	put(&host, "memory/m/memory.use_hierarchy", "0\n");
	expect(&host, "4:memory:/m/n\n", "/m/n", 700000, 8 * MIB, 0);
	put(&host, "memory/m/memory.limit_in_bytes", "x\n");
	expect(&host, "4:memory:/m/n\n", "/m/n", 700000, 8 * MIB, 0);
	host_close(&host);
}

TEST(v1_quota_is_the_least_above)
{
	struct host host;

	host_of_v1(&host, "rw,cpu");
	put(&host, "cpu/c/d/cpu.cfs_quota_us", "100000\n");
	put(&host, "cpu/c/d/cpu.cfs_period_us", "10000\n");
	expect(&host, "2:cpu:/c/d\n", "/c/d", ARI_UNKNOWN, ARI_UNKNOWN, 0.5);
	put(&host, "cpu/c/cpu.cfs_quota_us", "-1\n");
	expect(&host, "2:cpu:/c/d\n", "/c/d", ARI_UNKNOWN, ARI_UNKNOWN, 10);
	unlinkat(host.scratch.dir, "cpu/c/d/cpu.cfs_period_us", 0);
	expect_unknown(&host, "2:cpu:/c/d\n", "/c/d");
	host_close(&host);
}

TEST(controller_of_v1_is_not_looked_for_in_v2)
{
	struct host host;

	host_of_v1(&host, "rw,cpu");
	mounted(&host, "/", "unified", "cgroup2", "rw");
	put(&host, "unified/u/memory.max", "1000\n");
	put(&host, "unified/u/memory.current", "500\n");
	put(&host, "unified/u/cpu.max", "75000 100000\n");
	expect(&host, "4:memory:/m\n2:cpu:/c\n0::/u\n", "/m", MIB, 4 * MIB, 0.5);
	expect(&host, "0::/u\n2:cpu:/c\n4:memory:/m\n", "/m", MIB, 4 * MIB, 0.5);
	expect(&host, "4:memory:/m\n0::/u\n", "/m", MIB, 4 * MIB, 0.75);
	expect(&host, "2:cpu:/c\n0::/u\n", "/u", 500, 1000, 0.5);
	host_close(&host);
}

TEST(mount_may_begin_below_the_root)
{
	struct host host;

	host_open(&host);
	mounted(&host, "/docker/abc", "v2", "cgroup2", "rw");
	put(&host, "v2/memory.current", "2000\n");
	put(&host, "v2/memory.max", "6000\n");
	put(&host, "v2/in/memory.current", "1000\n");
	put(&host, "v2/in/memory.max", "3000\n");
	put(&host, "v2/d/memory.max", "3000\n");
	expect(&host, "0::/docker/abc\n", "/docker/abc", 2000, 6000, 0);
	expect(&host, "0::/docker/abc/in\n", "/docker/abc/in", 1000, 3000, 0);
	expect_unknown(&host, "0::/docker/abcd\n", "/docker/abcd");
	expect_unknown(&host, "0::/docker/ab\n", "/docker/ab");
	expect_unknown(&host, "0::/docker\n", "/docker");
	expect_unknown(&host, "0::/\n", "/");
	host_close(&host);
}

TEST(mount_that_shows_more_groups_is_taken)
{
	static const char *const options[] = { "rw", "ro" };
	struct host host;

	for (size_t i = 0; i < 2; i++) {
		host_open(&host);
		if (i == 0)
			mounted(&host, "/", "all", "cgroup2", options[i]);
		mounted(&host, "/docker", "some", "cgroup2", "rw");
		mounted(&host, "/docker/abc", "one", "cgroup2", "rw");
		if (i == 1)
			mounted(&host, "/", "all", "cgroup2", options[i]);
		put(&host, "one/memory.max", "6000\n");
		put(&host, "some/abc/memory.max", "6000\n");
		put(&host, "all/docker/memory.current", "2000\n");
		put(&host, "all/docker/memory.max", "3000\n");
		put(&host, "all/docker/abc/memory.max", "6000\n");
		expect(&host, "0::/docker/abc\n", "/docker/abc", 2000, 3000, 0);
		host_close(&host);
	}
}

TEST(mountinfo_is_escaped_and_the_cgroup_file_is_not)
{
	struct host host;

	host_open(&host);
	mounted(&host, "/a\\134x2d\\040b", "v\\0402\\134040", "cgroup2", "rw");
	put(&host, "v 2\\040/c\\x2d d/memory.current", "1000\n");
	put(&host, "v 2\\040/c\\x2d d/memory.max", "3000\n");
	expect(&host, "0::/a\\x2d b/c\\x2d d\n", "/a\\x2d b/c\\x2d d", 1000, 3000, 0);
	host_close(&host);
}

TEST(path_may_hold_colons)
{
	struct host host;

	host_open(&host);
	mounted(&host, "/", "v2", "cgroup2", "rw");
	put(&host, "v2/a:b::c/memory.max", "3000\n");
	put(&host, "v2/a:b::c/memory.current", "1000\n");
	expect(&host, "0::/a:b::c\n", "/a:b::c", 1000, 3000, 0);
	host_close(&host);
}

TEST(group_outside_of_our_namespace_is_told_without_numbers)
{
	struct host host;

	host_with_app(&host);
	expect_unknown(&host, "0::/..\n", "/..");
	expect_unknown(&host, "0::/../app\n", "/../app");
	expect_unknown(&host, "0::/../../app\n", "/../../app");
	host_close(&host);
}

TEST(mount_from_outside_of_our_namespace_shows_its_groups)
{
	struct host host;

	host_open(&host);
	mounted(&host, "/..", "v2", "cgroup2", "rw");
	put(&host, "v2/app/memory.current", "1000\n");
	put(&host, "v2/app/memory.max", "3000\n");
	expect(&host, "0::/../app\n", "/../app", 1000, 3000, 0);
	/* What our own root is called there, nobody says. */
	expect_unknown(&host, "0::/app\n", "/app");
	expect_unknown(&host, "0::/../../app\n", "/../../app");
	host_close(&host);
}

TEST(path_does_not_lead_out_of_the_mount)
{
	static const char *const paths[] = {
		"/app/../../secret", "/app/..", "/../secret", "/app/../app", "/link",
		"/link/sub",	     "/file",
	};
	struct host host;

	host_with_app(&host);
	put(&host, "secret/memory.max", "1000\n");
	put(&host, "secret/memory.current", "500\n");
	put(&host, "secret/sub/memory.max", "1000\n");
	put(&host, "v2/file", "");
	ck_assert_int_eq(symlinkat("../secret", host.scratch.dir, "v2/link"), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char groups[128];

		snprintf(groups, sizeof(groups), "0::%s\n", paths[i]);
		expect_unknown(&host, groups, paths[i]);
	}
	host_close(&host);
}

TEST(name_that_begins_with_dots_is_a_name)
{
	struct host host;

	host_with_app(&host);
	put(&host, "v2/..app/...x/memory.max", "3000\n");
	put(&host, "v2/..app/...x/memory.current", "1000\n");
	expect(&host, "0::/..app/...x\n", "/..app/...x", 1000, 3000, 0);
	host_close(&host);
}

TEST(files_of_a_group_are_no_links_and_no_pipes)
{
	struct host host;

	host_with_app(&host);
	put(&host, "secret", "1000\n");
	unlinkat(host.scratch.dir, "v2/app/memory.max", 0);
	unlinkat(host.scratch.dir, "v2/app/cpu.max", 0);
	ck_assert_int_eq(symlinkat("../../secret", host.scratch.dir, "v2/app/memory.max"),
			 0);
	ck_assert_int_eq(mkfifoat(host.scratch.dir, "v2/app/cpu.max", 0600), 0);
	expect(&host, "0::/app\n", "/app", MIB, ARI_UNKNOWN, 0);
	host_close(&host);
}

/* A limit that cannot be read may be the tightest; the own use is still true. */
TEST(hostile_limit_is_unknown)
{
	static const char *const texts[] = {
		"",
		"\n",
		"-1\n",
		"+5\n",
		" 5\n",
		"5 \n",
		"0x10\n",
		"5\n6\n",
		"5.0\n",
		"5k\n",
		"maximum\n",
		"Max\n",
		"max\n\n",
		"18446744073709551615\n",
		"18446744073709551616\n",
		"99999999999999999999999999999999999999999999999999\n",
		"0000000000000000000000000000000000000000000000000000000000000001\n",
	};
	struct host host;

	host_with_app(&host);
	put(&host, "v2/app/box/memory.current", "800000\n");
	put(&host, "v2/app/box/memory.max", "1000000\n");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put(&host, "v2/app/memory.max", texts[i]);
		expect(&host, "0::/app\n", "/app", MIB, ARI_UNKNOWN, 0.5);
		expect(&host, "0::/app/box\n", "/app/box", 800000, ARI_UNKNOWN, 0.5);
	}
	put_bytes(&host, "v2/app/memory.max", "5\0000\n", 4);
	expect(&host, "0::/app\n", "/app", MIB, ARI_UNKNOWN, 0.5);
	host_close(&host);
}

TEST(use_that_makes_no_sense_leaves_the_limit)
{
	struct host host;

	host_with_app(&host);
	put(&host, "v2/app/memory.current", "many\n");
	expect(&host, "0::/app\n", "/app", ARI_UNKNOWN, 4 * MIB, 0.5);
	unlinkat(host.scratch.dir, "v2/app/memory.current", 0);
	expect(&host, "0::/app\n", "/app", ARI_UNKNOWN, 4 * MIB, 0.5);
	host_close(&host);
}

TEST(hostile_quota_is_unknown)
{
	static const char *const texts[] = {
		"",
		"\n",
		"max\n",
		"50000\n",
		"50000 \n",
		" 100000\n",
		"50000 0\n",
		"0 100000\n",
		"-1 100000\n",
		"50000 -1\n",
		"50000  10\n",
		"5 10 10\n",
		"50000\t10\n",
		"0x5 10\n",
		"nan 10\n",
		"5 inf\n",
		"MAX 1000\n",
		"maximum 100\n",
		"5 10\n5\n",
	};
	struct host host;

	host_with_app(&host);
	put(&host, "v2/app/box/cpu.max", "1000 100000\n");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put(&host, "v2/app/cpu.max", texts[i]);
		expect(&host, "0::/app\n", "/app", MIB, 4 * MIB, 0);
		expect(&host, "0::/app/box\n", "/app/box", MIB, 4 * MIB, 0);
	}
	host_close(&host);
}

TEST(hostile_line_of_the_cgroup_file_names_no_group)
{
	static const char *const lines[] = {
		"",
		"\n",
		"0\n",
		"0:\n",
		"0::\n",
		"0::app\n",
		":",
		"1::/app\n",
		"00::/app\n",
		"0:x:/app\n",
		"::/app\n",
		"memory:/app\n",
		"/app\n",
		" 0::/app\n",
		"1:memor:/app\n",
		"1:memoryx:/app\n",
	};
	struct host host;

	host_with_app(&host);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		expect_unknown(&host, lines[i], NULL);
	expect(&host, "junk\n0:\n0::/app", "/app", MIB, 4 * MIB, 0.5);
	host_close(&host);
}

TEST(path_that_is_too_long_is_not_told)
{
	struct host host;
	char groups[8192], name[301];
	struct ari_cgroup cgroup;

	host_with_app(&host);
	memset(name, 'x', 300);
	name[300] = '\0';
	snprintf(groups, sizeof(groups), "0::/app/%s\n", name);
	cgroup = look_at(&host, groups);
	ck_assert_uint_eq(strlen(cgroup.path), 305);
	ck_assert_uint_eq(cgroup.memory_max_bytes, ARI_UNKNOWN);
	free(cgroup.path);
	free(cgroup.unit);
	free(cgroup.container);
	memset(groups, 'x', sizeof(groups) - 1);
	groups[sizeof(groups) - 1] = '\0';
	memcpy(groups, "0::/", 4);
	expect_unknown(&host, groups, NULL);
	host_close(&host);
}

TEST(hostile_line_of_mountinfo_is_no_mount)
{
	static const char *const formats[] = {
		"31 23 %u:%u / %s/v2 rw - cgroup2\n",
		"31 23 %u:%u / %s/v2 rw - cgroup2 none\n",
		"31 23 %u:%u / %s/v2 rw cgroup2 none rw\n",
		"31 23 %u:%u / %s/v2 rw - cgroup22 none rw\n",
		"31 23 %u:%u / %s/v2 rw - tmpfs cgroup2 rw\n",
		"31 %u:%u / %s/v2 rw - cgroup2 none rw\n",
		"31 23 x%u:%u / %s/v2 rw - cgroup2 none rw\n",
		"31 23 %u:%u x %s/v2 rw - cgroup2 none rw\n",
		"31 23 %u:%u / v2 rw - cgroup2 none rw\n",
		"31 23 %u:%u / %s/v3 rw - cgroup2 none rw\n",
		"31 23 %u:%u / %s/v2\\9 rw - cgroup2 none rw\n",
		"31 23 %u:%u  %s/v2 rw - cgroup2 none rw\n",
		"%u:%u %s - \n",
		"%u:%u %s - - - \n",
		"%u:%u %s\n",
	};
	struct host host;
	char text[512];

	host_with_app(&host);
	ck_assert_int_eq(chdir(host.scratch.path), 0);
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		snprintf(text, sizeof(text), formats[i], host.major, host.minor,
			 host.scratch.path);
		put(&host, "self/mountinfo", text);
		expect_unknown(&host, "0::/app\n", "/app");
	}
	host_close(&host);
}

/* What the line speaks of cannot be seen if the directory is another filesystem. */
TEST(mount_with_another_above_it_is_not_read)
{
	struct host host;

	host_with_app(&host);
	host.mountinfo[0] = '\0';
	host.minor++;
	mounted(&host, "/", "v2", "cgroup2", "rw");
	expect_unknown(&host, "0::/app\n", "/app");
	host.minor--;
	mounted(&host, "/app", "v2/app", "cgroup2", "rw");
	expect(&host, "0::/app\n", "/app", MIB, 4 * MIB, 0.5);
	host_close(&host);
}

TEST(group_that_is_not_there_has_no_numbers)
{
	struct host host;

	host_with_app(&host);
	expect_unknown(&host, "0::/app/gone\n", "/app/gone");
	expect_unknown(&host, "0::/app/gone/more\n", "/app/gone/more");
	expect_unknown(&host, "0::/app (deleted)\n", "/app (deleted)");
	host_close(&host);
}

TEST(nothing_that_is_missing_is_an_error)
{
	struct host host;
	struct ari_cgroup cgroup;
	struct ari_error err;

	host_with_app(&host);
	put(&host, "proc/cgroup", "0::/app\n");
	unlinkat(host.scratch.dir, "self/mountinfo", 0);
	cgroup = look(&host);
	ck_assert_str_eq(cgroup.path, "/app");
	ck_assert_uint_eq(cgroup.memory_max_bytes, ARI_UNKNOWN);
	free(cgroup.path);
	free(cgroup.unit);
	free(cgroup.container);
	unlinkat(host.scratch.dir, "proc/cgroup", 0);
	cgroup = look(&host);
	ck_assert_ptr_null(cgroup.path);
	memset(&cgroup, 0, sizeof(cgroup));
	ck_works(cgroup_read(-1, -1, &cgroup, &err), &err);
	ck_assert_ptr_null(cgroup.path);
	ck_assert_uint_eq(cgroup.memory_current_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(cgroup.memory_max_bytes, ARI_UNKNOWN);
	ck_assert_double_nan(cgroup.cpu_quota);
	host_close(&host);
}

/* Overwrites some bytes with those that mean something in these files. */
static void damage(char *text, uint64_t *seed)
{
	static const char bytes[] = "/.: ,\\-0\n1\xff";
	size_t length = strlen(text);

	for (size_t i = 0; i < 4; i++)
		text[unit_random(seed) % length] =
			bytes[unit_random(seed) % (sizeof(bytes) - 1)];
}

TEST(damaged_files_give_numbers_that_are_there_or_none)
{
	struct host host;
	uint64_t seed = 7;

	host_with_app(&host);
	for (size_t i = 0; i < 2000; i++) {
		char groups[] = "9:cpu,cpuacct:/app\n4:memory:/x\n0::/app\n";
		char mounts[sizeof(host.mountinfo)];
		struct ari_cgroup cgroup;

		snprintf(mounts, sizeof(mounts), "%s", host.mountinfo);
		damage(groups, &seed);
		damage(mounts, &seed);
		put(&host, "self/mountinfo", mounts);
		cgroup = look_at(&host, groups);
		must(cgroup.path == NULL || cgroup.path[0] == '/');
		must(cgroup.memory_max_bytes == ARI_UNKNOWN ||
		     cgroup.memory_max_bytes == 4 * MIB);
		must(isnan(cgroup.cpu_quota) || cgroup.cpu_quota == 0.5);
		free(cgroup.path);
		free(cgroup.unit);
		free(cgroup.container);
	}
	host_close(&host);
}

UNIT_MAIN("target/cgroup", files_that_nobody_asks_for_are_told_of_the_group_that_binds,
	  v2_group_has_limit_use_and_quota,
	  tightest_limit_counts_and_the_use_is_that_of_its_group,
	  of_two_limits_alike_the_upper_group_is_the_fuller,
	  without_a_limit_the_use_is_the_own_group_s, root_group_is_told_without_numbers,
	  group_without_the_controllers_is_bound_by_those_above,
	  v1_controllers_have_a_group_each, v1_controllers_may_be_joined,
	  hierarchy_with_a_controller_s_name_is_none_of_its,
	  v1_limit_of_the_counter_s_size_is_none,
	  v1_groups_without_hierarchy_do_not_bind_those_below,
	  v1_quota_is_the_least_above, controller_of_v1_is_not_looked_for_in_v2,
	  mount_may_begin_below_the_root, mount_that_shows_more_groups_is_taken,
	  mountinfo_is_escaped_and_the_cgroup_file_is_not, path_may_hold_colons,
	  group_outside_of_our_namespace_is_told_without_numbers,
	  mount_from_outside_of_our_namespace_shows_its_groups,
	  path_does_not_lead_out_of_the_mount, name_that_begins_with_dots_is_a_name,
	  files_of_a_group_are_no_links_and_no_pipes, hostile_limit_is_unknown,
	  use_that_makes_no_sense_leaves_the_limit, hostile_quota_is_unknown,
	  hostile_line_of_the_cgroup_file_names_no_group,
	  path_that_is_too_long_is_not_told, hostile_line_of_mountinfo_is_no_mount,
	  mount_with_another_above_it_is_not_read, group_that_is_not_there_has_no_numbers,
	  nothing_that_is_missing_is_an_error,
	  damaged_files_give_numbers_that_are_there_or_none)
