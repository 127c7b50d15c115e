/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * A parser that takes bytes of anyone's: one file each, with these two functions.
 * libFuzzer calls the first with what it makes up, and the runner of this folder with
 * what it makes of the second's inputs; what must not be aborts.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* The n-th good input, for free(); its length in *ret.  NULL: there are no more. */
uint8_t *fuzz_seed(uint64_t n, size_t *ret);

/* Checks what holds for every input. */
#define FUZZ_MUST(condition)      \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
