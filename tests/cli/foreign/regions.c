// SPDX-License-Identifier: Apache-2.0
/*
 * regions COUNT: a static program behind whose own memory lie COUNT mappings of 8 MiB,
 * side by side and never touched; they differ in their rights, and so stay apart.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP ((uint64_t)8 << 20)

extern char end[];

static uint64_t page_above(uint64_t address)
{
	return (address + 4095) & ~(uint64_t)4095;
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	uint64_t at = page_above((uint64_t)(uintptr_t)end);
	uint64_t brk = page_above((uint64_t)(uintptr_t)sbrk(0));

	munmap((void *)(uintptr_t)at, brk - at);
	for (uint64_t i = 0; i < count; i++) {
		int rights = PROT_READ | PROT_WRITE | (i % 2 == 0 ? PROT_EXEC : 0);

		if (mmap((void *)(uintptr_t)(at + i * STEP), STEP, rights,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED_NOREPLACE,
			 -1, 0) == MAP_FAILED)
			return 1;
	}
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}
