/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_STATE_H
#define CMD_STATE_H

#include "arenainspect.h"

/*
 * What earlier runs have measured, in a file: check tells from it how a number grows.
 * A sample is one metric of one process, which is told from every other, also from one
 * that had its pid before, by the boot and the time it was started.
 */

#define SAMPLE_METRIC_ROOM 32
#define SAMPLE_BOOT_ROOM   40

struct sample {
	char boot_id[SAMPLE_BOOT_ROOM];
	uint64_t pid, start_time_ticks;
	char metric[SAMPLE_METRIC_ROOM];
	uint64_t taken_ns; /* CLOCK_BOOTTIME */
	double value;
};

struct state;

/*
 * Opens the file, makes it if there is none, and waits for its lock, which nobody else
 * has until state_close() or state_drop().  ARI_IO: it is not one of ours, the user is
 * not its owner, it is a symbolic link, others may write to it, …
 */
bool state_open(const char *path, struct state **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Waits until the newest sample is a second old, so that a rate means something. */
void state_rest(const struct state *state);

/* The earlier sample of the same process and metric; NULL: none. */
const struct sample *state_find(const struct state *state, const struct sample *sample);

/*
 * Puts a sample in the place of earlier ones of that pid and metric; where there are too
 * many others in the place of the oldest one.
 */
bool state_put(struct state *state, const struct sample *sample, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Replaces the file, whole or not at all, and gives the lock back. */
bool state_close(struct state *state, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Gives the lock back and leaves the file as it was.  NULL does nothing. */
void state_drop(struct state *state);

/* Now, by the clock of the samples. */
uint64_t state_clock(void);

#endif
