/* SPDX-License-Identifier: Apache-2.0 */
/* A malloc that nobody knows: it hands out a static buffer and takes nothing back. */
#include <stddef.h>
#include <string.h>

static char buffer[64 << 20];
static size_t used;

void *malloc(size_t bytes)
{
	char *block = buffer + used;

	bytes = (bytes + 31) & ~(size_t)15;
	if (bytes > sizeof buffer - used)
		return NULL;
	*(size_t *)(void *)block = bytes;
	used += bytes;
	return block + 16;
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t count, size_t bytes)
{
	return malloc(count * bytes); /* the buffer is zeros, and given out once */
}

void *realloc(void *block, size_t bytes)
{
	void *larger = malloc(bytes);

	if (block != NULL && larger != NULL) {
		size_t had = *(size_t *)(void *)((char *)block - 16) - 16;

		memcpy(larger, block, had < bytes ? had : bytes);
	}
	return larger;
}
