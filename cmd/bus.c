// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus.h"

static volatile sig_atomic_t was_cut;
static uintptr_t page_bytes;

/* Only calls that a handler may make: mmap(2) is one on Linux, sysconf(3) is not. */
static void put_zeros(int number, siginfo_t *info, void *context)
{
	char *page = (char *)info->si_addr - (uintptr_t)info->si_addr % page_bytes;
	void *zeros = MAP_FAILED;
	int error = errno;

	(void)context;
	was_cut = 1;
	/* Beyond the end of a file, and not what somebody sent or a broken memory. */
	if (info->si_code == BUS_ADRERR)
		zeros = mmap(page, page_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (zeros == MAP_FAILED) {
		signal(number, SIG_DFL);
		raise(number);
	}
	errno = error;
}

void bus_settle(void)
{
	struct sigaction action = { .sa_sigaction = put_zeros, .sa_flags = SA_SIGINFO };

	page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &action, NULL);
}

bool bus_was_cut(void)
{
	return was_cut != 0;
}
