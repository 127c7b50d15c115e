// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/arch.h"
#include "scratch.h"
#include "target/procfs.h"
#include "target/tasks.h"
#include "unit.h"

TEST(fields_follow_the_comm)
{
	static const char stat[] = "42 (cat) S 1 42 42 0 -1 4194560 17 0\n";

	ck_assert_uint_eq(stat_field(stat, 3), 'S');
	ck_assert_uint_eq(stat_field(stat, 4), 1);
	ck_assert_uint_eq(stat_field(stat, 9), 4194560);
	ck_assert_uint_eq(stat_field(stat, 10), 17);
	ck_assert_uint_eq(stat_field(stat, 11), 0);
}

TEST(hostile_comm_moves_no_field)
{
	static const char *const comms[] = {
		") R 1 (", "a b c", "((((", "))))", ") S 1 2 3 4 5",
		"",	   " ",	    "\n",   "x) Z",
	};

	for (size_t i = 0; i < sizeof(comms) / sizeof(*comms); i++) {
		char stat[128];

		snprintf(stat, sizeof(stat), "42 (%s) S 7 8 9\n", comms[i]);
		ck_assert_msg(stat_field(stat, 3) == 'S', "comm \"%s\"", comms[i]);
		ck_assert_msg(stat_field(stat, 4) == 7, "comm \"%s\"", comms[i]);
		ck_assert_msg(stat_field(stat, 6) == 9, "comm \"%s\"", comms[i]);
	}
}

TEST(field_that_is_not_there_is_unknown)
{
	static const char stat[] = "42 (cat) S 1\n";

	ck_assert_uint_eq(stat_field(stat, 5), ARI_UNKNOWN);
	ck_assert_uint_eq(stat_field(stat, 52), ARI_UNKNOWN);
	ck_assert_uint_eq(stat_field("42 (cat)", 3), ARI_UNKNOWN);
	ck_assert_uint_eq(stat_field("42 cat S 1", 3), ARI_UNKNOWN);
	ck_assert_uint_eq(stat_field("", 3), ARI_UNKNOWN);
}

TEST(field_in_front_of_the_comm_is_not_asked_for)
{
	ck_assert_uint_eq(stat_field("42 (cat) S 1\n", 0), ARI_UNKNOWN);
	ck_assert_uint_eq(stat_field("42 (cat) S 1\n", 1), ARI_UNKNOWN);
	ck_assert_uint_eq(stat_field("42 (cat) S 1\n", 2), ARI_UNKNOWN);
}

TEST(tasks_are_the_numbers_below_task)
{
	struct scratch scratch;
	struct ari_error err;
	struct tasks tasks;
	pid_t sum = 0;

	scratch_open(&scratch);
	scratch_text(&scratch, "task/100", "");
	scratch_text(&scratch, "task/23", "");
	scratch_text(&scratch, "task/self", "");
	ck_works(tasks_read(scratch.dir, &tasks, &err), &err);
	ck_assert_uint_eq(tasks.list.count, 2);
	for (size_t i = 0; i < tasks.list.count; i++)
		sum += tasks.list.at[i];
	ck_assert_int_eq(sum, 123);
	tasks_done(&tasks);
	scratch_close(&scratch);
}

TEST(process_without_tasks_went_away)
{
	struct scratch scratch;
	struct ari_error err;
	struct tasks tasks;

	scratch_open(&scratch);
	ck_fails(tasks_read(scratch.dir, &tasks, &err), &err, ARI_GONE);
	scratch_close(&scratch);
}

TEST(processes_of_proc_are_listed_and_opened_by_their_ids)
{
	struct tasks pids;
	struct ari_error err;
	size_t own = 0;
	int dir;

	ck_works(tasks_read_processes(&pids, &err), &err);
	for (size_t i = 0; i < pids.list.count; i++)
		own += pids.list.at[i] == getpid();
	ck_assert_uint_eq(own, 1);
	tasks_done(&pids);
	dir = procfs_open_process(getpid());
	ck_assert_int_eq(faccessat(dir, "status", F_OK, 0), 0);
	close(dir);
	ck_assert_int_lt(procfs_open_process(-1), 0);
}

TEST(robust_list_leads_to_struct_pthread)
{
	uint16_t offset = arch_x86_64.pthread_robust_head;

#ifdef __aarch64__
	offset = arch_aarch64.pthread_robust_head;
#endif
	ck_assert_uint_eq(task_robust_head(gettid()), (uint64_t)pthread_self() + offset);
	ck_assert_uint_eq(task_robust_head(-1), ARI_UNKNOWN);
}

static struct task read_task(const char *status)
{
	struct scratch scratch;
	struct ari_error err;
	struct task task;

	/* One directory below is all that a scratch file may have. */
	scratch_open(&scratch);
	scratch_text(&scratch, "task/status", status);
	mkdirat(scratch.dir, "task/23", 0755);
	renameat(scratch.dir, "task/status", scratch.dir, "task/23/status");
	ck_works(task_read(scratch.dir, 23, &task, &err), &err);
	ck_fails(task_read(scratch.dir, 24, &task, &err), &err, ARI_GONE);
	unlinkat(scratch.dir, "task/23/status", 0);
	unlinkat(scratch.dir, "task/23", AT_REMOVEDIR);
	scratch_close(&scratch);
	return task;
}

TEST(task_has_the_id_of_its_own_namespace_and_a_plain_name)
{
	struct task task = read_task("Name:\ta\\\\b\\nc d\nUmask:\t0022\n"
				     "State:\tS (sleeping)\nNSpid:\t23\t7\t5\n"
				     "VmRSS:\t 1 kB\n");

	ck_assert_int_eq(task.tid, 23);
	ck_assert_uint_eq(task.ns_tid, 5);
	ck_assert_str_eq(task.name, "a\\b\nc d");
	ck_assert(!task.ended);
}

TEST(task_that_waits_to_be_waited_for_has_ended)
{
	struct task task = read_task("Name:\tjava\nState:\tZ (zombie)\n");

	ck_assert(task.ended);
	ck_assert_uint_eq(task.ns_tid, ARI_UNKNOWN);
}

TEST(odd_status_is_no_surprise)
{
	struct task task = read_task("Name:\t" /* without an end, and too long */
				     "\\x12345678901234567890123456789012345678901234567"
				     "8901234567890123456789\\");

	ck_assert_uint_eq(strlen(task.name), sizeof(task.name) - 1);
	ck_assert_uint_eq(read_task("NSpid:\t\n").ns_tid, ARI_UNKNOWN);
	ck_assert_uint_eq(read_task("NSpid:\t12\tx\n").ns_tid, 12);
	ck_assert_uint_eq(read_task("").ns_tid, ARI_UNKNOWN);
}

UNIT_MAIN("target/tasks", fields_follow_the_comm, hostile_comm_moves_no_field,
	  field_that_is_not_there_is_unknown, field_in_front_of_the_comm_is_not_asked_for,
	  tasks_are_the_numbers_below_task,
	  processes_of_proc_are_listed_and_opened_by_their_ids,
	  process_without_tasks_went_away, robust_list_leads_to_struct_pthread,
	  task_has_the_id_of_its_own_namespace_and_a_plain_name,
	  task_that_waits_to_be_waited_for_has_ended, odd_status_is_no_surprise)
