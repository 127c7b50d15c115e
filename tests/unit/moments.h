/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOMENTS_H
#define MOMENTS_H

#include "arenainspect.h"

/* Bytes that are growth, whatever they are of, while there were at most a hundred. */
#define MUCH (UINT64_C(16) << 20)

/*
 * Two moments of a process, a minute apart, to be changed by a test: arenas 0 (main) and
 * 1 with everything known, and nothing that differs; for moments_done().
 */
struct moments {
	struct ari_model *before, *after;
	struct ari_diff *diff;
};

void moments_init(struct moments *moments);
void moments_done(struct moments *moments);

/* The same arena twice, or only after. */
void moments_add_arena(struct ari_model *model, uint64_t address);

/* Adds chunks in use to an arena, and to its size class. */
void moments_use(struct ari_arena *arena, uint64_t size, uint64_t chunks);

/* Compares, without force; must succeed. */
void moments_compare(struct moments *moments);

/* The one finding there is, or "" if there is none; with several, "several". */
const char *moments_verdict(const struct moments *moments);

#endif
