/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_TASKS_H
#define TARGET_TASKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "arenainspect.h"

struct tasks {
	ARI_LIST(pid_t) list;
};

/*
 * The thread ids below `dir`, a descriptor of /proc/PID, in the kernel's order
 * (the leader first).  ret for tasks_done().
 */
bool tasks_read(int dir, struct tasks *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void tasks_done(struct tasks *tasks);

/* The ids of all processes that /proc has, in its order; ret as above.  err: ARI_IO. */
bool tasks_read_processes(struct tasks *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Where the thread's list of robust futexes begins, which for a thread of glibc is
 * in its struct pthread (arch.h has the offset); 0: it has none; ARI_UNKNOWN: the
 * kernel does not say (no such thread, or the call is refused).
 * tid is an id as our pid namespace has it.
 */
uint64_t task_robust_head(pid_t tid);

/* What /proc says of a thread. */
struct task {
	pid_t tid;	 /* as our pid namespace has it */
	uint64_t ns_tid; /* as its own has it; ARI_UNKNOWN before Linux 4.1 */
	char name[64];	 /* its comm */
	bool ended;	 /* a zombie: the first thread, when it ended before the others */
};

/* dir as above; err: ARI_GONE when the thread has ended. */
bool task_read(int dir, pid_t tid, struct task *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The fields of a stat file that follow the comm (which may hold anything):
 * `field` is numbered as in proc_pid_stat(5), 3 being the state, of which the
 * character is returned.  ARI_UNKNOWN when there is no such field.
 */
uint64_t stat_field(const char *stat, unsigned int field);

#endif
