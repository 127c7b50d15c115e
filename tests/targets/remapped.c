/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remapped INFO_XML TRUTH_JSON
 *
 * Mmapped blocks that grew and shrank (mremap), all of them freed again: glibc 2.43
 * counts 16 bytes too many for each, and keeps them when no such chunk is left.
 */
#include "truth.h"

enum { BLOCKS = 5, GROWN = 40 };

int main(int argc, char **argv)
{
	struct truth_thread thread = { .tid = target_tid() };
	void *blocks[BLOCKS];

	if (argc != 3)
		target_fail("usage: remapped INFO_XML TRUTH_JSON");
	truth_open(argv[1], argv[2]);
	for (size_t i = 0; i < BLOCKS; i++)
		blocks[i] = target_block((size_t)34 << 20);
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = realloc(blocks[i], ((size_t)GROWN + i) << 20);
		if (blocks[i] == NULL)
			target_fail("realloc");
	}
	for (size_t i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	thread.arena = target_my_arena();
	truth_tell(&thread, 1, 0);
	truth_rest();
}
