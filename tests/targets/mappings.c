/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mappings: memory of every kind that the kernel's maps show, of each some pages
 * present.
 *
 * Says "pool" when it got huge pages of the kernel's pool, "guards" where it could set
 * guards without a mapping of their own.
 */
#include "target.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { HUGE = 2 << 20, PAGES = 64 };

static size_t page;

static char *map(size_t bytes, int rights, int flags, int fd)
{
	char *at = mmap(NULL, bytes, rights, flags, fd, 0);

	if (at == MAP_FAILED)
		target_fail("mmap");
	return at;
}

/* Every third page written, every third read. */
static void touch(char *at, size_t pages)
{
	for (size_t i = 0; i < pages; i += 3)
		at[i * page] = 1;
	for (size_t i = 1; i < pages; i += 3)
		(void)((volatile char *)at)[i * page];
}

static int file_of(int fd)
{
	if (fd < 0 || ftruncate(fd, (off_t)(PAGES * page)) != 0)
		target_fail("making a file");
	return fd;
}

static void files_and_shared(void)
{
	const int rights = PROT_READ | PROT_WRITE;
	int fd = file_of(fileno(tmpfile()));
	int memory = file_of((int)syscall(SYS_memfd_create, "in memory", 0));
	int zero = open("/dev/zero", O_RDWR);
	char *shm;

	touch(map(PAGES * page, rights, MAP_SHARED, fd), PAGES);
	touch(map(PAGES * page, rights, MAP_PRIVATE, fd), PAGES);
	touch(map(PAGES * page, rights, MAP_SHARED, memory), PAGES);
	touch(map(PAGES * page, rights, MAP_PRIVATE, memory), PAGES);
	touch(map(PAGES * page, rights, MAP_SHARED | MAP_ANONYMOUS, -1), PAGES);
	touch(map(PAGES * page, rights, MAP_PRIVATE, zero), PAGES);
	touch(map(PAGES * page, rights, MAP_SHARED, zero), PAGES);
	shm = shmat(shmget(IPC_PRIVATE, PAGES * page, IPC_CREAT | 0600), NULL, 0);
	if (shm != (void *)-1)
		touch(shm, PAGES);
}

static void anonymous(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *at = map(PAGES * page, PROT_READ | PROT_WRITE, flags, -1);

	touch(at, PAGES);
	mprotect(at + 8 * page, 8 * page, PROT_NONE); /* with pages */
	mprotect(at + 24 * page, 8 * page, PROT_READ);
	at = map(PAGES * page, PROT_READ | PROT_WRITE, flags, -1);
	if (madvise(at + 3 * page, 10 * page, MADV_GUARD_INSTALL) == 0)
		target_print(1, "guards\n");
	for (size_t i = 20; i < PAGES; i++)
		at[i * page] = 1;
	at = map(PAGES * page, PROT_READ | PROT_WRITE, flags, -1);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGES * page, "a [name] of its own");
	touch(at, PAGES);
	/* Address space that hardly anything lies in. */
	at = map((size_t)1 << 44, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, -1);
	for (size_t i = 0; i < 40; i++)
		at[i << 38] = 1;
}

/* Huge ones: anonymous, the one of zeros, in memory that is shared, of the pool. */
static void huge_pages(void)
{
	const int rights = PROT_READ | PROT_WRITE;
	char *at = map(6 * HUGE, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	at += (HUGE - (uintptr_t)at % HUGE) % HUGE;
	madvise(at, 5 * HUGE, MADV_HUGEPAGE);
	at[0] = at[HUGE] = 1;
	(void)((volatile char *)at)[2 * (size_t)HUGE];
	madvise(at + HUGE, 5 * page, MADV_DONTNEED);
	at = map(4 * HUGE, rights, MAP_SHARED | MAP_ANONYMOUS, -1);
	madvise(at, 4 * HUGE, MADV_HUGEPAGE);
	memset(at, 1, 4 * HUGE);
	at = mmap(NULL, HUGE, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (at != MAP_FAILED) {
		at[0] = 1;
		target_print(1, "pool\n");
	}
}

static void *park(void *arg)
{
	target_print(1, "thread\n");
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	pthread_t thread;

	page = (size_t)sysconf(_SC_PAGESIZE);
	files_and_shared();
	anonymous();
	huge_pages();
	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, park, NULL) != 0)
			target_fail("pthread_create");
	target_rest();
}
