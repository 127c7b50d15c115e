/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_TELL_H
#define CMD_TELL_H

struct table_kind;

/*
 * One line on stderr, after the program's name; what may come from the target in it
 * is escaped for a terminal.
 */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The names of the columns there are, one line. */
void tell_columns(const struct table_kind *kind);

#endif
