/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_TCACHE_H
#define WALK_TCACHE_H

#include "walk/marks.h"
#include "walk/walk.h"

/*
 * What threads cache (tcache): chunks that are free to the application and look in use
 * to their neighbours.  They are marked for the walk of chunks, which counts them in the
 * arena that they lie in, whosever cache it is.
 *
 * Threads change their caches without a lock: what is read may be older than the heap,
 * and a mark is believed only where the walk meets a chunk in use of its size.
 *
 * Source: tcache_put(), tcache_get() and tcache_init() in malloc/malloc.c of the releases
 * 2.26 to 2.43.
 */
struct tcaches {
	/* Something can be said: there are none, or some thread's is known. */
	bool known;
	struct marks marks; /* MARK_TCACHE; index: the thread's row in the model */
	size_t partial;	    /* threads whose cache was not read, or not as a whole */
};

/*
 * The caches of walk->threads.  Sets the threads' tcache in the model to nothing where
 * it was read, and notes which were not.  After walk_threads(); ret for tcaches_done().
 */
bool walk_tcaches(struct walk *walk, struct tcaches *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void tcaches_done(struct tcaches *tcaches);

/*
 * Reads the caches of the threads that the arena concerns anew, for one that moves: those
 * attached to it, and those that held a chunk of its heaps.  Before the arena's state is
 * read, so that this lies between nothing that must fit together.  *ret, zeroed, for
 * marks_done(); it stays empty where nothing is known of caches.
 */
bool tcaches_read_anew(const struct walk *walk, const struct ari_arena *arena,
		       struct marks *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Adds to marks what lies in the arena's heaps of walk->tcaches, or of what was read
 * anew (NULL: nothing was).
 */
bool tcaches_mark(const struct walk *walk, const struct ari_arena *arena,
		  const struct marks *anew, struct marks *marks, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Counts what was met of the marks for the threads.  Where an arena's numbers are not
 * known, what its chunks' threads cache is not either.
 */
void tcaches_count(struct ari_model *model, const struct marks *marks, bool known);

/* The walk ended early: no thread's count is whole. */
void tcaches_forget(struct ari_model *model);

static inline bool tcaches_known(const struct tcaches *tcaches)
{
	return tcaches != NULL && tcaches->known;
}

#endif
