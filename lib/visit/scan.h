/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_SCAN_H
#define VISIT_SCAN_H

#include "visit/look.h"
#include "visit/resolve_cache.h"

/*
 * What a scan does with one process, in a row that tests take apart: ari_scan() is
 * scan_with() the two of /proc.
 */
struct scan_ways {
	/* As look_at(). */
	bool (*look)(pid_t pid, struct look *ret, struct ari_error *err);
	/* As visit_with(). */
	bool (*visit)(pid_t pid, const struct ari_options *options,
		      struct resolve_cache *cache, struct ari_model **ret,
		      struct ari_error *err);
};

/* pids: those to be scanned; borrowed. */
bool scan_with(const struct scan_ways *ways, const struct ari_scan_options *options,
	       const pid_t *pids, size_t count, struct ari_scan **ret,
	       struct ari_error *err) __attribute__((warn_unused_result));

/* What a model says of malloc, into the row of its process (scan_row.c). */
void scan_fill_row(struct ari_scanned *row, const struct ari_model *model);

/* What could give back most comes first; what is not known, last. */
int scan_compare_rows(const void *a, const void *b);

#endif
