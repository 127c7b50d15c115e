/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trim SCENARIO SEED [TUNABLES]
 *
 * A process that calls malloc_trim(0) when it is told "trim" on stdin, and then says
 * "trimmed".  The scenarios say what is free before, and where; the seed decides all that
 * is left open.  Threads fill their arenas one after another, so a seed gives the same
 * heap each time.  Between "ready" and "trimmed" nothing is allocated, and malloc_trim's
 * code has run before: what changes in the resident set is what it gave back.  TUNABLES
 * are glibc's (GLIBC_TUNABLES), for this process and no other.
 */
#include "target.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum {
	THREADS = 8,
	BLOCKS = 1 << 16, /* most that a thread holds */
	LARGE = 100000,	  /* bytes: below the smallest threshold for mmap */
	LARGES = 100,	  /* of them: 10 MB */
	PAGE = 4096	  /* a multiple of it where pages are larger, too */
};

struct block {
	char *at;    /* NULL: it is free */
	char *place; /* where it is, or was */
	size_t bytes;
};

struct worker {
	pthread_t pthread;
	uint64_t random;
	bool exits;
	atomic_int told, done; /* how many steps */
	size_t n;
	struct block blocks[BLOCKS];
};

/*
 * settings  before the first thread starts
 * fill      by each thread, main being one of them
 * thin      by each of them, once all have filled their arenas
 * finish    by main, when all have come to rest
 * threads   main's own not counted; 0: as the seed has it
 */
struct scenario {
	const char *name;
	void (*settings)(uint64_t *random);
	void (*fill)(struct worker *w);
	void (*thin)(struct worker *w);
	void (*finish)(uint64_t *random);
	size_t threads;
};

static struct worker workers[1 + THREADS + 1]; /* main's first; the last starts late */
static size_t worker_count;
static const struct scenario *scenario;
static bool without_zeros; /* no page is only read */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
	return next_random(state) % limit;
}

/* ---- blocks ---- */

static void add_block(struct worker *w, char *at, size_t bytes)
{
	if (at == NULL || w->n == BLOCKS)
		target_fail("allocating");
	w->blocks[w->n++] = (struct block){ at, at, bytes };
}

/* A block of which every byte is written. */
static void add_written(struct worker *w, size_t bytes)
{
	char *at = target_block(bytes);

	memset(at, 0x5a, bytes);
	add_block(w, at, bytes);
}

static void add_larges(struct worker *w, size_t n)
{
	while (n-- > 0)
		add_written(w, LARGE);
}

/* One more, so that what is before it does not become part of top. */
static void add_lid(struct worker *w)
{
	add_written(w, 3000);
}

static void free_block(struct worker *w, size_t i)
{
	free(w->blocks[i].at);
	w->blocks[i].at = NULL;
}

static void free_blocks(struct worker *w, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (w->blocks[i].at != NULL)
			free_block(w, i);
}

/* ---- a random history ---- */

/* Setting a threshold fixes them all; otherwise they go up with what is freed. */
static void random_settings(uint64_t *random)
{
	static const int fast_max[] = { -1, -1, -1, 0, 64, 160 };
	static const int arena_max[] = { 0, 0, 0, 2, 3 };
	int fast = fast_max[below(random, 6)], arenas = arena_max[below(random, 5)];

	if (fast >= 0)
		mallopt(M_MXFAST, fast);
	if (arenas > 0)
		mallopt(M_ARENA_MAX, arenas);
	if (below(random, 3) == 0)
		mallopt(M_TRIM_THRESHOLD, 1 << 20 << below(random, 5));
	if (below(random, 4) == 0)
		mallopt(M_TOP_PAD, 1 << 12 << below(random, 9));
}

static void settings_without_zeros(uint64_t *random)
{
	without_zeros = true;
	random_settings(random);
}

static size_t random_size(uint64_t *random)
{
	uint64_t pick = below(random, 1000);

	if (pick < 400)
		return 1 + below(random, 150); /* fastbins */
	if (pick < 600)
		return 151 + below(random, 900); /* tcache and small bins */
	if (pick < 800)
		return 1024 + below(random, 4096);
	if (pick < 950)
		return 4096 + below(random, 16384);
	return 16384 + below(random, 90000);
}

static char *random_block(uint64_t *random, size_t size)
{
	switch (below(random, 20)) {
	case 0:
		return calloc(1, size);
	case 1:
		return memalign((size_t)32 << below(random, 9), size);
	default:
		return malloc(size);
	}
}

/* Most blocks are written, and of the others some are read: their pages are present, but
 * the kernel's page of zeros, which is not resident. */
