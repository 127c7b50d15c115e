/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet INFO_XML TRUTH_JSON
 *
 * A process in which reading the wrong page can be seen: in its heaps, its mmapped
 * chunks and its other mappings lie pages that were never touched, that were given
 * back, and that were only read; no page of libc's code and constants is present.
 * From then on no code of libc runs, as that would bring its pages back.
 */
#include "raw.h"
#include "truth.h"

#include <linux/futex.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { THREADS = 4, SMALL = 2000, LARGE = 100 };

static struct truth_thread threads[THREADS + 1];
static atomic_int resting;
static int never_set;

/* Small fragments, large blocks that hardly anybody wrote to, and large ones given back.
 */
static void fill_arena(void)
{
	static _Thread_local char *small[SMALL];
	static _Thread_local char *large[LARGE];

	for (int i = 0; i < SMALL; i++)
		memset(small[i] = target_block(300 + i % 700), 1, 300);
	for (int i = 0; i < LARGE; i++)
		large[i] = target_block(60000 + 100 * i);
	for (int i = 0; i < LARGE; i += 3)
		memset(large[i], 1, 60000);
	for (int i = 0; i < SMALL; i++)
		if (i % 4 != 0)
			free(small[i]);
	for (int i = 0; i < LARGE; i += 2)
		free(large[i]);
}

static void *fill_and_park(void *arg)
{
	struct truth_thread *truth = arg;

	truth->tid = target_tid();
	fill_arena();
	truth->arena = target_my_arena();
	atomic_fetch_add(&resting, 1);
	for (;;)
		raw(SYS_futex, (long)&never_set, FUTEX_WAIT_PRIVATE, 0, 0);
	return NULL;
}

/* Of 1024 pages a third is written, a third only read, and of the written half given
 * back. */
static void mapping_of_all_kinds(void)
{
	enum { PAGES = 1024 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *at = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		target_fail("mmap");
	for (size_t i = 0; i < PAGES; i += 3)
		at[i * page] = 1;
	for (size_t i = 1; i < PAGES; i += 3)
		(void)at[i * page];
	for (size_t i = 0; i < PAGES; i += 6)
		madvise((void *)(at + i * page), page, MADV_DONTNEED);
}

/* mmapped chunks: one untouched, one half given back by hand. */
static void mmapped_chunks(void)
{
	const size_t bytes = (size_t)34 << 20;
	char *untouched = malloc(bytes), *half = memalign(1 << 16, bytes);

	if (untouched == NULL || half == NULL)
		target_fail("malloc");
	memset(half, 1, 2 << 20);
	madvise(half + (1 << 16), 1 << 20, MADV_DONTNEED);
}

struct segments {
	struct {
		long at, bytes;
	} list[32];
	int n;
};

/* The segments of every object but the program itself that hold nothing private. */
static int collect_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct segments *s = arg;
	long page = sysconf(_SC_PAGESIZE);

	(void)size;
	if (info->dlpi_name[0] != '/')
		return 0; /* the program, the vDSO */
	for (int i = 0; i < info->dlpi_phnum && s->n < 32; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		long at = (long)(info->dlpi_addr + p->p_vaddr) & -page;

		if (p->p_type != PT_LOAD || (p->p_flags & PF_W) != 0)
			continue;
		s->list[s->n].at = at;
		s->list[s->n++].bytes =
			(long)(info->dlpi_addr + p->p_vaddr + p->p_memsz) - at;
	}
	return 0;
}

static void drop_pages_and_rest(const struct segments *s)
{
	for (int i = 0; i < s->n; i++)
		raw(SYS_madvise, s->list[i].at, s->list[i].bytes, MADV_DONTNEED, 0);
	raw_rest();
}

int main(int argc, char **argv)
{
	struct segments segments = { .n = 0 };
	pthread_t thread;

	if (argc != 3)
		target_fail("usage: quiet INFO_XML TRUTH_JSON");
	prctl(PR_SET_THP_DISABLE, 1, 0, 0,
	      0); /* khugepaged must not move pages meanwhile */
	truth_open(argv[1], argv[2]);
	threads[0].tid = target_tid();
	fill_arena();
	for (int i = 1; i <= THREADS; i++)
		if (pthread_create(&thread, NULL, fill_and_park, &threads[i]) != 0)
			target_fail("pthread_create");
	while (atomic_load(&resting) < THREADS)
		usleep(1000);
	mapping_of_all_kinds();
	mmapped_chunks();
	malloc_trim(0);
	truth_tell(threads, THREADS + 1, 0);
	dl_iterate_phdr(collect_segments, &segments);
	drop_pages_and_rest(&segments);
}
