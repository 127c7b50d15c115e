/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SERIES_H
#define CMD_SERIES_H

#include "arenainspect.h"

/* The processes that share their labels, summed. */

struct series {
	char *comm;
	const char *group_is; /* the name of the label: "unit" or "cgroup" */
	char *group;	      /* NULL: not known */
	uint64_t processes, torn_processes;
	double rss;
	struct ari_value *values; /* of each metric */

	/* By index, and each with one value of each metric. */
	struct ari_value *arena_values;
	size_t arenas;
};

struct series_list {
	struct series *at;
	size_t count, room;
	size_t metrics; /* how many there are */
	bool per_arena;

	uint64_t cut_series, cut_processes, cut_arenas;
};

void series_init(struct series_list *list, bool per_arena);
void series_done(struct series_list *list);

/* Adds a process to those of its labels. */
bool series_add(struct series_list *list, const struct ari_model *model,
		struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Keeps those of the largest RSS, at most so many, sorted by their labels; of their
 * arenas at most so many in all.  What was cut is counted.
 */
void series_limit(struct series_list *list, size_t limit);

/* One value of a metric; arena: an index, or ARI_UNKNOWN: of the whole. */
const struct ari_value *series_value(const struct series_list *list,
				     const struct series *series, uint64_t arena,
				     size_t metric);

#endif
