/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "options.h"

/* What --help prints, of one command or, with command NULL, of all. */
bool help_show(const struct command *command, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The metrics that there are, as a section of a command's help. */
void help_metrics(FILE *out);

bool version_show(struct ari_error *err) __attribute__((warn_unused_result));

#endif
