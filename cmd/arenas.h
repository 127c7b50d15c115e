/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_ARENAS_H
#define CMD_ARENAS_H

#include "out/table.h"

/* One row per struct ari_arena; report shows it, too. */
extern const struct table_kind arenas_table;

#endif
