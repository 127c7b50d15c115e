/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_PROCFS_H
#define TARGET_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "arenainspect.h"

/*
 * Files below a directory of /proc, opened through a descriptor of that
 * directory: when the process ends they fail with ESRCH even if its pid is
 * taken by another one.
 */

/* A descriptor of the directory of a process; -1: errno says why not. */
int procfs_open_process(pid_t pid);

/*
 * The whole of a text file, NUL-terminated; *ret for free(), its length in
 * *ret_length when that is not NULL.  Files beyond 4 MiB are refused.
 */
bool procfs_read(int dir, const char *name, char **ret, size_t *ret_length,
		 struct ari_error *err) __attribute__((warn_unused_result));

/* Where a symbolic link points; *ret for free(). */
bool procfs_link(int dir, const char *name, char **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* An open descriptor for reading, with errors as below. */
bool procfs_open(int dir, const char *name, int *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The same as a stream, for fclose(). */
bool procfs_stream(int dir, const char *name, FILE **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Turns an errno that a file of a process gave into an error: ARI_GONE for
 * ESRCH and ENOENT, ARI_DENIED for EACCES and EPERM, else ARI_IO.
 */
bool procfs_fail(struct ari_error *err, int error, const char *name);

/*
 * The number that follows `key` at the start of a line ("VmRSS:"), in the
 * given base; ARI_UNKNOWN when there is none.
 */
uint64_t procfs_number(const char *text, const char *key, int base);

/* The same for a line in kB, in bytes. */
uint64_t procfs_kb(const char *text, const char *key);

/* Takes the one newline that the kernel appends; names may hold others. */
void procfs_chomp(char *text);

/* What follows `key` at the start of a line, or NULL. */
const char *procfs_line(const char *text, const char *key);

#endif
