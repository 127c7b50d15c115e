/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "options.h"
#include "out/document.h"

/* Puts what a command says of a model into a document, and borrows from the model. */
typedef bool command_build_fn(const struct ari_model *model,
			      const struct options *options, struct document *document,
			      struct ari_error *err);

/*
 * One per command, at the end of its file.  Dispatch, help and completion read no
 * more than this.
 */
struct command {
	const char *name;
	const char *arguments; /* "PID" */
	const char *help;      /* one line */
	bool pid_optional;
	bool no_process;  /* is about none */
	bool live_only;	  /* says nothing of a core file or a snapshot */
	bool is_document; /* always the JSON document, as full as can be, in a private
			     file */
	bool row_by_row;  /* rows come one by one: none are sorted or counted */
	bool no_findings; /* judges no process: nothing for --exit-code to find */

	/*
	 * One form of output, which is neither a table nor the model: the options for
	 * those do not go with it, and table is NULL.
	 */
	bool own_form;
	void (*help_more)(FILE *out); /* what its help has in place of columns */

	/*
	 * Its columns, if it has a table, and those it has instead when its own option is
	 * given.
	 */
	const struct table_kind *table;
	unsigned int own; /* of enum own_option */
	const struct table_kind *own_table;
	enum own_option own_table_for; /* the option that asks for it */
	enum ari_depth own_least_depth;

	enum ari_depth least_depth;

	/*
	 * Gives options->operands their meaning; NULL: options_take_subject().  Before
	 * options->subject, --comm and --core are held against each other.
	 */
	bool (*take_operands)(struct options *options, struct ari_error *err);

	/* Most commands visit a process and say something about the model. */
	bool (*run)(const struct options *options, struct ari_error *err);
	command_build_fn *build; /* for run_visit() */
	bool tells_notes;	 /* the notes on quality are in its text */

	/*
	 * In place of run: a monitoring plugin, which prints what there is to say, also
	 * of failures, and returns its own exit status.
	 */
	int (*plugin)(const struct options *options);
};

/* What --exit-code asks for was found: no failure, and not just done.  False. */
bool run_found(struct ari_error *err);

#define COMMAND(name) extern const struct command command_##name;
#include "commands.def"
#undef COMMAND

/* In the order of commands.def; ends with NULL. */
extern const struct command *const commands[];

/* NULL: no such command. */
const struct command *command_find(const char *name);

/* Whether it has what an option of every command is about. */
bool command_has(const struct command *command, enum option_about about);

/* The table that the options ask for; NULL: none. */
const struct table_kind *command_table(const struct command *command,
				       const struct options *options);

/* How far one must have looked for what the options ask for. */
enum ari_depth command_least_depth(const struct command *command,
				   const struct options *options);

/*
 * Visits the process of the options, or reads the snapshot, builds and shows.  What was
 * read until time ran out is shown, too, and then is an error.
 */
bool run_visit(const struct options *options, struct ari_error *err);

/* The part of it after the visit: shows a document, whatever it was built from. */
bool run_show(const struct options *options, const struct ari_model *model,
	      const struct document *document, struct ari_error *err);

#endif
