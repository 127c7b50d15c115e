// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "command.h"

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "commands.def"
#undef COMMAND
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

bool command_has(const struct command *command, enum option_about about)
{
	const bool lacks[] = {
		[ABOUT_TABLES] = command->own_form || command->is_document,
		[ABOUT_MODEL] =
			command->own_form || command->is_document || command->no_process,
		[ABOUT_FILES] = command->plugin != NULL,
		[ABOUT_PROCESS] = command->no_process,
		[ABOUT_SORTING] =
			command->own_form || command->is_document || command->row_by_row,
		[ABOUT_STORED] = command->live_only || command->no_process,
		[ABOUT_FINDINGS] = command->no_findings,
	};

	return !lacks[about];
}

const struct table_kind *command_table(const struct command *command,
				       const struct options *options)
{
	bool own = (options->own & command->own_table_for) != 0;

	return own ? command->own_table : command->table;
}

enum ari_depth command_least_depth(const struct command *command,
				   const struct options *options)
{
	bool own = (options->own & command->own_table_for) != 0;

	return own ? command->own_least_depth : command->least_depth;
}
