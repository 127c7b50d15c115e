// SPDX-License-Identifier: Apache-2.0
#include "command.h"

/* What the other commands read in place of a process: the model, and no more. */
const struct command command_snapshot = {
	.name = "snapshot",
	.arguments = "PID",
	.help = "the JSON document, which most commands read in place of a process",
	.is_document = true,
	.run = run_visit,
};
