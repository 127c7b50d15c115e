/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_TCLISTS_H
#define WALK_TCLISTS_H

#include "walk/marks.h"
#include "walk/walk.h"

/*
 * The lists of threads' caches (walk/tcache.h), many of them followed side by side: one
 * call brings an entry of each.
 */
struct tclists;

struct tclists_cache {
	uint64_t address; /* its tcache_perthread_struct, as the thread says */
	unsigned int row; /* the thread's, for the marks */
	/* what comes out */
	bool read;  /* there is one */
	bool whole; /* and every list is as long as its counter says */
};

/* ret for tclists_close().  The layout must have caches. */
bool tclists_open(const struct walk *walk, struct tclists **ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void tclists_close(struct tclists *lists);

/* So many caches may be read at once; at least one. */
size_t tclists_room(const struct tclists *lists);

/*
 * Appends the chunks of the caches to marks, in no order; what changes meanwhile is
 * read again, a few times.  Over all calls no more than a million chunks are followed.
 */
bool tclists_read(struct tclists *lists, struct tclists_cache *caches, size_t count,
		  struct marks *marks, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
