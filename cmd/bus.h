/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_BUS_H
#define CMD_BUS_H

#include <stdbool.h>

/*
 * Files of the process are read through mappings, and whoever may write to such a file
 * may cut it meanwhile: what is missing then reads as zeros, in place of a SIGBUS that
 * ends us.  Zeros are no symbols and no headers.
 */
void bus_settle(void);

/* Whether that has happened. */
bool bus_was_cut(void);

#endif
