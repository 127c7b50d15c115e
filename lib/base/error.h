/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#include "arenainspect.h"

/*
 * Fills *err and returns false, so that a failing function reads
 * `return fail(err, ARI_GONE, "process %d ended", pid);`.  The message is cut
 * at the size of the buffer.  err may be NULL: then the cause is dropped.
 */
bool fail(struct ari_error *err, enum ari_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, for a fault at an address of the target. */
bool fail_at(struct ari_error *err, enum ari_code code, uint64_t address,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* fail() with ARI_NO_MEMORY: an allocation of ours failed. */
bool fail_memory(struct ari_error *err);

#endif
