/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history SEED INFO_XML TRUTH_JSON
 *
 * 12 to 64 threads with a random history: many sizes, every way to allocate, blocks
 * freed by other threads, threads that exit, threads that come after them, threads
 * that never malloc, an arena of three heaps or more.  Then all rest, and the truth
 * is told.  The seed decides what each thread does; who wins a lock is left to chance.
 */
#include "truth.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
	MAX_THREADS = 64,
	BLOCKS = 300,	 /* a thread holds at once */
	EXCHANGE = 2048, /* blocks that any thread may take and free */
	MMAPPED = 64	 /* blocks larger than any threshold, in the whole history */
};

enum role { STAYS, EXITS, NEVER_MALLOCS, HOARDS };

struct worker {
	pthread_t pthread;
	enum role role;
	uint64_t random;
	struct truth_thread truth;
	atomic_bool done; /* parked, or about to exit */
	void *blocks[BLOCKS];
};

static struct worker workers[MAX_THREADS];
static struct worker main_worker;
static _Atomic(void *) exchange[EXCHANGE];
static atomic_int mmapped_made;
static int never_set; /* futex that nobody wakes: parked means no code runs */

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

static size_t random_size(uint64_t *random)
{
	uint64_t pick = below(random, 1000);

	if (pick < 550)
		return 1 + below(random, 120); /* fastbins */
	if (pick < 780)
		return 121 + below(random, 900); /* tcache and small bins */
	if (pick < 930)
		return 1024 + below(random, 8192);
	if (pick < 990)
		return 8192 + below(random, 57344);
	return 65536 + below(random, 139264); /* to 200 KiB: in a heap or mmapped, as the
						 threshold goes */
}

static void *random_block(uint64_t *random)
{
	size_t size = random_size(random);
	void *block = NULL;

	switch (below(random, 10)) {
	case 0:
		return calloc(1, size);
	case 1:
		return memalign((size_t)32 << below(random, 8), size);
	case 2:
		if (posix_memalign(&block, (size_t)16 << below(random, 9), size) != 0)
			target_fail("posix_memalign");
		return block;
	default:
		return malloc(size);
	}
}

/* A block that is mmapped whatever the dynamic threshold has become, aligned or plain. */
static void *mmapped_block(uint64_t *random)
{
	size_t size = ((size_t)33 << 20) + below(random, 1 << 20);

	if (atomic_fetch_add(&mmapped_made, 1) >= MMAPPED)
		return malloc(200 << 10);
	return below(random, 3) == 0 ? memalign(1 << 16, size) : malloc(size);
}

static void touch(void *block)
{
	if (block == NULL)
		target_fail("allocating");
	memset(block, 0x5a, 1);
}

static void replace(void **slot, void *block)
{
	touch(block);
	free(*slot);
	*slot = block;
}

static void one_step(struct worker *w)
{
	uint64_t *random = &w->random;
	void **slot = &w->blocks[below(random, BLOCKS)];
	uint64_t pick = below(random, 1000);

	if (pick < 500) {
		replace(slot, random_block(random));
	} else if (pick < 750) {
		free(*slot);
		*slot = NULL;
	} else if (pick < 850) {
		void *block = realloc(*slot, random_size(random));

		touch(block);
		*slot = block;
	} else if (pick < 996) { /* what is taken from here was mostly another thread's */
		free(atomic_exchange(&exchange[below(random, EXCHANGE)], *slot));
		*slot = NULL;
	} else if (pick < 999) {
		replace(slot, malloc(140000 + below(random, 100000)));
	} else {
		replace(slot, mmapped_block(random));
	}
}

static void churn(struct worker *w)
{
	for (uint64_t steps = 500 + below(&w->random, 4000); steps > 0; steps--)
		one_step(w);
}

/* Frees every block it holds but each keep-th: fragments, not one large free chunk. */
static void leave_fragments(struct worker *w)
{
	uint64_t keep = 2 + below(&w->random, 6);

	for (size_t i = 0; i < BLOCKS; i++) {
		if (i % keep == 0)
			continue;
		free(w->blocks[i]);
		w->blocks[i] = NULL;
	}
}

/* More small blocks than a tcache takes, so that the fastbins hold some at rest. */
static void fill_fastbins(struct worker *w)
{
	void *blocks[24];

	for (size_t size = 24; size <= 120; size += 16) {
		size_t n = 8 + below(&w->random, 16);

		for (size_t i = 0; i < n; i++)
			touch(blocks[i] = malloc(size));
		for (size_t i = 0; i < n; i++)
			if (below(&w->random, 5) !=
			    0) /* some stay: no two neighbours merge */
				free(blocks[i]);
	}
}

