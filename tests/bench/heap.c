/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap ARENAS MIB AVERAGE [MAPPINGS]: MIB of heap in all over ARENAS arenas, every
 * page of it present, in chunks of about AVERAGE bytes; a third of the blocks is freed,
 * picked at random, and lies sorted in the bins.  MAPPINGS mappings are made beside.
 * It says "blocks N", how many there were before the frees, and rests; "malloc_info" on
 * stdin makes it call and time that, and say "malloc_info NANOSECONDS".
 */
#include "../targets/target.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

enum {
	SORT_EVERY = 5000,   /* frees; one malloc sorts 10,000 unsorted chunks */
	SORT_SIZE = 8 << 20, /* no free chunk is so large: it comes from top */
	LARGEST = 32 << 20,  /* M_MMAP_THRESHOLD can be no more */
};

static size_t bytes_each, average;
static atomic_size_t blocks;
static atomic_int filled;

/* A block's bytes, so that its chunk is from 32 to twice the average. */
static size_t request(unsigned int *random)
{
	/* Merging leaves one chunk less for every nine blocks. */
	size_t blocks_average = average * 8 / 9;
	size_t least = average > 65536 ? 65536 : 32;
	size_t range = 2 * (blocks_average - least) / 16 + 1;
	size_t pick = (size_t)rand_r(random) << 15 ^ (size_t)rand_r(random);

	return least + pick % range * 16 - 8;
}

static void *map(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		target_fail("mmap");
	return at;
}

/* What is in the unsorted bin goes where it belongs. */
static void sort_bins(void)
{
	free(target_block(SORT_SIZE));
}

static void free_some(char **all, size_t count, unsigned int *random)
{
	size_t freed = 0;

	for (size_t i = 0; i < count; i++) {
		if (rand_r(random) % 3 != 0)
			continue;
		free(all[i]);
		if (++freed % SORT_EVERY == 0)
			sort_bins();
	}
	sort_bins();
}

static void fill(unsigned int random)
{
	size_t most = bytes_each / 32, count = 0, got = 0;
	char **all = map(most * sizeof(*all)); /* outside of the heap, and given back */

	while (got < bytes_each && count < most) {
		size_t size = request(&random);

		all[count] = malloc(size);
		if (all[count] == NULL)
			target_fail("malloc");
		memset(all[count], 1, size);
		got += size + 8;
		count++;
	}
	free_some(all, count, &random);
	munmap(all, most * sizeof(*all));
	atomic_fetch_add(&blocks, count);
}

static void *fill_and_park(void *arg)
{
	fill((unsigned int)(uintptr_t)arg);
	atomic_fetch_add(&filled, 1);
	for (;;)
		pause();
	return NULL;
}

/* Every second page may be read: no two are one mapping. */
static void make_mappings(size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *at = count == 0 ? NULL : map(count * page);

	for (size_t i = 0; i < count; i += 2)
		if (mprotect(at + i * page, page, PROT_READ) != 0)
			target_fail("mprotect");
}

static void time_malloc_info(void)
{
	static char buffer[1 << 20]; /* so that the stream does not malloc */
	struct timespec begun, ended;
	FILE *null = fopen("/dev/null", "w");
	char line[64];

	if (null == NULL)
		target_fail("/dev/null");
	setvbuf(null, buffer, _IOFBF, sizeof buffer);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	malloc_info(0, null);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	fclose(null);
	snprintf(line, sizeof line, "malloc_info %lld\n",
		 (ended.tv_sec - begun.tv_sec) * 1000000000LL + ended.tv_nsec -
			 begun.tv_nsec);
	target_print(1, line);
}

static void serve(void)
{
	const char *command;

	target_ready();
	while (strcmp(command = target_command(), "quit") != 0)
		if (strcmp(command, "malloc_info") == 0)
			time_malloc_info();
	_exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char line[64];
	int arenas;

	if (argc < 4)
		return 2;
	arenas = atoi(argv[1]);
	bytes_each = (strtoul(argv[2], NULL, 10) << 20) / (size_t)arenas;
	average = strtoul(argv[3], NULL, 10);
	mallopt(M_ARENA_MAX, arenas);
	mallopt(M_MMAP_THRESHOLD, LARGEST);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	for (int i = 1; i < arenas; i++)
		if (pthread_create(&thread, NULL, fill_and_park, (void *)(uintptr_t)i) !=
		    0)
			target_fail("pthread_create");
	fill((unsigned int)arenas);
	while (atomic_load(&filled) < arenas - 1)
		usleep(1000);
	make_mappings(argc > 4 ? strtoul(argv[4], NULL, 10) : 0);
	snprintf(line, sizeof line, "blocks %zu\n", atomic_load(&blocks));
	target_print(1, line);
	serve();
}
