// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "bus.h"
#include "cmdline.h"
#include "command.h"
#include "help.h"
#include "plugin.h"
#include "tell.h"

/* The manual promises these numbers.  What --exit-code asks for is no failure. */
#define STATUS_FOUND 1

static const int statuses[] = {
	[ARI_OK] = 0,	      [ARI_USAGE] = 2,	     [ARI_GONE] = 3,
	[ARI_DENIED] = 4,     [ARI_NOT_GLIBC] = 5,   [ARI_NO_SYMBOLS] = 5,
	[ARI_BAD_LAYOUT] = 5, [ARI_UNSUPPORTED] = 5, [ARI_UNSTABLE] = 6,
	[ARI_TIMED_OUT] = 6,  [ARI_FAULT] = 6,	     [ARI_SWAPPED] = 6,
	[ARI_IO] = 7,	      [ARI_NO_MEMORY] = 7,
};

_Static_assert(sizeof(statuses) / sizeof(*statuses) == ARI_CODES,
	       "a new code needs an exit status");

/*
 * A closed standard stream would be the number of the next file we open, and the
 * output would go there; one that cannot be written to says so instead.
 */
static void hold_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void settle_surroundings(void)
{
	hold_streams();
	/* Numbers keep their decimal point: only the characters are the locale's. */
	setlocale(LC_CTYPE, "");
	/* `| head` ends us quietly, even if who started us ignores the signal. */
	signal(SIGPIPE, SIG_DFL);
	bus_settle();
}

static bool run(const struct options *options, struct ari_error *err)
{
	if (options->version)
		return version_show(err);
	if (options->help)
		return help_show(options->command, err);
	return options->command->run(options, err);
}

static int end(bool done, const struct ari_error *err)
{
	if (done)
		return statuses[ARI_OK];
	if (err->code == ARI_OK)
		return STATUS_FOUND;
	tell("%s", err->message);
	return statuses[err->code];
}

/* The guidelines: help and the version are no state of what is monitored. */
static int end_plugin(bool done, const struct ari_error *err)
{
	return done ? PLUGIN_UNKNOWN : plugin_fail(err);
}

int main(int argc, char **argv)
{
	struct ari_error err = { .code = ARI_OK };
	const struct command *command;
	struct options options;
	int status;
	bool parsed;

	settle_surroundings();
	parsed = options_parse(&options, argc, argv, &err);
	command = options.command;
	if (command == NULL || command->plugin == NULL)
		status = end(parsed && run(&options, &err), &err);
	else if (!parsed || options.help || options.version)
		status = end_plugin(parsed && run(&options, &err), &err);
	else
		status = command->plugin(&options);
	options_done(&options);
	if (bus_was_cut())
		tell("a file was cut while it was read: what it would have told is missing");
	return status;
}
