// SPDX-License-Identifier: Apache-2.0
/*
 * waits
 *
 * A process in state D for as long as it lives: it has called vfork(), and its child
 * neither ends nor runs another program.
 */
#include "target.h"

#include <signal.h>
#include <sys/prctl.h>

int main(void)
{
	static char block[100000];
	char *held = malloc(sizeof block);
	pid_t parent = getpid();

	if (held == NULL)
		target_fail("malloc");
	memset(held, 1, sizeof block);
	if (vfork() == 0) {
		static const char ready[] = "ready\n";
		char c;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || write(1, ready, sizeof ready - 1) < 0)
			_exit(1);
		while (read(0, &c, 1) > 0)
			;
		_exit(0);
	}
	return 0;
}
