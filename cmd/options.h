/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "out/format.h"

struct command;

/* Options that belong to some commands only. */
enum own_option {
	OWN_NONE = 0,
	OWN_SIZES = 1 << 0,
	OWN_ARENA = 1 << 1,
	OWN_PINS = 1 << 2,
	OWN_GROUP = 1 << 3,
	OWN_AFTER = 1 << 4,
	OWN_FORCE = 1 << 5,
	OWN_CHECK = 1 << 6,
	OWN_ALL = 1 << 7,
	OWN_LIMIT = 1 << 8,
	OWN_STATE = 1 << 9,
	OWN_PER_ARENA = 1 << 10,
};

/* What an option of every command is about, where not all of them have that. */
enum option_about {
	ABOUT_ALL,
	ABOUT_TABLES,	/* a command with a form of its own has none */
	ABOUT_MODEL,	/* nor the whole model; one about no process has neither */
	ABOUT_FILES,	/* a plugin has its line on stdout */
	ABOUT_PROCESS,	/* and how it is visited */
	ABOUT_SORTING,	/* nor has one that gives row by row */
	ABOUT_STORED,	/* a command that is about running processes reads none */
	ABOUT_FINDINGS, /* a command that judges nothing has none */
};

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Every arena, as the argument of --arena; without it their sums. */
#define ARENA_ALL (ARI_UNKNOWN - 1)

/* What a command is asked about. */
struct subject {
	pid_t pid;	  /* 0: none */
	const char *file; /* a snapshot in place of a process, or NULL */
};

static inline bool subject_given(const struct subject *subject)
{
	return subject->pid != 0 || subject->file != NULL;
}

/* A metric that check looks at, and the ranges it is to be in; as they were given. */
struct watched {
	const char *metric;
	const char *warning, *critical; /* or NULL */
};

#define WATCHED_MOST 32

/* The command line, understood.  Strings are argv's. */
struct options {
	const struct command *command; /* NULL: only --help or --version */
	const char **operands;	       /* the words that are neither options nor it */
	size_t operands_count;
	struct subject subject; /* of a command that has one */
	struct subject before;	/* of diff: the first of two */
	const char *comm, *unit;
	const char *core, *exe; /* files; exe only with core */

	const struct format *format;
	struct style style;
	const char *write;

	struct ari_options visit;
	bool debuginfod;

	uint64_t verbose;
	bool quiet, help, version, exit_code;

	bool sizes, pins, group, force;
	uint64_t after_ns; /* 0: not given */
	uint64_t arena;	   /* index, ARENA_ALL, or ARI_UNKNOWN: not given */

	struct watched watched[WATCHED_MOST]; /* check */
	size_t watched_count;
	const char *state;

	bool every, per_arena; /* metrics */
	uint64_t limit;	       /* metrics, scan; 0: not given */

	uint64_t interval_ns, lines; /* of watch; lines 0: without end */

	/* As they were given, before they had a meaning. */
	const char *output, *sort;
	uint64_t color;
	uint64_t top, depth, symbols, jobs;
	unsigned int own;     /* of enum own_option */
	const char *of_visit; /* the last one that only a visit can honour, or NULL */
};

/* No more options than that: getopt_long()'s tables have a size. */
#define OPTIONS_MOST 64

/* One line of the help. */
struct option_help {
	char letter; /* or 0 */
	const char *name;
	const char *argument; /* or NULL */
	const char *help;
	enum own_option own; /* OWN_NONE: goes with every command */
};

/* The index-th option; false past the last. */
bool option_describe(size_t index, struct option_help *ret);

/* What it is about; of a command that has nothing of the kind it is no option. */
enum option_about option_about(size_t index);

/* Does to *options what the index-th option, given with that argument, stands for. */
bool option_take(size_t index, struct options *options, const char *argument,
		 struct ari_error *err) __attribute__((warn_unused_result));

/* What one operand names: a PID is all digits, the rest files.  err: ARI_USAGE. */
bool subject_parse(const char *word, struct subject *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The operands of most commands: one subject, or none. */
bool options_take_subject(struct options *options, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Those of commands that take several: a subject each; the last is options->subject. */
bool options_take_subjects(struct options *options, struct ari_error *err)
	__attribute__((warn_unused_result));

/* A decimal number, digits only. */
bool number_parse(const char *text, uint64_t *ret);

#endif
