// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "out/cell.h"
#include "pause.h"
#include "tell.h"
#include "time_left.h"

/* Whoever started us in the background may have chosen so. */
static bool is_ignored(void)
{
	struct sigaction action;

	return sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void show_progress(uint64_t done_ns, uint64_t all_ns)
{
	char done[CELL_ROOM], all[CELL_ROOM];

	/* Whole seconds: it is written once a second. */
	fprintf(stderr, "\r\033[Karenainspect: %s of %s; Ctrl-C ends the wait",
		seconds_text((double)(done_ns / NS_PER_SECOND), done),
		seconds_text((double)all_ns / NS_PER_SECOND, all));
}

static void clear_progress(void)
{
	fputs("\r\033[K", stderr);
}

static bool is_gone(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	return access(path, F_OK) != 0;
}

/* At most a second; true: SIGINT came. */
static bool wait_a_second(const sigset_t *interrupt, uint64_t left_ns)
{
	uint64_t ns = left_ns < NS_PER_SECOND ? left_ns : NS_PER_SECOND;
	struct timespec time = { (time_t)(ns / NS_PER_SECOND),
				 (long)(ns % NS_PER_SECOND) };

	return sigtimedwait(interrupt, NULL, &time) == SIGINT;
}

static void say_it(uint64_t ns)
{
	char all[CELL_ROOM];

	tell("waiting for %s; Ctrl-C ends the wait",
	     seconds_text((double)ns / NS_PER_SECOND, all));
}

static void wait_for(uint64_t ns, pid_t pid, const sigset_t *interrupt, bool progress)
{
	uint64_t begun = time_now(), done = 0;
	bool interrupted = false;

	while (!interrupted && (done = time_now() - begun) < ns && !is_gone(pid)) {
		if (progress)
			show_progress(done, ns);
		interrupted = wait_a_second(interrupt, ns - done);
	}
	if (progress)
		clear_progress();
}

void pause_for(uint64_t ns, pid_t pid, enum pause_says says)
{
	sigset_t interrupt, before;

	/* An empty set waits for the time alone. */
	sigemptyset(&interrupt);
	if (!is_ignored())
		sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, &before);
	if (says == PAUSE_SAYS_IT)
		say_it(ns);
	wait_for(ns, pid, &interrupt, says == PAUSE_SHOWS_IT);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
