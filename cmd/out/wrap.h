/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_WRAP_H
#define OUT_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <libsmartcols.h>

/*
 * Breaks the texts of the last column between words, so that the rows fit into
 * `width`; libsmartcols itself breaks anywhere.  Before the table is printed.
 */
bool wrap_last_column(struct libscols_table *table, size_t width);

/*
 * Writes text whose line has `used` columns already, and begins the lines it breaks
 * it into with as many blanks.  width 0: on one line.
 */
void wrap_words(FILE *out, const char *text, size_t used, size_t width);

#endif