static void use(struct block *block, uint64_t pick)
{
	volatile char *at = block->at;

	if (pick < 85)
		memset(block->at, 0x5a, block->bytes);
	else if (pick < 93)
		memset(block->at, 0x5a, block->bytes / 2 + 1);
	if (pick < 97 && !without_zeros)
		for (size_t i = 0; i < block->bytes; i += PAGE)
			(void)at[i];
}

static void add_random(struct worker *w)
{
	size_t size = random_size(&w->random);

	add_block(w, random_block(&w->random, size), size);
	use(&w->blocks[w->n - 1], below(&w->random, 100));
}

/* An arena of two heaps, hardly any of whose pages is ever touched. */
static void hoard(struct worker *w)
{
	for (int i = 0; i < 800; i++)
		add_block(w, target_block(LARGE), LARGE);
	for (size_t i = 1; i < w->n; i++)
		if (i % 4 != 0)
			free_block(w, i);
}

static void churn(struct worker *w, size_t steps)
{
	while (steps-- > 0) {
		size_t i = below(&w->random, w->n);

		free_block(w, i);
		w->blocks[i].bytes = random_size(&w->random);
		w->blocks[i].at = random_block(&w->random, w->blocks[i].bytes);
		use(&w->blocks[i], below(&w->random, 100));
	}
}

/* Frees most in runs of neighbours: chunks that span pages.  At least the first block
 * stays, or a whole heap would go. */
static void free_runs(struct worker *w)
{
	for (size_t i = 1; i < w->n;) {
		size_t end = i + 1 + below(&w->random, 150);

		end = end < w->n ? end : w->n;
		if (below(&w->random, 5) != 0)
			free_blocks(w, i, end - below(&w->random, 2));
		i = end + 1 + below(&w->random, 3);
	}
}

/* Fast chunks beside free ones, in-use ones and top: nothing that comes later
 * consolidates them. */
static void free_small(struct worker *w)
{
	for (int i = 0; i < 400; i++)
		add_block(w, target_block(1 + below(&w->random, 150)), 1);
	for (size_t i = 1; i < w->n; i++)
		if (w->blocks[i].at != NULL && w->blocks[i].bytes <= 150 &&
		    below(&w->random, 3) != 0)
			free_block(w, i);
}

static void free_mmapped(struct worker *w)
{
	for (size_t i = 0; i < 4; i++) {
		size_t bytes = 200000 + below(&w->random, 1 << 20);
		char *block = target_block(bytes);

		memset(block, 0x5a, bytes);
		if (below(&w->random, 2) == 0)
			free(block);
	}
}

static void fill_share(struct worker *w, size_t share)
{
	for (size_t held = 0; held < share; held += w->blocks[w->n - 1].bytes)
		add_random(w);
	churn(w, w->n / 4);
}

/* 65 MB between them all, of which well over 30 come to lie in free pages. */
static void fill_at_random(struct worker *w)
{
	if (w != workers && below(&w->random, 6) == 0)
		hoard(w);
	fill_share(w, 65000000 / worker_count);
	if (below(&w->random, 2) == 0)
		free_mmapped(w);
}

static void thin_at_random(struct worker *w)
{
	free_runs(w);
	free_small(w);
}

/* Main frees what is another's: into its own tcache, and into the other's arena. */
static void free_across(uint64_t *random)
{
	for (size_t n = 1; n < worker_count; n++) {
		struct worker *w = &workers[n];

		for (size_t i = 1 + below(random, 64); i < w->n;
		     i += 1 + below(random, 64))
			if (w->blocks[i].at != NULL)
				free_block(w, i);
	}
}

/* ---- much is free, and nothing can go, or all that can has gone ---- */

