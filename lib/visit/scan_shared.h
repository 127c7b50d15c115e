/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_SCAN_SHARED_H
#define VISIT_SCAN_SHARED_H

#include "base/clock.h"
#include "visit/scan.h"

/*
 * What the threads of a scan share.  One that hangs in the kernel may come back when
 * the scan is long over: so all of it is copied, and lives until the last lets go.
 */
struct scan_shared;

/* A process that may be visited. */
struct scan_candidate {
	struct ari_scanned row; /* borrowed; no thread looks at its strings */
	size_t index;		/* its row's */
	bool no_libc;
	struct program_id program;
};

/* What a visit came to: the candidate's row, with malloc's numbers. */
struct scan_visited {
	struct ari_scanned row;
	struct ari_error error; /* code ARI_OK: all of it was read */
};

/* What a visit came to that is wanted as it is. */
struct scan_model {
	struct ari_model *model; /* NULL: error says why */
	struct ari_error error;
};

/* For scan_shared_close(); NULL: no memory. */
struct scan_shared *scan_shared_new(const struct scan_ways *ways,
				    const struct ari_options *options);
/* The scan's own hold ends, and nothing more is logged. */
void scan_shared_close(struct scan_shared *shared);

/* When all of them have to be done; a visit that begins later fails at once. */
void scan_shared_set_end(struct scan_shared *shared, struct deadline end);

/* False: no memory. */
bool scan_shared_set_pids(struct scan_shared *shared, const pid_t *pids, size_t count);
bool scan_shared_set_candidates(struct scan_shared *shared,
				const struct scan_candidate *candidates, size_t count);

/* When a process is given up: later than a visit should end by itself. */
uint64_t scan_shared_limit(const struct scan_shared *shared);

/* For the pool, which hands scan_shared on; the results are from malloc(). */
void scan_shared_hold(void *shared);
void scan_shared_release(void *shared);
void *scan_shared_look(void *shared, size_t index);  /* struct look */
void *scan_shared_visit(void *shared, size_t index); /* struct scan_visited */
void *scan_shared_model(void *shared, size_t index); /* of pids: struct scan_model */
void scan_shared_drop_look(void *result);
void scan_shared_drop_visit(void *result);
void scan_shared_drop_model(void *result);

#endif
