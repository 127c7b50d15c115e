/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_NAMES_H
#define CMD_NAMES_H

#include "out/document.h"

/* Threads by their names: pools number theirs. */

/*
 * Threads of one folded name: every number in it is made a '*', and "pool-1-thread-7"
 * is "pool-*-thread-*".
 */
struct name_group {
	const char *name; /* as it is while all have the same; NULL: not known */
	const struct ari_thread **threads;
	size_t count;
};

/*
 * Groups threads in order of their folded names, the unknown last; with by_arena, in
 * order of their arenas first (none of the groups then spans two).  *ret_count of
 * them; NULL only when memory ran out.
 */
struct name_group *name_groups(struct document *document, const struct ari_model *model,
			       bool by_arena, size_t *ret_count);

#endif
