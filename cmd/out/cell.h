/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_CELL_H
#define OUT_CELL_H

#include "out/table.h"

/* Enough for every number in every form. */
#define CELL_ROOM ARI_BYTES_ROOM

/*
 * One value as characters, in `room` or, for words and texts, where it was.  NULL:
 * not known; what stands for that is the format's business.  Texts still need
 * escape().
 */
const char *cell_exact(const struct column *column, const struct value *value,
		       char room[CELL_ROOM]);

/* The same for people: bytes rounded, containers' ids cut, no address is "none". */
const char *cell_rounded(const struct column *column, const struct value *value,
			 char room[CELL_ROOM]);

/*
 * What runs there, as its runtime shows it: of the 64 digits of a container's id the
 * first twelve, names as they are.
 */
const char *id_text(const char *id, char room[CELL_ROOM]);

/* "812.0 MiB", "unknown". */
const char *bytes_text(uint64_t bytes, char room[CELL_ROOM]);

/* A change: "+812.0 MiB", "-17 B", "0", "unknown". */
const char *more_text(int64_t bytes, char room[CELL_ROOM]);

/* "2.5 s", "10 min", "1 h 5 min", "3 d 2 h"; "unknown" for NaN. */
const char *seconds_text(double seconds, char room[CELL_ROOM]);

#endif
