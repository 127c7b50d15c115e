/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the targets share.  A target builds a known heap, says what is true of it,
 * prints "ready" and rests until its stdin closes.  Nothing here mallocs: a target
 * must not change the heap it has just described.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAP_SPAN (UINT64_C(64) << 20) /* HEAP_MAX_SIZE of every LP64 glibc */

enum { NON_MAIN_ARENA = 4 }; /* in the size of a chunk */

static inline void target_print(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(1);
}

static inline void target_fail(const char *what)
{
	target_print(2, what);
	target_print(2, ": failed\n");
	_exit(1);
}

/* A block that the compiler cannot leave out, as it may with free(malloc(n)). */
static inline void *target_block(size_t bytes)
{
	volatile char *block = malloc(bytes);

	if (block == NULL)
		target_fail("malloc");
	block[0] = 1;
	return (void *)block;
}

static inline void target_ready(void)
{
	target_print(1, "ready\n");
}

static inline int target_tid(void)
{
	return (int)syscall(SYS_gettid);
}

/*
 * The next command: one line of stdin without its newline, "quit" at its end.
 * read(2), since stdio's buffer would be one more chunk in the heap.
 */
static inline const char *target_command(void)
{
	static char line[64];
	size_t n = 0;
	char c;

	while (n < sizeof line - 1) {
		if (read(0, &c, 1) != 1)
			return "quit";
		if (c == '\n')
			break;
		line[n++] = c;
	}
	line[n] = '\0';
	return line;
}

static inline void target_rest(void)
{
	target_ready();
	while (strcmp(target_command(), "quit") != 0)
		;
	_exit(0);
}

/* The arena a block came from, by its header: 0 for main_arena, whose address no program
 * knows. */
static inline uint64_t target_arena_of(const void *block)
{
	const volatile uint64_t *size = (const uint64_t *)((uint64_t)block - 8);
	const volatile uint64_t *heap =
		(const uint64_t *)((uint64_t)block & ~(HEAP_SPAN - 1));

	return (*size & NON_MAIN_ARENA) == 0 ? 0 : *heap;
}

/*
 * The calling thread's own arena, by a block it just got.  The block is larger than
 * any a tcache holds: a cached one may have been freed here but belong elsewhere.
 */
static inline uint64_t target_my_arena(void)
{
	void *block = target_block(2000);
	uint64_t arena = target_arena_of(block);

	free(block);
	return arena;
}

#endif
