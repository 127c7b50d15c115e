/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "arenainspect.h"

#undef fail /* an old name of Check's, and base/error.h's */

/*
 * A test is `TEST(what_must_be_said)` with its body; a program ends in UNIT_MAIN,
 * which names them all.  One that is not named there is a compiler's warning.
 */
#define TEST(name) START_TEST(name)

#define UNIT_MAIN(module, ...)                                                  \
	int main(void)                                                          \
	{                                                                       \
		const TTest *const tests[] = { __VA_ARGS__ };                   \
                                                                                \
		return unit_run(module, tests, sizeof(tests) / sizeof(*tests)); \
	}

/* Runs every test in a process of its own; the exit status. */
int unit_run(const char *module, const TTest *const *tests, size_t count);

/*
 * A condition that must hold.  Check's own assertions write to a file each time,
 * which is too slow for what is asked a million times.
 */
#define must(condition)                                 \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

/* A call that must succeed, or must fail with a code. */
#define ck_works(call, err)                                            \
	do {                                                           \
		if (!(call))                                           \
			ck_abort_msg("%s: %s", #call, (err)->message); \
	} while (0)
#define ck_fails(call, err, expected)                                    \
	do {                                                             \
		if (call)                                                \
			ck_abort_msg("%s succeeds", #call);              \
		if ((err)->code != (expected))                           \
			ck_abort_msg("%s fails with code %d: %s", #call, \
				     (int)(err)->code, (err)->message);  \
		if ((err)->message[0] == '\0')                           \
			ck_abort_msg("%s fails without a word", #call);  \
	} while (0)

/* Numbers that look random and are the same in every run. */
uint64_t unit_random(uint64_t *seed);

/*
 * Sets every member of the model, and two elements in every list: texts are the
 * member's key, numbers count up from 1.
 */
void unit_fill(struct ari_model *model);

#endif
