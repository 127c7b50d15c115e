/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CMDLINE_H
#define CMD_CMDLINE_H

#include "options.h"

/*
 * argv into *ret, which options_done() frees, also after a failure.  False: ARI_USAGE
 * with a message that names what is wrong and lists what would be right.
 */
bool options_parse(struct options *ret, int argc, char **argv, struct ari_error *err)
	__attribute__((warn_unused_result));
void options_done(struct options *options);

#endif
