/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_SINK_H
#define OUT_SINK_H

#include <stdio.h>

#include "arenainspect.h"

/*
 * Where the output goes: standard output, or a file that is there whole or not at
 * all (a temporary file beside it, synced and renamed when all went well).  A name
 * that ends in .zst has it packed on the way.
 */
struct sink {
	FILE *out;	   /* write to this */
	bool private_file; /* 0600, else 0644; the caller may set it until the end */
	FILE *packed;	   /* the file behind `out`, where that packs; or NULL */
	const char *name;  /* for messages; borrowed */
	char *path;	   /* what the name stands for, or NULL: standard output */
	char *temporary;
};

/* path: NULL for standard output.  Errors: ARI_IO, ARI_NO_MEMORY. */
bool sink_open(struct sink *ret, const char *path, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The same for a file, which is what is written to it, however it is called. */
bool sink_open_plain(struct sink *ret, const char *path, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Ends the output and finds out whether all of it arrived; ARI_IO if not. */
bool sink_finish(struct sink *sink, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Ends it without making a file; after sink_finish() it does nothing. */
void sink_drop(struct sink *sink);

#endif
