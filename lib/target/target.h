/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arenainspect.h"
#include "target/maps.h"

/* What changes when a pid means another process or another program. */
struct identity {
	uint64_t start_time_ticks;
	uint64_t at_random, at_base; /* auxv; ARI_UNKNOWN where it cannot be read */
	uint64_t exe_device, exe_inode;
};

/* What /proc says of the process as a whole, read once when it is opened. */
struct status {
	char comm[64];
	uint64_t ns_pid; /* in its own pid namespace */
	uint64_t threads, uid, rss_bytes, anon_bytes, swap_bytes, virtual_bytes;
	uint64_t locked_bytes;	     /* VmLck */
	uint64_t allowed_processors; /* in its affinity mask; 0: not told */
	bool kernel_thread;
};

/*
 * A live process, open for reading.  All files of /proc are reached through
 * descriptors of its directory, so they cannot come from a later process with
 * the same pid.
 */
struct target {
	pid_t pid;
	pid_t task; /* a thread that still has the memory; pid, or its leader died */
	int pidfd;  /* -1 where the kernel has none */
	int dir;    /* /proc/PID */
	int task_dir;
	uint64_t page_bytes;
	struct identity identity;
	struct status status;
	uint64_t auxv_base; /* AT_BASE; ARI_UNKNOWN */
};

/*
 * Opens a process.  err: ARI_GONE (no such process, or a zombie),
 * ARI_NOT_GLIBC (a kernel thread), ARI_DENIED.
 */
bool target_open(pid_t pid, struct target *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void target_close(struct target *target);

/*
 * Is this still the process, running the program, that was opened?  Else
 * ARI_GONE.  Called before what was read is believed.
 */
bool target_check(const struct target *target, struct ari_error *err)
	__attribute__((warn_unused_result));

bool target_same_identity(const struct identity *a, const struct identity *b);

/* Fills *err: the process is there, but what it ran is not.  Always false. */
bool target_ran_another(pid_t pid, struct ari_error *err);

/* Its mappings as they are now; ret for maps_done(). */
bool target_maps(const struct target *target, struct maps *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The file of the process's exe link; ret for free(). */
bool target_exe(const struct target *target, char **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Opens the very file that a mapping shows, even when its path names another
 * one now: through map_files (which needs CAP_CHECKPOINT_RESTORE), else through
 * the root of the process when device and inode agree.  err: ARI_IO when
 * neither has it.
 */
bool target_open_file(const struct target *target, const struct map *map, int *ret,
		      struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The name under which the file of a mapping can be opened by others, in *ret
 * for free().
 */
bool target_file_name(const struct target *target, const struct map *map, char **ret,
		      struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Completes an ARI_DENIED about `what` ("memory", "pagemap") with the right
 * that is missing: the other user, the capability, yama, seccomp, the user
 * namespace.  Other errors pass unchanged.  Always false.
 */
bool target_denied(const struct target *target, const char *what, struct ari_error *err);

#endif
