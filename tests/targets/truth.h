/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth a target tells: malloc_info(3) of itself, and one JSON line of what its
 * threads know.  Both go to files that were opened, and given a buffer, while the
 * heap could still change; telling the truth then mallocs nothing.
 *
 *   truth_open(INFO_XML, TRUTH_JSON)   before the heap comes to rest
 *   truth_tell(…)                      at rest; again for every "info" on stdin
 */
#ifndef TRUTH_H
#define TRUTH_H

#include "target.h"

#include <fcntl.h>
#include <malloc.h>

enum truth_arena { TRUTH_HAS_ARENA, TRUTH_NEVER_MALLOCED };

struct truth_thread {
	int tid;
	enum truth_arena kind;
	uint64_t arena; /* 0: main_arena */
};

static FILE *truth_info;
static int truth_fd = -1;
static char truth_buffer[1 << 20]; /* all of malloc_info: one write */
static char truth_line[1 << 16];
static size_t truth_used;
/* Adds members of its own behind the threads, each with a comma before it; may be NULL.
 */
static void (*truth_more)(void);

static inline void truth_malloc_info(void)
{
	rewind(truth_info);
	if (ftruncate(fileno(truth_info), 0) != 0 || malloc_info(0, truth_info) != 0 ||
	    fflush(truth_info) != 0)
		target_fail("malloc_info");
}

static inline void truth_open(const char *info_path, const char *json_path)
{
	truth_info = fopen(info_path, "w");
	truth_fd = open(json_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (truth_info == NULL || truth_fd < 0)
		target_fail("opening the files for the truth");
	setvbuf(truth_info, truth_buffer, _IOFBF, sizeof truth_buffer);
	truth_malloc_info(); /* whatever stdio allocates at first use, it does here */
}

/* snprintf into a static line: printf and dprintf would malloc their buffer. */
__attribute__((format(printf, 1, 2))) static inline void truth_add(const char *format,
								   ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(truth_line + truth_used, sizeof truth_line - truth_used, format,
		      args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof truth_line - truth_used)
		target_fail("truth: line too long");
	truth_used += (size_t)n;
}

static inline void truth_add_thread(const struct truth_thread *thread)
{
	truth_add("{\"tid\":%d,\"arena\":", thread->tid);
	if (thread->kind == TRUTH_NEVER_MALLOCED)
		truth_add("null}");
	else if (thread->arena == 0)
		truth_add("\"main\"}");
	else
		truth_add("\"0x%llx\"}", (unsigned long long)thread->arena);
}

/* mmapped chunks and their bytes; before 2.33 these are counted in ints. */
static inline void truth_mmapped(size_t *ret_chunks, size_t *ret_bytes)
{
#if __GLIBC_PREREQ(2, 33)
	struct mallinfo2 info = mallinfo2();

	*ret_chunks = info.hblks;
	*ret_bytes = info.hblkhd;
#else
	struct mallinfo info = mallinfo();

	*ret_chunks = (unsigned int)info.hblks;
	*ret_bytes = (unsigned int)info.hblkhd;
#endif
}

/* gone_from_main: threads that died without leaving main_arena (pthread_exit of main) */
static inline void truth_tell(const struct truth_thread *threads, size_t n,
			      int gone_from_main)
{
	size_t chunks, bytes;

	truth_mmapped(&chunks, &bytes);
	truth_used = 0;
	truth_add("{\"pid\":%d,\"mmapped_chunks\":%zu,\"mmapped_bytes\":%zu,",
		  (int)getpid(), chunks, bytes);
	truth_add("\"gone_from_main\":%d,\"threads\":[", gone_from_main);
	for (size_t i = 0; i < n; i++) {
		truth_add(i == 0 ? "" : ",");
		truth_add_thread(&threads[i]);
	}
	truth_add("]");
	if (truth_more != NULL)
		truth_more();
	truth_add("}\n");
	if (pwrite(truth_fd, truth_line, truth_used, 0) != (ssize_t)truth_used)
		target_fail("writing the truth");
	truth_malloc_info();
}

/* Rests, and writes malloc_info anew for each "info", so that a test can see that nothing
 * moved. */
static inline void truth_rest(void)
{
	const char *command;

	target_ready();
	while (strcmp(command = target_command(), "quit") != 0) {
		if (strcmp(command, "info") == 0) {
			truth_malloc_info();
			target_print(1, "info\n");
		}
	}
	_exit(0);
}

#endif
