/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include "options.h"
#include "plugin.h"
#include "range.h"

/* What check measures and judges; check.c fills it, check_text.c puts it into words. */

/* A metric that was asked for. */
struct measure {
	char name[48]; /* of the metric, or of its growth */
	size_t metric;
	struct ari_metric is;
	bool growth; /* per second */
	const struct watched *asked;
	struct range warning, critical; /* where it was asked for */
};

/* What one process has of it.  `young`: nothing earlier to compare it with. */
struct reading {
	struct ari_value value;
	bool young;
	enum plugin_state state;
};

struct checked {
	pid_t pid;
	uint64_t start_time_ticks;
	char comm[64];
	unsigned int nth; /* among those of the same comm, from the oldest, 1 */
	enum plugin_state state;
	struct ari_error error; /* not ARI_OK: no readings */
	struct reading readings[WATCHED_MOST];
};

struct check {
	struct measure measures[WATCHED_MOST];
	size_t measure_count;
	struct checked *subjects; /* oldest first */
	size_t subject_count;
	bool one_pid; /* the process was named by its pid, alone */
	bool verbose;
	bool plain_bytes; /* -b */
};

/*
 * The three parts of the plugin's output, each to be freed: text, perfdata and, if it is
 * verbose, one line for each process.  False: ARI_NO_MEMORY.
 */
struct check_text {
	char *text, *perfdata, *more;
};
bool check_text_make(const struct check *check, enum plugin_state state,
		     struct check_text *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void check_text_done(struct check_text *text);

#endif