static bool is_new_heap(const void *block)
{
	static uint64_t seen[8];
	static size_t count;
	uint64_t heap = (uint64_t)block & ~(HEAP_SPAN - 1);

	for (size_t i = 0; i < count; i++)
		if (seen[i] == heap)
			return false;
	if (count == sizeof seen / sizeof *seen)
		target_fail("more heaps than wanted");
	seen[count++] = heap;
	return true;
}

/*
 * Allocates in its own arena until that has `wanted` heaps, then frees about half.
 * The first block of each heap stays, or heap_trim would unmap the heap.  Blocks are
 * below the smallest mmap threshold, and hardly any of their pages is touched.
 */
static void hoard(struct worker *w)
{
	enum { MOST = 5000 };
	static void *blocks[MOST];
	size_t wanted = 3 + below(&w->random, 2), heaps = 0, n = 0;

	while (heaps < wanted) {
		void *block = malloc(90000 + below(&w->random, 30000));

		touch(block);
		if (n == MOST || target_arena_of(block) == 0)
			target_fail("an arena of several heaps");
		/* The rest of an older heap may serve in between. */
		if (is_new_heap(block)) {
			heaps++;
			continue; /* kept for good: not in blocks[] */
		}
		blocks[n++] = block;
	}
	for (size_t i = 0; i < n; i++)
		if (below(&w->random, 2) == 0)
			free(blocks[i]);
}

static void park(struct worker *w)
{
	atomic_store(&w->done, true);
	for (;;)
		syscall(SYS_futex, &never_set, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->truth.tid = target_tid();
	if (w->role == NEVER_MALLOCS) {
		w->truth.kind = TRUTH_NEVER_MALLOCED;
		park(w);
	}
	if (w->role == HOARDS)
		hoard(w);
	churn(w);
	leave_fragments(w);
	w->truth.arena = target_my_arena();
	fill_fastbins(w);
	if (w->role != EXITS)
		park(w);
	atomic_store(&w->done, true);
	return NULL;
}

static enum role random_role(uint64_t *random)
{
	uint64_t pick = below(random, 100);

	return pick < 35 ? EXITS : pick < 40 ? NEVER_MALLOCS : STAYS;
}

static void start(struct worker *w, enum role role, uint64_t *random)
{
	w->role = role;
	w->random = next_random(random) | 1;
	errno = pthread_create(&w->pthread, NULL, work, w);
	if (errno != 0)
		target_fail("pthread_create");
}

static void wait_until_done(struct worker *w)
{
	while (!atomic_load(&w->done))
		usleep(1000);
	if (w->role == EXITS && pthread_join(w->pthread, NULL) != 0)
		target_fail("pthread_join");
}

/* The hoarder first and alone, so that it gets an arena of its own; the rest in two
 * waves, so that the second finds the arenas of those of the first that exited. */
static void run_history(size_t n, uint64_t *random)
{
	size_t half = 2 + below(random, n - 4);

	start(&workers[0], HOARDS, random);
	wait_until_done(&workers[0]);
	start(&workers[1], EXITS, random); /* one at least */
	for (size_t i = 2; i < half; i++)
		start(&workers[i], random_role(random), random);
	churn(&main_worker);
	for (size_t i = 1; i < half; i++)
		wait_until_done(&workers[i]);
	for (size_t i = half; i < n; i++)
		start(&workers[i], random_role(random), random);
	churn(&main_worker);
	for (size_t i = half; i < n; i++)
		wait_until_done(&workers[i]);
}

static size_t list_alive(size_t n, struct truth_thread *ret)
{
	size_t alive = 0;

	ret[alive++] = main_worker.truth;
	for (size_t i = 0; i < n; i++)
		if (workers[i].role != EXITS)
			ret[alive++] = workers[i].truth;
	return alive;
}

int main(int argc, char **argv)
{
	static const int arena_max[] = {
		0, 0, 2, 4, 32, 100
	}; /* 0: what glibc makes of the processors */
	static struct truth_thread alive[MAX_THREADS + 1];
	uint64_t random, n;
	int limit;

	if (argc != 4)
		target_fail("usage: history SEED INFO_XML TRUTH_JSON");
	random = strtoull(argv[1], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (int i = 0; i < 8; i++)
		next_random(&random); /* neighbouring seeds part ways */

	n = 12 + below(&random, MAX_THREADS - 12);
	limit = arena_max[below(&random, 6)];
	if (limit != 0)
		mallopt(M_ARENA_MAX, limit);
	truth_open(argv[2], argv[3]);
	main_worker.random = next_random(&random) | 1;
	run_history(n, &random);

	leave_fragments(&main_worker);
	replace(&main_worker.blocks[0],
		memalign(1 << 16, (size_t)34 << 20)); /* one at least */
	main_worker.truth.tid = target_tid();
	main_worker.truth.arena = target_my_arena();
	fill_fastbins(&main_worker);
	truth_tell(alive, list_alive(n, alive), 0);
	truth_rest();
}
