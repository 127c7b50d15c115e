/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmapped TRUTH_JSON mixed | hidden | traps | twins | many N | apart N
 *
 * Chunks that have a mapping of their own, and what could be taken for them or hide
 * them.  TRUTH_JSON gets [[chunk, bytes of its mapping], …]; what malloc thinks of them
 * is in the chunks themselves.
 *
 *   mixed    all kinds: aligned, grown, shrunk, untouched, with others' pages between
 *   hidden   the same, and two whose headers nobody may read
 *   traps    the same as mixed, and a mapping of the program's own that looks like a
 * chunk twins    the same again, and that one is as large as a chunk: it cannot be told
 *   many N   as many small ones, which the kernel makes one mapping of
 *   apart N  as many, each alone
 *
 * "fork" on stdin makes a child, which rests too, and says "child PID".
 */
#include "target.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { THREADS = 3, STACK = 1 << 20, KEPT_MAX = 60000 };

static void *kept[KEPT_MAX];
static size_t kept_count;
static atomic_int resting;
static size_t page;
static int truth_fd;

/* ---- the truth ---- */

static char buffer[1 << 16];
static size_t used;

static void flush(void)
{
	if (write(truth_fd, buffer, used) != (ssize_t)used)
		target_fail("writing the truth");
	used = 0;
}

static void tell(void)
{
	const char *comma = "[";

	for (size_t i = 0; i < kept_count; i++) {
		const uint64_t *chunk = (const uint64_t *)kept[i] - 2;
		uint64_t padding = chunk[0] & ~UINT64_C(7),
			 size = chunk[1] & ~UINT64_C(7);

		if ((chunk[1] & 7) != 2)
			target_fail("mapping a block");
		/* Since 2.43 the size lacks the header. */
		used += (size_t)snprintf(
			buffer + used, sizeof buffer - used, "%s[\"0x%llx\",%llu]", comma,
			(unsigned long long)(uintptr_t)chunk,
			(unsigned long long)((padding + size + page - 1) / page * page));
		comma = ",\n";
		if (sizeof buffer - used < 100)
			flush();
	}
	used += (size_t)snprintf(buffer + used, sizeof buffer - used, "]\n");
	flush();
}

/* ---- chunks ---- */

static char *keep(void *block)
{
	if (block == NULL || kept_count == KEPT_MAX)
		target_fail("malloc");
	return kept[kept_count++] = block;
}

static char *aligned(size_t alignment, size_t bytes)
{
	void *block;

	if (posix_memalign(&block, alignment, bytes) != 0)
		target_fail("posix_memalign");
	return block;
}

