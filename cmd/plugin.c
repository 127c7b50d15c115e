// SPDX-License-Identifier: Apache-2.0
/* Monitoring Plugins Development Guidelines, "Plugin Output for Nagios". */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "out/escape.h"
#include "out/sink.h"
#include "plugin.h"
#include "time_left.h"

static const struct {
	const char *name;
	int rank;
} states[] = {
	[PLUGIN_OK] = { "OK", 0 },
	[PLUGIN_WARNING] = { "WARNING", 2 },
	[PLUGIN_CRITICAL] = { "CRITICAL", 3 },
	[PLUGIN_UNKNOWN] = { "UNKNOWN", 1 },
};

const char *plugin_state_name(enum plugin_state state)
{
	return states[state].name;
}

enum plugin_state plugin_worse(enum plugin_state a, enum plugin_state b)
{
	return states[a].rank >= states[b].rank ? a : b;
}

int plugin_say(enum plugin_state state, const char *text, const char *perfdata,
	       const char *more)
{
	struct ari_error err;
	struct sink sink;

	if (!sink_open(&sink, NULL, &err))
		return PLUGIN_UNKNOWN;
	fprintf(sink.out, "ARENAINSPECT %s - ", states[state].name);
	/* The bar begins the perfdata. */
	escape(sink.out, text, !locale_is_utf8(), "|");
	if (perfdata != NULL && *perfdata != '\0')
		fprintf(sink.out, " | %s", perfdata);
	putc('\n', sink.out);
	if (more != NULL)
		fputs(more, sink.out);
	return sink_finish(&sink, &err) ? (int)state : PLUGIN_UNKNOWN;
}

int plugin_fail(const struct ari_error *err)
{
	return plugin_say(PLUGIN_UNKNOWN, err->message, NULL, NULL);
}

/* Nothing has been written by then: the output is one piece at the end. */
static void out_of_time(int signal)
{
	static const char line[] = "ARENAINSPECT UNKNOWN - time ran out\n";
	ssize_t written = write(STDOUT_FILENO, line, sizeof(line) - 1);

	(void)signal, (void)written;
	_exit(PLUGIN_UNKNOWN);
}

void plugin_alarm(uint64_t timeout_ns)
{
	signal(SIGALRM, out_of_time);
	alarm((unsigned int)((timeout_ns + NS_PER_SECOND - 1) / NS_PER_SECOND));
}
