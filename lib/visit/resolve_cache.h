/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_RESOLVE_CACHE_H
#define VISIT_RESOLVE_CACHE_H

#include "base/clock.h"
#include "layout/image.h"
#include "layout/layout.h"
#include "layout/symbols.h"

/*
 * Where main_arena and mp_ are in a file and which layout they have, found in one
 * process for others that run on the same file.  The same is the very same: device,
 * inode, size and time of change, and its build-id.  A build-id alone would be the
 * word of whoever made the file, a container's owner perhaps.
 *
 * What is found here still has to prove itself in the process it is used for.
 * All functions may be called from several threads.
 */
struct resolve_cache;

struct resolved {
	struct symbols symbols; /* addresses of the file: without the image's bias */
	struct layout layout;
	char *debug_file; /* or NULL */
};

struct resolve_cache *resolve_cache_new(struct ari_error *err)
	__attribute__((warn_unused_result));
void resolve_cache_free(struct resolve_cache *cache);

/*
 * True: *ret is what another process had, its symbols as addresses of this image;
 * for resolved_done().  False: the caller is to find it himself, and then to call
 * resolve_cache_settle(), whatever came of it.
 *
 * While another thread is finding it for the same file this waits, up to the
 * deadline or RESOLVE_WAIT_NS: who finds it may hang.
 */
bool resolve_cache_find(struct resolve_cache *cache, const struct image *image,
			struct deadline deadline, struct resolved *ret)
	__attribute__((warn_unused_result));

#define RESOLVE_WAIT_NS NS_PER_SECOND

/* found: in this image, copied; NULL when nothing was, or nothing for others. */
void resolve_cache_settle(struct resolve_cache *cache, const struct image *image,
			  const struct resolved *found);

void resolved_done(struct resolved *resolved);

#endif
