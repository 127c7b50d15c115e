// SPDX-License-Identifier: Apache-2.0
/*
 * The runner where there is no libFuzzer: every seed as it is, cut at every length if it
 * is short, and spoiled in ROUNDS ways, the same in every run.  The input in hand is in
 * the file that --keep names, should it end the program.
 *
 *   NAME [--keep FILE] ROUNDS     runs
 *   NAME --corpus DIRECTORY       writes the seeds, for libFuzzer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "unit.h"

enum { SHORT = 1024, GROWTH = 64 };

static const char *keep;

static void put(const char *path, const uint8_t *bytes, size_t count)
{
	FILE *file = fopen(path, "w");

	FUZZ_MUST(file != NULL && fwrite(bytes, 1, count, file) == count);
	FUZZ_MUST(fclose(file) == 0);
}

static void try(const uint8_t *bytes, size_t count)
{
	/* A copy of its size: reading past the end is seen. */
	uint8_t *copy = malloc(count == 0 ? 1 : count);

	FUZZ_MUST(copy != NULL);
	memcpy(copy, bytes, count);
	if (keep != NULL)
		put(keep, bytes, count);
	LLVMFuzzerTestOneInput(copy, count);
	free(copy);
}

/* ---- ways of spoiling; each returns the new length, at most count + GROWTH ---- */

static size_t flip_bit(uint8_t *bytes, size_t count, uint64_t *random)
{
	bytes[unit_random(random) % count] ^= (uint8_t)(1u << unit_random(random) % 8);
	return count;
}

static size_t set_byte(uint8_t *bytes, size_t count, uint64_t *random)
{
	static const char odd[] = "\0\xff\x80{}[]\":,\\ \n-09eEnu.x";

	bytes[unit_random(random) % count] =
		(uint8_t)odd[unit_random(random) % (sizeof(odd) - 1)];
	return count;
}

static size_t cut(uint8_t *bytes, size_t count, uint64_t *random)
{
	(void)bytes;
	return 1 + unit_random(random) % count;
}

static size_t drop(uint8_t *bytes, size_t count, uint64_t *random)
{
	size_t at = unit_random(random) % count;
	size_t length = unit_random(random) % GROWTH;

	if (length >= count - at)
		return count;
	memmove(bytes + at, bytes + at + length, count - at - length);
	return count - length;
}

static size_t repeat(uint8_t *bytes, size_t count, uint64_t *random)
{
	size_t at = unit_random(random) % count;
	size_t length = unit_random(random) % GROWTH;

	if (length > count - at)
		length = count - at;
	memmove(bytes + at + length, bytes + at, count - at);
	return count + length;
}

/* Longer numbers and larger ones. */
static size_t widen(uint8_t *bytes, size_t count, uint64_t *random)
{
	size_t at = unit_random(random) % count;
	size_t length = unit_random(random) % 24;

	memmove(bytes + at + length, bytes + at, count - at);
	memset(bytes + at, "9f0-"[unit_random(random) % 4], length);
	return count + length;
}

static size_t spoil(uint8_t *bytes, size_t count, uint64_t *random)
{
	static size_t (*const ways[])(uint8_t *, size_t, uint64_t *) = {
		flip_bit, set_byte, cut, drop, repeat, widen,
	};

	return ways[unit_random(random) % (sizeof(ways) / sizeof(*ways))](bytes, count,
									  random);
}

/* ---- */

static void cut_everywhere(const uint8_t *seed, size_t count)
{
	for (size_t length = 0; length < count; length++)
		try(seed, length);
}

static void round_of(const uint8_t *seed, size_t count, uint64_t *random)
{
	uint64_t times = 1 + unit_random(random) % 4;
	uint8_t *bytes = malloc(count + times * GROWTH);
	size_t length = count;

	FUZZ_MUST(bytes != NULL);
	memcpy(bytes, seed, count);
	for (uint64_t i = 0; i < times; i++)
		length = spoil(bytes, length, random);
	try(bytes, length);
	free(bytes);
}

static void run_seed(uint64_t n, const uint8_t *seed, size_t count, long rounds)
{
	uint64_t random = n;

	try(seed, count);
	if (count <= SHORT)
		cut_everywhere(seed, count);
	for (long i = 0; i < rounds; i++)
		round_of(seed, count, &random);
}

static void write_seed(const char *directory, uint64_t n, const uint8_t *seed,
		       size_t count)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/seed%d", directory, (int)n);
	put(path, seed, count);
}

static int usage(const char *name)
{
	fprintf(stderr, "usage: %s [--keep FILE] ROUNDS | --corpus DIRECTORY\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	const char *corpus = NULL, *last = argv[argc - 1];
	uint64_t n = 0;
	uint8_t *seed;
	size_t count;

	if (argc == 3 && strcmp(argv[1], "--corpus") == 0)
		corpus = last;
	else if (argc == 4 && strcmp(argv[1], "--keep") == 0)
		keep = argv[2];
	else if (argc != 2 || strtol(last, NULL, 10) <= 0)
		return usage(argv[0]);
	for (; (seed = fuzz_seed(n, &count)) != NULL; n++) {
		if (corpus != NULL)
			write_seed(corpus, n, seed, count);
		else
			run_seed(n, seed, count, strtol(last, NULL, 10));
		free(seed);
	}
	return 0;
}
