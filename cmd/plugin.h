/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PLUGIN_H
#define CMD_PLUGIN_H

#include "arenainspect.h"

/* What the monitoring plugins' guidelines ask of a plugin's output and exit code. */

enum plugin_state { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN };

const char *plugin_state_name(enum plugin_state state);

/* CRITICAL before WARNING before UNKNOWN before OK. */
enum plugin_state plugin_worse(enum plugin_state a, enum plugin_state b);

/*
 * Writes `ARENAINSPECT STATE - text | perfdata` and then `more`, which is whole lines;
 * perfdata and more may be NULL.  The text may come from the target and is escaped, the
 * others have been.  Returns the exit status: UNKNOWN's where nothing could be written.
 */
int plugin_say(enum plugin_state state, const char *text, const char *perfdata,
	       const char *more) __attribute__((warn_unused_result));

/* The one line of a plugin that failed. */
int plugin_fail(const struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Whatever hangs: after so many seconds, rounded up, the process ends with the line of a
 * plugin that ran out of time.
 */
void plugin_alarm(uint64_t timeout_ns);

#endif
