/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor PID THREADS: what reading the heaps of a process costs at least.  Reads all
 * present pages of [heap] and of the arenas' heaps (anonymous mappings that begin at
 * 64 MiB) once, by process_vm_readv into one small buffer per thread, and prints
 * "NANOSECONDS BYTES".  Which pages are present is found before the clock starts.
 * The buffer fits into a processor's own cache; on some machines larger ones are faster.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEAP_SPAN ((uint64_t)64 << 20)
#define BUFFER	  ((size_t)256 << 10)
#define PRESENT	  ((uint64_t)1 << 63)

enum { PAGE = 4096, ENTRIES = 4096, THREADS_MAX = 8 };

/* Present pages side by side, at most a buffer of them. */
struct run {
	uint64_t start;
	size_t bytes;
};

static pid_t pid;
static struct run *runs;
static size_t runs_count, runs_room;
static atomic_size_t next_run;
static atomic_size_t bytes_read;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void add_page(uint64_t address)
{
	struct run *last = runs_count == 0 ? NULL : &runs[runs_count - 1];

	if (last != NULL && last->start + last->bytes == address &&
	    last->bytes < BUFFER) {
		last->bytes += PAGE;
		return;
	}
	if (runs_count == runs_room) {
		runs_room = runs_room == 0 ? 4096 : 2 * runs_room;
		runs = realloc(runs, runs_room * sizeof(*runs));
		if (runs == NULL)
			die("realloc");
	}
	runs[runs_count++] = (struct run){ address, PAGE };
}

static void add_mapping(int pagemap, uint64_t start, uint64_t end)
{
	static uint64_t entries[ENTRIES];

	while (start < end) {
		size_t want = (end - start) / PAGE;
		ssize_t got;

		want = want < ENTRIES ? want : ENTRIES;
		got = pread(pagemap, entries, want * sizeof(*entries),
			    (off_t)(start / PAGE * sizeof(*entries)));
		if (got != (ssize_t)(want * sizeof(*entries)))
			die("pagemap");
		for (size_t i = 0; i < want; i++)
			if (entries[i] & PRESENT)
				add_page(start + i * PAGE);
		start += want * PAGE;
	}
}

static void find_pages(void)
{
	char path[64], line[512];
	FILE *maps;
	int pagemap;

	snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
	pagemap = open(path, O_RDONLY);
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	if (pagemap < 0 || maps == NULL)
		die(path);
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long long start, end, inode;
		char rights[8], name[256] = "";

		if (sscanf(line, "%llx-%llx %7s %*s %*s %llu %255s", &start, &end, rights,
			   &inode, name) < 4)
			continue;
		if (strcmp(name, "[heap]") == 0 ||
		    (start % HEAP_SPAN == 0 && inode == 0 && name[0] == '\0' &&
		     strcmp(rights, "rw-p") == 0))
			add_mapping(pagemap, start, end);
	}
	fclose(maps);
	close(pagemap);
}

static void *read_runs(void *arg)
{
	char *buffer = aligned_alloc(PAGE, BUFFER);
	size_t sum = 0, i;

	(void)arg;
	while ((i = atomic_fetch_add(&next_run, 1)) < runs_count) {
		struct iovec to = { buffer, runs[i].bytes };
		struct iovec from = { (void *)(uintptr_t)runs[i].start, runs[i].bytes };

		if (process_vm_readv(pid, &to, 1, &from, 1, 0) != (ssize_t)runs[i].bytes)
			die("process_vm_readv");
		sum += runs[i].bytes;
	}
	atomic_fetch_add(&bytes_read, sum);
	free(buffer);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	struct timespec begun, ended;
	int count = argc == 3 ? atoi(argv[2]) : 0;

	if (count < 1 || count > THREADS_MAX)
		return 2;
	pid = atoi(argv[1]);
	find_pages();
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (int i = 1; i < count; i++)
		if (pthread_create(&threads[i], NULL, read_runs, NULL) != 0)
			die("pthread_create");
	read_runs(NULL);
	for (int i = 1; i < count; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%lld %zu\n",
	       (ended.tv_sec - begun.tv_sec) * 1000000000LL + ended.tv_nsec -
		       begun.tv_nsec,
	       atomic_load(&bytes_read));
	return 0;
}
