/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins
 *
 * Three arenas, and in each a live chunk that keeps memory from going back:
 *
 *   between  in main's, between two large free chunks
 *   top      in a thread's, between a large free chunk and top, which together are more
 *            than the trim threshold
 *   heap     in a thread's second heap, which is free but for that chunk
 *
 * It prints a line for each, "NAME POINTER SIZE", SIZE being the chunk's.  Told a NAME
 * on stdin it frees that chunk, calls malloc_trim(0) and says "freed NAME".
 */
#include "target.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>

enum {
	THRESHOLD = 1 << 20, /* of trimming; nothing here is mmapped */
	PIN = 3000,	     /* no tcache and no fastbin takes it, and it has no page */
	LARGE = 800000,
	OF_TOP = 500000, /* LARGE and this are more than THRESHOLD, neither is */
};

static struct pin {
	const char *name;
	void *at;
} pins[] = { { "between", NULL }, { "top", NULL }, { "heap", NULL } };

static sem_t built;

static void *filled(size_t bytes)
{
	return memset(target_block(bytes), 1, bytes);
}

static void build_between(void)
{
	void *before = filled(LARGE), *behind;

	pins[0].at = filled(PIN);
	behind = filled(LARGE);
	filled(PIN);
	free(before);
	free(behind);
}

/* [LARGE, free] [PIN] [top, of which OF_TOP bytes were written to] */
static void *build_in_front_of_top(void)
{
	void *before = filled(LARGE), *pin = filled(PIN);

	free(filled(OF_TOP));
	free(before);
	return pin;
}

static void rest(void)
{
	sem_post(&built);
	for (;;)
		pause();
}

static void *build_top(void *arg)
{
	(void)arg;
	pins[1].at = build_in_front_of_top();
	rest();
	return NULL;
}

static uint64_t heap_of(const void *block)
{
	return (uint64_t)block & ~(HEAP_SPAN - 1);
}

/* Blocks until one lies in a new heap. */
static void *build_heap(void *arg)
{
	void *first = target_block(LARGE), *block;

	(void)arg;
	do
		block = target_block(LARGE);
	while (heap_of(block) == heap_of(first));
	free(block);
	pins[2].at = build_in_front_of_top();
	if (heap_of(pins[2].at) == heap_of(first))
		target_fail("a second heap");
	rest();
	return NULL;
}

static void start(void *(*build)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, build, NULL) != 0)
		target_fail("pthread_create");
	while (sem_wait(&built) != 0)
		;
}

static void tell(const struct pin *pin)
{
	char line[96];

	snprintf(line, sizeof line, "%s %p %zu\n", pin->name, pin->at,
		 malloc_usable_size(pin->at) + sizeof(size_t));
	target_print(1, line);
}

static void free_pin(struct pin *pin)
{
	free(pin->at);
	pin->at = NULL;
	malloc_trim(0);
	target_print(1, "freed ");
	target_print(1, pin->name);
	target_print(1, "\n");
}

int main(void)
{
	const char *command;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, THRESHOLD);
	sem_init(&built, 0, 0);
	malloc_trim(0); /* its code is there before anybody counts pages */
	build_between();
	start(build_top);
	start(build_heap);
	for (size_t i = 0; i < 3; i++)
		tell(&pins[i]);
	target_ready();
	while (strcmp(command = target_command(), "quit") != 0)
		for (size_t i = 0; i < 3; i++)
			if (strcmp(command, pins[i].name) == 0)
				free_pin(&pins[i]);
	_exit(0);
}
