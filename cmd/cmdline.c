// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmdline.h"
#include "command.h"
#include "out/escape.h"
#include "out/refuse.h"
#include "tell.h"

/* What getopt_long() returns for an option: above every letter. */
#define OPTION_VALUE 256

#define PINS_PER_HEAP 5

/* The tables of getopt_long(), made from ours; the last of the long ones is zero. */
struct getopt_tables {
	struct option longs[OPTIONS_MOST + 1];
	char shorts[2 * OPTIONS_MOST + 2];
};

/* ret: zeroed. */
static void getopt_tables(struct getopt_tables *ret)
{
	char *letter = ret->shorts;
	struct option_help is;

	*letter++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; option_describe(i, &is); i++) {
		ret->longs[i] = (struct option){ is.name, is.argument != NULL, NULL,
						 OPTION_VALUE + (int)i };
		if (is.letter == 0)
			continue;
		*letter++ = is.letter;
		if (is.argument != NULL)
			*letter++ = ':';
	}
}

/* The option that getopt_long() means, which is one of ours. */
static size_t option_index(int value)
{
	struct option_help is;
	size_t index = 0;

	if (value >= OPTION_VALUE)
		return (size_t)(value - OPTION_VALUE);
	while (option_describe(index, &is) && is.letter != value)
		index++;
	return index;
}

static struct option_help option_meant(int value)
{
	struct option_help is = { 0 };

	option_describe(option_index(value), &is);
	return is;
}

/* A long option that is none, or the beginning of several. */
static bool bad_name(const char *given, struct ari_error *err)
{
	size_t length = strcspn(given + 2, "=");
	char names[256] = "";
	struct option_help is;

	for (size_t i = 0; option_describe(i, &is); i++)
		if (strncmp(is.name, given + 2, length) == 0)
			list_word(names, sizeof(names), " or --", is.name);
	if (*names != '\0')
		return refuse(err, ARI_USAGE, "'%s' can be --%s", given, names);
	return refuse(err, ARI_USAGE, "no option '%s'; --help lists them", given);
}

/* What getopt_long() did not understand; `given` is the word of argv. */
static bool bad_option(const char *given, struct ari_error *err)
{
	if (optopt == 0)
		return bad_name(given, err);
	if (optopt < OPTION_VALUE)
		return refuse(err, ARI_USAGE, "no option '-%c'; --help lists them",
			      optopt);
	return refuse(err, ARI_USAGE, "--%s takes no argument",
		      option_meant(optopt).name);
}

static bool no_argument_given(struct ari_error *err)
{
	struct option_help is = option_meant(optopt);

	return refuse(err, ARI_USAGE, "--%s needs an argument: %s", is.name, is.argument);
}

static bool take_option(struct options *options, int value, const char *given,
			struct ari_error *err)
{
	if (value == '?')
		return bad_option(given, err);
	if (value == ':')
		return no_argument_given(err);
	return option_take(option_index(value), options, optarg, err);
}

