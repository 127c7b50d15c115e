/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_ZSTD_H
#define OUT_ZSTD_H

#include <stdio.h>

#include "arenainspect.h"

/*
 * A stream whose text goes to `file` packed by zstd, as it comes.  Closing it writes the
 * rest, and fails (EOF, errno) if that failed; `file` stays open and its owner's.  NULL:
 * ARI_NO_MEMORY.
 */
FILE *zstd_stream(FILE *file, struct ari_error *err);

#endif