/* Pages of the program's own, beside the chunks. */
static char *own_pages(size_t count, int rights)
{
	char *at = mmap(NULL, count * page, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		target_fail("mmap");
	return at;
}

static void plain_chunks(void)
{
	for (size_t i = 0; i < 40; i++) {
		size_t bytes = 200000 + i * 12345;
		char *block = keep(target_block(bytes));

		if (i % 4 != 0)
			memset(block, (int)i, bytes / (i % 3 + 1));
		if (i % 5 == 0)
			memset(own_pages(3, PROT_READ | PROT_WRITE), 0x5a, 3 * page);
		if (i % 7 == 0)
			own_pages(1, PROT_NONE);
	}
}

/* With the header of the chunk anywhere, and one that does not count where it starts. */
static void aligned_chunks(void)
{
	for (size_t alignment = 32; alignment <= 4 << 20; alignment *= 2) {
		char *block = keep(aligned(alignment, 300000 + alignment));

		if (alignment % 64 == 0)
			memset(block, 1, 1000);
	}
}

static void moved_chunks(void)
{
	for (size_t alignment = 16; alignment <= 1 << 20; alignment *= 4) {
		for (size_t from = 400000; from <= 1600000; from *= 2) {
			char *block = aligned(alignment, from);

			memset(block, 2, 5000);
			keep(realloc(block, 800000 + alignment));
		}
	}
}

static void freed_chunks(void)
{
	void *blocks[30];

	for (size_t i = 0; i < 30; i++)
		blocks[i] = target_block(500000 + i * 5000);
	for (size_t i = 0; i < 30; i++) {
		if (i % 3 == 0)
			keep(blocks[i]);
		else
			free(blocks[i]);
	}
}

/* A guard within a chunk, and pages that were given back. */
static void cut_chunks(void)
{
	char *block = keep(aligned(page, 64 * page));

	memset(block, 3, 64 * page);
	mprotect(block + 32 * page, page, PROT_NONE);
	block = keep(aligned(page, 64 * page));
	memset(block, 3, 64 * page);
	madvise(block + 16 * page, 32 * page, MADV_DONTNEED);
}

/* What a chunk of those pages would begin with. */
static void look_alike(size_t pages)
{
	uint64_t *words = (uint64_t *)own_pages(pages, PROT_READ | PROT_WRITE);
	const uint64_t *chunk = (const uint64_t *)kept[0] - 2;

	memset(words + 2, 0x77, 2 * page);
	words[0] = 0;
	words[1] = (pages * page - (chunk[1] % page == 2 ? 0 : 16)) | 2;
}

static void hide(size_t count)
{
	for (size_t i = 0; i < count; i++)
		mprotect((char *)kept[10 * i] - 16, page, PROT_NONE);
}

/* Headers that are none, as each says something that cannot be. */
static void no_look_alikes(void)
{
	static const uint64_t sizes[] = { 1, 3, 6, 7, 0, 0x1002, 0x52, UINT64_MAX - 5 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t *words = (uint64_t *)own_pages(2, PROT_READ | PROT_WRITE);

		words[0] = i % 2 == 0 ? 0 : page;
		words[1] = sizes[i] < 8 ? 2 * page | sizes[i] : sizes[i];
		own_pages(1, PROT_NONE);
	}
}

/* One alone in its mapping, and its like. */
static void twins(void)
{
	char *chunk;

	own_pages(1, PROT_NONE);
	chunk = keep(target_block(1000 * page));
	own_pages(1, PROT_NONE);
	look_alike((malloc_usable_size(chunk) + page) / page);
	own_pages(1, PROT_NONE);
}

/* The first come from what main_arena has left. */
static void small_ones(size_t count, int apart)
{
	mallopt(M_MMAP_THRESHOLD, 8192);
	while (kept_count < count) {
		uint64_t *block = target_block(8200 + kept_count % 5 * page);

		if ((block[-1] & 2) == 0)
			continue;
		keep(block);
		if (apart)
			own_pages(1, PROT_NONE);
	}
}

/* ---- threads ---- */

static void *park(void *arg)
{
	volatile char on_stack[STACK / 4];

	(void)arg;
	memset((char *)on_stack, 4, sizeof on_stack);
	atomic_fetch_add(&resting, 1);
	for (;;)
		pause();
	return NULL;
}

/* The last has a stack that is malloc's. */
static void make_threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; i < THREADS; i++) {
		if (i + 1 == THREADS)
			pthread_attr_setstack(&attr, keep(aligned(page, STACK)), STACK);
		if (pthread_create(&thread, &attr, park, NULL) != 0)
			target_fail("pthread_create");
		while (atomic_load(&resting) <= i)
			usleep(1000);
	}
}

static void all_kinds(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10); /* and it stays that */
	plain_chunks();
	make_threads();
	aligned_chunks();
	moved_chunks();
	freed_chunks();
	cut_chunks();
	no_look_alikes();
}

static void make_child(void)
{
	char line[64];
	pid_t child = fork();

	if (child < 0)
		target_fail("fork");
	if (child == 0) {
		*(volatile char *)kept[1] = 9;
		for (;;)
			pause();
	}
	snprintf(line, sizeof line, "child %d\n", (int)child);
	target_print(1, line);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "", *command;
	size_t count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

	page = (size_t)sysconf(_SC_PAGESIZE);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
	truth_fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
	if (truth_fd < 0)
		target_fail("usage: mmapped TRUTH_JSON MODE [N]");
	if (strcmp(mode, "many") == 0 || strcmp(mode, "apart") == 0)
		small_ones(count, mode[0] == 'a');
	else
		all_kinds();
	if (strcmp(mode, "twins") == 0)
		twins();
	tell();
	if (strcmp(mode, "hidden") == 0)
		hide(2);
	if (strcmp(mode, "traps") == 0)
		look_alike(5001);
	target_ready();
	while (strcmp(command = target_command(), "quit") != 0)
		if (strcmp(command, "fork") == 0)
			make_child();
	_exit(0);
}
