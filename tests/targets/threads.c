/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads [raw|fork|odd] INFO_XML TRUTH_JSON
 *
 * A hundred threads and more, after some ended and new ones came; each says which arena
 * it has, by a block it just got.  Every tenth has never called malloc.  Their names are
 * pool-A-thread-B.  Each has 12 KiB of thread-local variables of the program's own, so
 * that libc's lie far from where a guess would look.
 *
 *   raw    two more, made by clone(2) alone: they have no struct pthread
 *   fork   the truth is that of a child of one of the threads: "child PID" is said
 *   odd    the first one's name is nothing for a terminal
 */
#include "truth.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { FIRST = 60, LAST = 142, RAW_STACK = 65536, FORKER = 101 };

static struct truth_thread threads[LAST + 1];
static pthread_t ids[LAST + 1];
static pthread_barrier_t all_told;
static volatile int may_end[LAST + 1];
static int forks;
static _Thread_local volatile char large[12 << 10];
static _Thread_local volatile char large_too[8] = "initial";

static void be_child(struct truth_thread truth)
{
	static char line[32];

	/* The parent has opened the files, and keeps still. */
	truth.tid = target_tid();
	truth_tell(&truth, 1, 0);
	snprintf(line, sizeof line, "child %d\n", target_tid());
	target_print(1, line);
	target_rest();
}

static void live(size_t i)
{
	struct truth_thread mine;
	char name[16];

	snprintf(name, sizeof name, "pool-%zu-thread-%zu", i % 3, i % 10);
	prctl(PR_SET_NAME, name);
	threads[i].tid = target_tid();
	threads[i].kind = i % 10 == 0 ? TRUTH_NEVER_MALLOCED : TRUTH_HAS_ARENA;
	large[i] = large_too[0];
	if (threads[i].kind == TRUTH_HAS_ARENA) {
		target_block(40 + i);
		free(target_block(100 + i * 16));
		threads[i].arena = target_my_arena();
	}
	mine = threads[i]; /* main moves them behind the barrier */
	pthread_barrier_wait(&all_told);
	if (forks && i == FORKER) {
		pid_t child = fork();

		if (child < 0)
			target_fail("fork");
		if (child == 0)
			be_child(mine);
	}
}

static void *live_and_end(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	live(i);
	while (!may_end[i])
		pause();
	return NULL;
}

static void begin(size_t from, size_t to)
{
	pthread_barrier_init(&all_told, NULL, (unsigned int)(to - from + 1));
	for (size_t i = from; i < to; i++)
		if (pthread_create(&ids[i], NULL, live_and_end, (void *)(uintptr_t)i) !=
		    0)
			target_fail("pthread_create");
	pthread_barrier_wait(&all_told);
}

static void wake(int signal)
{
	(void)signal;
}

/* Two of three. */
static void end(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		may_end[i] = i % 3 != 0;
		/* Again, if it came between its look and its pause. */
		while (may_end[i] && pthread_tryjoin_np(ids[i], NULL) != 0) {
			pthread_kill(ids[i], SIGUSR1);
			usleep(100);
		}
	}
}

static int be_raw(void *arg)
{
	(void)arg;
	for (;;)
		ppoll(NULL, 0, NULL, NULL);
	return 0;
}

/* It has its maker's thread-local variables, and must not touch them. */
static void clone_raw(void)
{
	char *stack = mmap(NULL, RAW_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED ||
	    clone(be_raw, stack + RAW_STACK,
		  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM,
		  NULL) < 0)
		target_fail("clone");
}

/* Those that live, moved to the front. */
static size_t living(void)
{
	size_t count = 0;

	for (size_t i = 1; i <= LAST; i++)
		if (i == LAST || !may_end[i])
			threads[count++] = threads[i];
	return count;
}

int main(int argc, char **argv)
{
	const char *kind = argc == 4 ? argv[1] : "";
	size_t count;

	if (argc != 3 && argc != 4)
		target_fail("usage: threads [raw|fork|odd] INFO_XML TRUTH_JSON");
	truth_open(argv[argc - 2], argv[argc - 1]);
	signal(SIGUSR1, wake);
	threads[LAST].tid = target_tid();
	threads[LAST].arena = target_my_arena();
	begin(1, FIRST);
	end(1, FIRST);
	if (strcmp(kind, "odd") == 0)
		prctl(PR_SET_NAME, "a\033[31m\"b\\ \n");
	forks = strcmp(kind, "fork") == 0;
	begin(FIRST, LAST);
	count = living();
	if (strcmp(kind, "raw") == 0) {
		clone_raw();
		clone_raw();
	}
	if (!forks)
		truth_tell(threads, count, 0);
	truth_rest();
}
