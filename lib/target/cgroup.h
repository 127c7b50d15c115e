/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_CGROUP_H
#define TARGET_CGROUP_H

#include <stdbool.h>

#include "arenainspect.h"

/*
 * The control group of a process, with the limits that bind it: the tightest of the
 * group and of those above it, as far up as our mount of the hierarchy shows.
 *
 * dir   the process's directory in /proc, for its `cgroup`: the group that counts its
 *       memory names it, of the version 1 hierarchy where that has the controller,
 *       else of version 2.
 * self  our own directory in /proc, for `mountinfo`: where the hierarchies are mounted
 *       for us.  Both files speak of groups as our cgroup namespace shows them, so
 *       either belongs to the other.
 * ret   path, unit and container (cgnames.h) are for free(), or NULL.
 *       memory_current_bytes is the use of the very group whose limit is
 *       memory_max_bytes, and without a limit that of the process's own.
 *       memory_inactive_file_bytes is of that use, and unknown without a limit.
 *       cpu_quota is in processors.  What cannot be seen is unknown: a hierarchy that
 *       is not mounted here, a group outside of our namespace, a limit that makes no
 *       sense.
 * err   ARI_NO_MEMORY only.
 */
bool cgroup_read(int dir, int self, struct ari_cgroup *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
