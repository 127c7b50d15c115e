// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "command.h"
#include "help.h"
#include "out/sink.h"

static void write_option(FILE *out, const struct option_help *is)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", is->letter == 0 ? ' ' : '-',
		 is->letter == 0 ? ' ' : is->letter, is->letter == 0 ? "  " : ", ",
		 is->name, is->argument == NULL ? "" : " ",
		 is->argument == NULL ? "" : is->argument);
	fprintf(out, "  %-26s %s\n", left, is->help);
}

/* Those of every command; of one (or NULL) those that have something to do there. */
static void write_options(FILE *out, const struct command *command)
{
	struct option_help is;

	for (size_t i = 0; option_describe(i, &is); i++)
		if (is.own == OWN_NONE &&
		    (command == NULL || command_has(command, option_about(i))))
			write_option(out, &is);
}

static void write_own_options(FILE *out, const struct command *command)
{
	struct option_help is;

	for (size_t i = 0; option_describe(i, &is); i++)
		if ((is.own & command->own) != 0)
			write_option(out, &is);
}

static void write_columns(FILE *out, const struct table_kind *kind)
{
	fprintf(out, "\nColumns of %s (* in the default set):\n", kind->name);
	for (size_t i = 0; i < kind->count; i++) {
		const struct column *column = &kind->columns[i];

		fprintf(out, "%c %-18s %-9s  %s\n",
			column->shown == ON_REQUEST ? ' ' : '*', column->name,
			unit_name(column->unit), column->help);
	}
}

void help_metrics(FILE *out)
{
	static const char *const units[] = {
		[ARI_UNIT_COUNT] = "count",
		[ARI_UNIT_BYTES] = "bytes",
		[ARI_UNIT_SHARE] = "share",
	};
	struct ari_metric is;

	fputs("\nMetrics:\n", out);
	for (size_t i = 0; ari_metric_describe(i, &is); i++)
		fprintf(out, "  %-18s %-9s  %s\n", is.name, units[is.unit], is.help);
}

static void help_command(FILE *out, const struct command *command)
{
	fprintf(out, "Usage: arenainspect %s [OPTIONS]%s%s\n\n%s\n", command->name,
		*command->arguments == '\0' ? "" : " ", command->arguments,
		command->help);
	if (command->own != OWN_NONE) {
		fputs("\nOptions of this command:\n", out);
		write_own_options(out, command);
	}
	fputs("\nOptions:\n", out);
	write_options(out, command);
	if (command->help_more != NULL)
		command->help_more(out);
	if (command->table == NULL)
		return;
	write_columns(out, command->table);
	if (command->own_table != NULL)
		write_columns(out, command->own_table);
	fputs("\nOf the columns in the default set, those with nothing to say are left "
	      "out.\nScripts name theirs with -o.\n",
	      out);
}

static void help_all(FILE *out)
{
	fprintf(out, "Usage: arenainspect [OPTIONS] PID|SNAPSHOT\n"
		     "       arenainspect COMMAND [OPTIONS] [PID|SNAPSHOT]\n\n"
		     "Looks into the glibc malloc of a running process, without stopping "
		     "it.\n\nCommands:\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", commands[i]->name,
			 commands[i]->arguments);
		fprintf(out, "  %-26s %s\n", left, commands[i]->help);
	}
	fputs("\nOptions:\n", out);
	write_options(out, NULL);
	fputs("\narenainspect COMMAND --help lists the options and columns of a "
	      "command.\n",
	      out);
}

bool help_show(const struct command *command, struct ari_error *err)
{
	struct sink sink;

	if (!sink_open(&sink, NULL, err))
		return false;
	if (command == NULL)
		help_all(sink.out);
	else
		help_command(sink.out, command);
	return sink_finish(&sink, err);
}

bool version_show(struct ari_error *err)
{
	struct sink sink;

	if (!sink_open(&sink, NULL, err))
		return false;
	fprintf(sink.out, "arenainspect %s\n", ari_version());
	return sink_finish(&sink, err);
}
