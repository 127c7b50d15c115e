/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_MEASURE_H
#define ANALYSE_MEASURE_H

#include "analyse/growth.h"

/*
 * What is growth, and not noise.  Both must be reached.
 *
 * In bytes: what comes and goes with one request, such as the buffers of a
 * connection or a query's work_mem (4 MiB in PostgreSQL), and the 132 KiB with which
 * an arena begins, is less than that.
 * In per cent of what there was: the number of requests that are under way, and with
 * it what they hold, is never quite the same twice.  That is why each is measured
 * against its own kind: malloc's part of a JVM is small beside the Java heap.
 * In arenas: a few more are a few threads that have started.
 */
#define LEAST_BYTES    (4u << 20)
#define LEAST_ARENAS   4
#define LEAST_PERCENT  2
#define ARENAS_PERCENT 10

/* How much of one kind there is more, at least, and how much there was. */
struct growth {
	const struct growth_of *of;
	const struct ari_diff *diff;
	bool with_new_arenas;  /* of free memory: that of new arenas, too */
	uint64_t more, before; /* bytes or arenas; more 0: it did not grow */
	bool known;	       /* false: it may have grown all the same */
};

/*
 * Each fills `more`, `before` (either ARI_UNKNOWN: not known) and `known` for one kind;
 * the other members are set, with_new_arenas too.
 */
void measure_in_use(struct growth *its);
void measure_free(struct growth *its);
void measure_arenas(struct growth *its);
void measure_mmapped(struct growth *its);
void measure_outside(struct growth *its);

/* By how much memory of one kind that is not malloc's grew; else, or not known, 0. */
uint64_t measure_kind(const struct ari_memory_delta *row);

/* Whether the arena of that row of the diff was not there before. */
bool measure_is_new(const struct growth *its, size_t i);

#endif
