// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into the tool: the processes that $HANGS names (":pid:pid:") never answer a
 * read of their memory, and those that $REFUSES names refuse it, though what they have
 * mapped may be seen, as Yama has it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_named(const char *variable, pid_t pid)
{
	const char *list = getenv(variable);
	char word[32];

	snprintf(word, sizeof(word), ":%d:", (int)pid);
	return list != NULL && strstr(list, word) != NULL;
}

ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long locals,
			 const struct iovec *remote, unsigned long remotes,
			 unsigned long flags)
{
	ssize_t (*next)(pid_t, const struct iovec *, unsigned long, const struct iovec *,
			unsigned long, unsigned long);

	if (is_named("HANGS", pid))
		for (;;)
			pause();
	if (is_named("REFUSES", pid)) {
		errno = EPERM;
		return -1;
	}
	*(void **)&next = dlsym(RTLD_NEXT, "process_vm_readv");
	return next(pid, local, locals, remote, remotes, flags);
}

/* The other way to the memory, where the call is barred. */
int openat(int dir, const char *name, int flags, ...)
{
	int (*next)(int, const char *, int, ...);
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = (mode_t)va_arg(ap, int);
	va_end(ap);
	if (getenv("REFUSES") != NULL && strcmp(name, "mem") == 0) {
		errno = EACCES;
		return -1;
	}
	*(void **)&next = dlsym(RTLD_NEXT, "openat");
	return next(dir, name, flags, mode);
}
