// SPDX-License-Identifier: Apache-2.0
/*
 * growing MODE SEED
 *
 * A process with a past, which grows in one way when "grow" comes on stdin, and then
 * says what it did ("size N" in bytes of a chunk, "kind WORD") and "grown".
 *
 *   in-use    chunks of one size that stay
 *   free      chunks that are freed, but for a few between them
 *   arenas    threads that allocate at the same time, and free it
 *   mmapped   blocks above the mmap threshold
 *   outside   memory that is not malloc's
 *   rest      a little to and fro, as all of them have
 *
 * and what is no growth, though something is more than before:
 *
 *   frees     what was in use is free
 *   trims     as free, and malloc_trim(0) has given it back
 *   few       three threads more
 */
#include "target.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum {
	MIB = 1 << 20,
	BLOCKS_MAX = 2000000,
	THREADS_MAX = 64,
	THRESHOLD = 128 << 10, /* of mmapped chunks */
};

static uint64_t state;
static void *blocks[BLOCKS_MAX];
static size_t blocks_count;
static atomic_int parked;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int held_back; /* the thread that ends, once the gate opens */

static uint64_t below(uint64_t limit)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % limit;
}

static uint64_t between(uint64_t least, uint64_t most)
{
	return least + below(most - least + 1);
}

static char *filled(size_t bytes)
{
	return memset(target_block(bytes), 1, bytes);
}

static void keep(void *block)
{
	if (blocks_count == BLOCKS_MAX)
		target_fail("keeping a block");
	blocks[blocks_count++] = block;
}

static size_t some_size(void)
{
	return below(8) == 0 ? between(1000, 30000) : between(24, 900);
}

/* ---- the past, and what is never quite the same ---- */

/* Keeps about one in `of`, and the last: nothing goes back by itself. */
static void fragments(size_t bytes, size_t of)
{
	size_t first = blocks_count, sum = 0;

	while (sum < bytes) {
		size_t size = some_size();

		keep(filled(size));
		sum += size;
	}
	for (size_t i = first; i + 1 < blocks_count; i++) {
		if (below(of) == 0)
			continue;
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

/* Less than 1 MiB. */
static void to_and_fro(void)
{
	void *noise[500];

	for (size_t i = 0; i < 500; i++)
		noise[i] = filled(some_size() / 8 + 24);
	for (size_t i = 0; i < 500; i++) {
		if (below(4) == 0)
			keep(noise[i]);
		else
			free(noise[i]);
	}
}

/* ---- threads ---- */

static void *allocate_and_park(void *arg)
{
	void *held[64];
	size_t bytes = (size_t)arg;

	for (size_t i = 0; i < 64; i++)
		held[i] = filled(bytes / 64);
	for (size_t i = 0; i < 63; i++)
		if (i % 8 != 0)
			free(held[i]);
	atomic_fetch_add(&parked, 1);
	for (;;)
		pause();
	return NULL;
}

static void *wait_and_end(void *arg)
{
	free(filled(5000));
	atomic_fetch_add(&parked, 1);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return arg;
}

static void start(void *(*run)(void *), size_t bytes, pthread_t *ret)
{
	int before = atomic_load(&parked);

	if (pthread_create(ret, NULL, run, (void *)bytes) != 0)
		target_fail("pthread_create");
	while (atomic_load(&parked) == before)
		usleep(500);
}

static void start_threads(size_t count, size_t bytes)
{
	pthread_t thread;

	for (size_t i = 0; i < count; i++)
		start(allocate_and_park, bytes, &thread);
}

/* ---- ways to grow ---- */

static void say(const char *what, uint64_t number)
{
	char line[64];

	snprintf(line, sizeof line, "%s %llu\n", what, (unsigned long long)number);
	target_print(1, line);
}

static void grow_in_use(void)
{
	size_t size = below(2) == 0 ? between(24, 1000) : between(1500, 60000);
	size_t bytes = between(12, 40) * MIB;

	for (size_t sum = 0; sum < bytes; sum += size)
		keep(filled(size));
	/* With the header, without the flags. */
	say("size", ((uint64_t *)blocks[blocks_count - 1])[-1] & ~UINT64_C(7));
}

static void grow_free(void)
{
	fragments(between(16, 48) * MIB, 60);
}

static void grow_arenas(void)
{
	start_threads(between(5, 12), 256 << 10);
}

static void grow_mmapped(void)
{
	size_t count = between(3, 6);

	for (size_t i = 0; i < count; i++) {
		char *block = target_block(between(3, 8) * MIB);

		if (below(2) == 0)
			memset(block, 1, MIB);
		keep(block);
	}
}

static void grow_outside(void)
{
	int shared = below(3) == 0;
	size_t bytes = between(12, 40) * MIB;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			(shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		target_fail("mmap");
	memset(at, 1, bytes);
	target_print(1, shared ? "kind shared\n" : "kind anonymous\n");
}

static void rest(void)
{
}

static void frees(void)
{
	for (size_t i = 0; i < blocks_count; i++) {
		if (below(10) == 0)
			continue;
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

static void trims(void)
{
	grow_free();
	malloc_trim(0);
}

static void few(void)
{
	start_threads(3, 256 << 10);
}

static const struct {
	const char *name;
	void (*grow)(void);
} modes[] = {
	{ "in-use", grow_in_use },
	{ "free", grow_free },
	{ "arenas", grow_arenas },
	{ "mmapped", grow_mmapped },
	{ "outside", grow_outside },
	{ "rest", rest },
	{ "frees", frees },
	{ "trims", trims },
	{ "few", few },
};

static void grow(const char *mode)
{
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i].name, mode) == 0) {
			modes[i].grow();
			return;
		}
	target_fail("mode");
}

/* Of `frees` nearly all is in use; of the others there is free memory, too. */
static void past(const char *mode, pthread_t *ending)
{
	if (strcmp(mode, "frees") == 0)
		fragments(between(16, 32) * MIB, 1);
	else
		fragments(between(4, 24) * MIB, between(1, 8));
	keep(filled(between(1, 3) * MIB));
	start_threads(between(0, 3), between(100, 500) << 10);
	if (below(2) != 0)
		return;
	held_back = 1;
	pthread_mutex_lock(&gate);
	start(wait_and_end, 0, ending);
}

int main(int argc, char **argv)
{
	pthread_t ending;

	if (argc != 3)
		target_fail("usage: growing MODE SEED");
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mallopt(M_ARENA_MAX, THREADS_MAX);
	mallopt(M_MMAP_THRESHOLD, THRESHOLD);
	mallopt(M_TRIM_THRESHOLD, THRESHOLD);
	state = strtoull(argv[2], NULL, 10);
	past(argv[1], &ending);
	target_ready();
	while (strcmp(target_command(), "grow") == 0) {
		if (held_back) {
			pthread_mutex_unlock(&gate);
			pthread_join(ending, NULL);
			held_back = 0;
		}
		to_and_fro();
		grow(argv[1]);
		target_print(1, "grown\n");
	}
	_exit(0);
}
