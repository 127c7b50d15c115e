/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PAUSE_H
#define CMD_PAUSE_H

#include <stdint.h>
#include <sys/types.h>

/* Of the wait: nothing, one line at its beginning, or a line that goes on. */
enum pause_says { PAUSE_SAYS_NOTHING, PAUSE_SAYS_IT, PAUSE_SHOWS_IT };

/*
 * Waits that long, or until Ctrl-C (SIGINT, unless it is ignored), or until the process
 * has gone; the next Ctrl-C ends us as ever.
 * What is said goes to stderr.
 */
void pause_for(uint64_t ns, pid_t pid, enum pause_says says);

#endif