static void high_thresholds(uint64_t *random)
{
	(void)random;
	mallopt(M_TRIM_THRESHOLD, 1 << 30); /* free() gives nothing back by itself */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

/* No free chunk holds a whole page. */
static void fill_checkerboard(struct worker *w)
{
	for (int i = 0; i < 14000; i++)
		add_written(w, 2048);
	for (size_t i = 0; i + 1 < w->n; i += 2)
		free_block(w, i);
}

/* The last goes first: all that threads free becomes part of their tops. */
static void fill_top(struct worker *w)
{
	if (w == workers)
		return;
	add_larges(w, LARGES);
	for (size_t i = w->n; i-- > 0;)
		free_block(w, i);
}

static void lock_all(uint64_t *random)
{
	free_across(random);
	if (mlockall(MCL_CURRENT) != 0)
		target_fail("mlockall");
}

static void trim_before(uint64_t *random)
{
	free_across(random);
	malloc_trim(0);
}

/* ---- what consolidation makes of fast chunks ---- */

/* Fast chunks between free ones; alone none of them holds a page. */
static void fill_fastbins(struct worker *w)
{
	for (int i = 0; i < 20000; i++) {
		add_written(w, 100);
		add_written(w, 400);
	}
	add_lid(w);
	for (size_t i = 1; i < w->n - 1; i += 2)
		free_block(w, i);
	for (size_t i = 0; i < w->n - 1; i += 2)
		free_block(w, i);
}

/* Fast chunks only, and the last borders top: all become part of it, which only main's
 * arena gives back. */
static void fill_fast_top(struct worker *w)
{
	for (int i = 0; i < BLOCKS; i++)
		add_written(w, 100);
	free_blocks(w, 0, w->n);
}

/* ---- parts that are locked ---- */

/* One free chunk of 10 MB, and in main a top of 2 MB. */
static void fill_large(struct worker *w)
{
	add_larges(w, LARGES);
	add_lid(w);
	if (w == workers)
		add_larges(w, 20);
	free_blocks(w, 1, LARGES);
	free_blocks(w, LARGES + 1, w->n);
}

static void lock_range(char *from, char *to)
{
	if (mlock(from, (size_t)(to - from)) != 0)
		target_fail("mlock");
}

/* In the midst of a free chunk, across one of its ends, and in main's top.  In all less
 * than any user may lock today: 8 MB. */
static void lock_parts(uint64_t *random)
{
	char *end = workers[0].blocks[LARGES].at;

	for (size_t n = 0; n < worker_count; n++) {
		char *first = workers[n].blocks[0].at;
		char *lid = workers[n].blocks[LARGES].at;
		uint64_t kind = (n + below(random, 2)) % 5;

		if (kind == 0)
			lock_range(first, first + 1 + below(random, 3 * LARGE));
		if (kind == 1) /* to the page of the lid */
			lock_range(lid - 1 - below(random, 3 * LARGE), lid);
		for (uint64_t i = 1; i < kind; i++) {
			char *from = first + below(random, (LARGES - 4) * LARGE);

			lock_range(from, from + 1 + below(random, 2 * LARGE));
		}
	}
	lock_range(end + 2 * LARGE, end + 3 * LARGE);
}

/* ---- parts that are in swap ---- */

/* Large free chunks and large ones in use by turns, and in main a large top. */
static void fill_groups(struct worker *w)
{
	add_larges(w, LARGES + LARGES / 2);
	for (size_t i = 1; i < w->n; i++)
		if (i / 10 % 3 != 0)
			free_block(w, i);
}

/* Not the first and last pages of a block, where a chunk may begin: to free chunks of
 * swapped headers no visit can come, and malloc_trim would bring them back. */
static void page_out(char *block, size_t from, size_t to)
{
	uint64_t start = ((uint64_t)block + from) / PAGE + 1;
	uint64_t end = ((uint64_t)block + to) / PAGE - 1;

	if (end > start &&
	    madvise((void *)(start * PAGE), (end - start) * PAGE, MADV_PAGEOUT) != 0)
		target_fail("madvise");
}

/* Of two thirds of the blocks, free ones among them. */
static void page_out_parts(uint64_t *random)
{
	for (size_t n = 0; n < worker_count; n++) {
		struct worker *w = &workers[n];

		for (size_t i = 0; i < w->n; i++) {
			size_t from = below(random, LARGE / 2);

			if (below(random, 3) != 0)
				page_out(w->blocks[i].place, from + PAGE, LARGE);
		}
	}
}

/* ---- a child that shares its pages with its parent ---- */

/* The parent rests until the child has ended.  Some pages the child has written to, and
 * has for itself. */
static void fork_child(uint64_t *random)
{
	char said[64];
	pid_t child = fork();

	if (child < 0)
		target_fail("fork");
	if (child > 0) {
		waitpid(child, NULL, 0);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	free_across(random);
	for (size_t n = 0; n < worker_count; n++)
		for (size_t i = 0; i < workers[n].n; i += 1 + below(random, 20))
			if (workers[n].blocks[i].at != NULL)
				workers[n].blocks[i].at[0] = 1;
	snprintf(said, sizeof said, "child %d\n", (int)getpid());
	target_print(1, said);
}

/* ---- all of them ---- */

static const struct scenario scenarios[] = {
	{ "history", random_settings, fill_at_random, thin_at_random, free_across, 0 },
	{ "trimmed", random_settings, fill_at_random, thin_at_random, trim_before, 0 },
	{ "locked", random_settings, fill_at_random, thin_at_random, lock_all, 0 },
	{ "fork", settings_without_zeros, fill_at_random, thin_at_random, fork_child, 0 },
	{ "fork-zeros", random_settings, fill_at_random, thin_at_random, fork_child, 0 },
	{ "checkerboard", NULL, fill_checkerboard, NULL, NULL, 2 },
	{ "tops", high_thresholds, fill_top, NULL, NULL, 4 },
	{ "fastbins", NULL, fill_fastbins, NULL, NULL, 3 },
	{ "fast-tops", high_thresholds, fill_fast_top, NULL, NULL, 3 },
	{ "locked-parts", high_thresholds, fill_large, NULL, lock_parts, 5 },
	{ "swapped", high_thresholds, fill_groups, NULL, page_out_parts, 2 },
};

static const struct scenario *find_scenario(const char *name)
{
	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		if (strcmp(name, scenarios[i].name) == 0)
			return &scenarios[i];
	target_fail("finding the scenario");
	return NULL;
}

static void await(const atomic_int *steps, int n)
{
	while (atomic_load(steps) < n)
		usleep(500);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	free(target_block(24)); /* its tcache comes first: it may be made by a free */
	scenario->fill(w);
	atomic_store(&w->done, 1);
	await(&w->told, 1);
	if (scenario->thin != NULL)
		scenario->thin(w);
	atomic_store(&w->done, 2);
	while (!w->exits)
		pause();
	return NULL;
}

/* In the arena of a thread that has ended, if there is one. */
static void *work_late(void *arg)
{
	struct worker *w = arg;

	fill_share(w, 1000000);
	thin_at_random(w);
	atomic_store(&w->done, 1);
	for (;;)
		pause();
	return NULL;
}

static void start(struct worker *w, void *(*routine)(void *), uint64_t *random)
{
	w->random = next_random(random) | 1;
	if (pthread_create(&w->pthread, NULL, routine, w) != 0)
		target_fail("pthread_create");
	await(&w->done, 1);
}

static void run_threads(uint64_t *random)
{
	workers[0].random = next_random(random) | 1;
	for (size_t i = 1; i < worker_count; i++)
		start(&workers[i], work, random);
	scenario->fill(&workers[0]);
	for (size_t i = 1; i < worker_count; i++) {
		workers[i].exits = scenario->thin != NULL && below(random, 4) == 0;
		atomic_store(&workers[i].told, 1);
		await(&workers[i].done, 2);
		if (workers[i].exits && pthread_join(workers[i].pthread, NULL) != 0)
			target_fail("pthread_join");
	}
	if (scenario->thin != NULL) {
		scenario->thin(&workers[0]);
		start(&workers[THREADS + 1], work_late, random);
	}
}

/* Every way through malloc_trim once, so that none of its pages is brought in later. */
static void warm_up(void)
{
	struct worker *w = &workers[0];

	for (int i = 0; i < 64; i++)
		add_written(w, 40);
	add_larges(w, 4);
	add_lid(w);
	free_blocks(w, 0, w->n - 1);
	malloc_trim(0);
	free_block(w, w->n - 1);
	malloc_trim(0);
	w->n = 0;
}

/* The kernel would collapse pages whenever it likes, and give back what was trimmed.
 * Those that glibc asked for and has got stay. */
static void no_more_huge_pages(void)
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

static void rest(void)
{
	const char *command;

	target_ready();
	while (strcmp(command = target_command(), "quit") != 0) {
		if (strcmp(command, "trim") == 0) {
			malloc_trim(0);
			target_print(1, "trimmed\n");
		}
	}
	_exit(0);
}

/* glibc reads its tunables when a program starts. */
static void use_tunables(char **argv)
{
	if (getenv("GLIBC_TUNABLES") != NULL)
		return;
	setenv("GLIBC_TUNABLES", argv[3], 1);
	execv("/proc/self/exe", argv);
	target_fail("execv");
}

int main(int argc, char **argv)
{
	uint64_t random;

	if (argc < 3 || argc > 4)
		target_fail("usage: trim SCENARIO SEED [TUNABLES]");
	scenario = find_scenario(argv[1]);
	random = strtoull(argv[2], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (int i = 0; i < 8; i++)
		next_random(&random); /* neighbouring seeds part ways */
	if (argc == 4)
		use_tunables(argv);
	else
		no_more_huge_pages();

	worker_count = 1 + (scenario->threads > 0 ? scenario->threads
						  : below(&random, THREADS + 1));
	if (scenario->settings != NULL)
		scenario->settings(&random);
	warm_up();
	run_threads(&random);
	no_more_huge_pages(); /* a child inherits that */
	if (scenario->finish != NULL)
		scenario->finish(&random);
	rest();
}
