/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure COMMAND…: runs it once and prints "MICROSECONDS PEAK_KIB STATUS"; its
 * output is thrown away.  A program of its own and not a line of the script, since a
 * child's peak includes what its parent's image held when it forked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void run(char **command)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	long long begun = now_us();
	struct rusage usage;
	int status = -1;
	pid_t child;

	if (argc < 2)
		return 2;
	child = fork();
	if (child == 0)
		run(argv + 1);
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	printf("%lld %ld %d\n", now_us() - begun, usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
