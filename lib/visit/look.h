/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_LOOK_H
#define VISIT_LOOK_H

#include "arenainspect.h"

/* The program that a process runs, as a file. */
struct program_id {
	uint64_t device, inode; /* 0, 0: not known */
};

/* What a first look at a process shows, in a fraction of a millisecond. */
struct look {
	struct ari_scanned row; /* numbers of malloc are not known yet */
	/* No C library is mapped: one may be linked into the program. */
	bool no_libc;
	struct program_id program;
};

/*
 * Reads files of /proc alone, and no memory.  What it comes to is in *ret, which
 * look_done() frees: row.skipped is why there is no more to see (a kernel thread, a
 * zombie, gone, denied, a C library that is not glibc), or ARI_UNKNOWN: the process
 * may be visited.  Fails only with ARI_NO_MEMORY.
 */
bool look_at(pid_t pid, struct look *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void look_done(struct look *look);

/* Sets why a row ends where it does; reason may be NULL.  Without memory: no reason. */
void look_skip(struct ari_scanned *row, enum ari_skip skip, const char *reason);

/* Why a visit failed, as a reason for leaving the process out. */
enum ari_skip look_skip_of(enum ari_code code);

#endif
