/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execs        runs its own program anew for every "exec" on stdin
 * execs loop   runs it anew again and again, until stdin closes
 *
 * The pid stays, and so does the start time; everything else is another process.
 */
#include "target.h"

#include <poll.h>

int main(int argc, char **argv)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };

	(void)argc;
	target_block(100000);
	target_ready();
	if (argv[1] == NULL && strcmp(target_command(), "exec") != 0)
		_exit(0);
	if (argv[1] != NULL && poll(&in, 1, 1) != 0)
		_exit(0);
	execv("/proc/self/exe", argv);
	target_fail("execv");
}
