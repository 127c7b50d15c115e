/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_ARENAS_H
#define CMD_ARENAS_H

#include "out/document.h"

/* A row of arenas_table. */
struct arena_row {
	struct ari_arena arena; /* its lists still belong to the model */
	const char *names;	/* of its threads; NULL: not known */
};

/* One row per struct arena_row; report shows it, too. */
extern const struct table_kind arenas_table;

/* One row for each arena; NULL only when memory ran out. */
struct arena_row *arena_rows(struct document *document, const struct ari_model *model);

#endif
