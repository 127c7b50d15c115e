/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_CGNAMES_H
#define TARGET_CGNAMES_H

#include <stdbool.h>

#include "arenainspect.h"

/*
 * What the paths of a process's control groups tell of who runs it.
 *
 * text           of /proc/PID/cgroup
 * ret_unit       the innermost unit of systemd that is a service, scope, socket, mount
 *                or swap (slices hold only others), as systemctl names it
 * ret_container  the id of the innermost container: the 64 hex digits that Docker,
 *                containerd, Podman and CRI-O give theirs, or the name of one of LXC
 *
 * Either is for free(), or NULL where no path has one.  err: ARI_NO_MEMORY only.
 */
bool cgnames_read(const char *text, char **ret_unit, char **ret_container,
		  struct ari_error *err) __attribute__((warn_unused_result));

#endif
