/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hidden
 *
 * A process whose thread-local variables cannot be read, so that nobody finds its cache.
 * The kernel must not want them either: start it with
 * GLIBC_TUNABLES=glibc.pthread.rseq=0.
 */
#include "raw.h"
#include "target.h"

#include <sys/mman.h>

int main(void)
{
	enum { BLOCKS = 100, REACH = 2048 };
	void *blocks[BLOCKS];
	long page = sysconf(_SC_PAGESIZE);
	long pointer = (long)__builtin_thread_pointer();
	long from = (pointer - REACH) & -page, to = pointer & -page;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = target_block(200);
	for (int i = 0; i < BLOCKS; i += 2)
		free(blocks[i]);
	/* In front of it may be nothing. */
	raw(SYS_mprotect, from, page, PROT_NONE, 0);
	if (raw(SYS_mprotect, to, page, PROT_NONE, 0) == 0 || from == to)
		raw_rest();
	target_fail("mprotect");
}
