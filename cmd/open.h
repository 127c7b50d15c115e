/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "options.h"

/*
 * The process that the options name, by PID or by --comm.  A name that several
 * have is ARI_USAGE, with the list of them on stderr; one that nobody has is
 * ARI_GONE.
 */
bool open_pid(const struct options *options, pid_t *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The processes that the options name, however many: at least one.  By name, without
 * this very process.  ARI_GONE: nobody has the name.
 */
struct pids {
	pid_t *at; /* freed by the caller */
	size_t count;
};
bool open_pids(const struct options *options, struct pids *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* What a visit needs to know of the options. */
struct ari_options open_options(const struct options *options);

/*
 * Visits that process, or reads the snapshot.  When time runs out it fails with
 * ARI_TIMED_OUT, and *ret is what was read by then, or NULL; otherwise false leaves *ret
 * alone.
 */
bool open_model(const struct options *options, struct ari_model **ret,
		struct ari_error *err) __attribute__((warn_unused_result));

#endif