static bool is_number(const char *word)
{
	return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* A word that nothing is called by is more likely a slip than a file that is gone. */
static bool is_slip(const char *word)
{
	return !is_number(word) && strpbrk(word, "/.") == NULL && access(word, F_OK) != 0;
}

static bool no_command(const char *word, struct ari_error *err)
{
	char names[256] = "";

	for (size_t i = 0; commands[i] != NULL; i++)
		list_word(names, sizeof(names), ", ", commands[i]->name);
	return refuse(err, ARI_USAGE,
		      "'%s' is neither a process id, a snapshot file nor a command; "
		      "commands are %s",
		      word, names);
}

/* The first word that is a command's name; the others are its operands, on either side.
 */
static void take_operand(struct options *options, const char *word)
{
	const struct command *command =
		options->command == NULL ? command_find(word) : NULL;

	if (command != NULL)
		options->command = command;
	else
		options->operands[options->operands_count++] = word;
}

/* Without a command's name the first word was meant as one, or as a process. */
static bool check_words(const struct options *options, struct ari_error *err)
{
	if (options->command != NULL || options->operands_count == 0 ||
	    !is_slip(options->operands[0]))
		return true;
	return no_command(options->operands[0], err);
}

/* Installed under this name, too: where a monitoring system looks for its plugins. */
static void command_by_name(struct options *options, const char *program)
{
	if (program != NULL && strcmp(basename(program), "check_arenainspect") == 0)
		options->command = command_find("check");
}

static bool take_words(struct options *options, int argc, char **argv,
		       struct ari_error *err)
{
	struct getopt_tables tables = { 0 };
	bool understood = true;
	int value;

	command_by_name(options, argv[0]);
	getopt_tables(&tables);
	opterr = 0;
	/* On to the end: whose way of saying what is wrong it is stands there. */
	while ((value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1)
		understood =
			understood && take_option(options, value, argv[optind - 1], err);
	options->operands = calloc((size_t)argc, sizeof(*options->operands));
	if (options->operands == NULL)
		return understood && refuse_memory(err);
	for (int i = optind; i < argc; i++)
		take_operand(options, argv[i]);
	return understood && check_words(options, err);
}

/* ---- what they mean together ---- */

static bool check_own(const struct options *options, struct ari_error *err)
{
	const struct command *command = options->command;
	unsigned int strange = options->own & ~command->own;
	struct option_help is;

	for (size_t i = 0; option_describe(i, &is); i++)
		if ((strange & is.own) != 0)
			return refuse(err, ARI_USAGE, "%s has no option --%s",
				      command->name, is.name);
	return true;
}

static bool check_exit_code(const struct options *options, struct ari_error *err)
{
	return !options->exit_code || command_has(options->command, ABOUT_FINDINGS) ||
	       refuse(err, ARI_USAGE, "%s judges no process: --exit-code finds nothing",
		      options->command->name);
}

static bool check_format(const struct options *options, struct ari_error *err)
{
	const char *idle = options->output != NULL ? "output"
			   : options->sort != NULL ? "sort"
			   : options->top > 0	   ? "top"
						   : NULL;

	if (options->command->own_form && options->format != &format_text)
		idle = options->format->name;
	if (options->command->own_form && idle != NULL)
		return refuse(err, ARI_USAGE,
			      "%s has a form of its own: --%s does not go with it",
			      options->command->name, idle);
	if (options->command->row_by_row && (options->sort != NULL || options->top > 0))
		return refuse(err, ARI_USAGE,
			      "%s has one row at a time: --%s does not go with it",
			      options->command->name,
			      options->sort != NULL ? "sort" : "top");
	if (options->format->whole_model && idle != NULL)
		return refuse(err, ARI_USAGE,
			      "--%s is always whole: --%s does not go with it",
			      options->format->name, idle);
	return true;
}

/* Unless it is given: as far as the numbers go that most commands have, or further. */
static bool settle_depth(struct options *options, struct ari_error *err)
{
	const struct command *command = options->command;
	enum ari_depth least = command_least_depth(command, options);

	if (options->depth == ARI_UNKNOWN)
		options->depth = least > ARI_DEPTH_CHUNKS ? least : ARI_DEPTH_CHUNKS;
	if (options->depth < least)
		return refuse(err, ARI_USAGE, "%s needs --depth %s: %s says too little",
			      command->table == NULL
				      ? command->name
				      : command_table(command, options)->name,
			      ari_depth_name(least), ari_depth_name(options->depth));
	return true;
}

static bool no_process(const char *word, struct ari_error *err)
{
	return refuse(err, ARI_USAGE,
		      "'%s' is not a process id: a number above 0 "
		      "(a process is found by its name with --comm NAME, or by its "
		      "systemd unit with --unit NAME)",
		      word);
}

static bool pid_parse(const char *word, struct subject *ret, struct ari_error *err)
{
	uint64_t pid;

	if (!number_parse(word, &pid) || pid == 0 || pid > INT_MAX)
		return no_process(word, err);
	*ret = (struct subject){ .pid = (pid_t)pid };
	return true;
}

bool subject_parse(const char *word, struct subject *ret, struct ari_error *err)
{
	if (is_number(word))
		return pid_parse(word, ret, err);
	if (is_slip(word))
		return refuse(err, ARI_USAGE,
			      "'%s' is neither a process id nor a snapshot file "
			      "(a process is found by its name with --comm NAME)",
			      word);
	*ret = (struct subject){ .file = word };
	return true;
}

bool options_take_subject(struct options *options, struct ari_error *err)
{
	if (options->operands_count == 0)
		return true;
	if (options->operands_count > 1)
		return refuse(err, ARI_USAGE, "one process at a time: '%s' is too much",
			      options->operands[1]);
	return subject_parse(options->operands[0], &options->subject, err);
}

bool options_take_subjects(struct options *options, struct ari_error *err)
{
	for (size_t i = 0; i < options->operands_count; i++) {
		if (!subject_parse(options->operands[i], &options->subject, err))
			return false;
		/* Of running processes: that it is none is said later. */
		if (options->subject.file != NULL)
			break;
	}
	return true;
}

static bool take_operands(struct options *options, struct ari_error *err)
{
	if (options->command == NULL)
		options->command = commands[0]; /* what a bare PID asks for */
	return options->command->take_operands == NULL
		       ? options_take_subject(options, err)
		       : options->command->take_operands(options, err);
}

static bool check_file(const struct options *options, struct ari_error *err)
{
	if (options->subject.file == NULL)
		return true;
	if (options->command->live_only)
		return refuse(err, ARI_USAGE,
			      "%s is about a running process: no snapshot file",
			      options->command->name);
	if (options->of_visit != NULL)
		return refuse(err, ARI_USAGE,
			      "--%s is about a visit, and %s was written after one",
			      options->of_visit, options->subject.file);
	return true;
}

static bool check_process(const struct options *options, struct ari_error *err)
{
	int given = subject_given(&options->subject) + (options->comm != NULL) +
		    (options->unit != NULL) + (options->core != NULL) + options->every;

	if (given > 1)
		return refuse(err, ARI_USAGE,
			      "--comm, --unit and --core stand in place of a PID: one "
			      "of them");
	if (options->exe != NULL && options->core == NULL)
		return refuse(err, ARI_USAGE, "--exe goes with --core");
	if (options->core != NULL && options->command->live_only)
		return refuse(err, ARI_USAGE, "%s is about a running process: no --core",
			      options->command->name);
	if (given == 0 && !options->command->pid_optional)
		return refuse(
			err, ARI_USAGE,
			"which process? arenainspect %s%sPID%s; --help tells more",
			options->command == commands[0] ? "" : options->command->name,
			options->command == commands[0] ? "" : " ",
			options->command->live_only
				? ", --comm NAME or --unit NAME"
				: ", --comm NAME, --unit NAME, --core FILE or a snapshot "
				  "file");
	return check_file(options, err);
}

static bool check_columns(struct options *options, struct ari_error *err)
{
	const struct table_kind *kind = command_table(options->command, options);
	struct selection *selection = &options->style.selection;

	if (kind == NULL)
		return true;
	if (!selection_init(selection, kind, options->output, options->sort, err)) {
		if (err->code == ARI_USAGE)
			tell_columns(kind);
		return false;
	}
	selection->top = options->top;
	return true;
}

/* A command that is the document has one format, and what others ask for besides. */
static bool settle_document(struct options *options, struct ari_error *err)
{
	if (!options->command->is_document)
		return true;
	if (options->format != &format_text && !options->format->whole_model)
		return refuse(err, ARI_USAGE, "%s is always JSON: no --%s",
			      options->command->name, options->format->name);
	options->format = &format_json;
	options->style.private_file = true;
	options->pins = true;
	return true;
}

static bool complete(struct options *options, struct ari_error *err)
{
	if (!take_operands(options, err) || !check_process(options, err) ||
	    !settle_document(options, err) || !check_own(options, err) ||
	    !check_exit_code(options, err) || !check_format(options, err) ||
	    !settle_depth(options, err) || !check_columns(options, err))
		return false;
	options->visit.depth = (enum ari_depth)options->depth;
	options->visit.symbols = (enum ari_symbols)options->symbols;
	options->visit.jobs = (unsigned int)options->jobs;
	if (options->pins)
		options->visit.pins = PINS_PER_HEAP;
	return true;
}

static bool want_color(const struct options *options)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return options->style.width > 0 && (none == NULL || *none == '\0') &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

/* 0: what is written does not go to a terminal. */
static size_t terminal_width(const struct options *options)
{
	struct winsize size;

	if (options->write != NULL || isatty(STDOUT_FILENO) != 1)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

static void look_around(struct options *options)
{
	options->style.width = terminal_width(options);
	options->style.color = want_color(options);
	options->style.utf8 = locale_is_utf8();
}

bool options_parse(struct options *ret, int argc, char **argv, struct ari_error *err)
{
	*ret = (struct options){
		.format = &format_text,
		.depth = ARI_UNKNOWN,
		.arena = ARI_UNKNOWN,
	};
	if (!take_words(ret, argc, argv, err))
		return false;
	look_around(ret);
	return ret->help || ret->version || complete(ret, err);
}

void options_done(struct options *options)
{
	free(options->operands);
	selection_done(&options->style.selection);
}
