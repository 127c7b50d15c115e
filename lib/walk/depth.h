/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_DEPTH_H
#define WALK_DEPTH_H

#include <pthread.h>

#include "mem/peek.h"
#include "walk/arenas.h"
#include "walk/chunks.h"

/*
 * Every chunk of every arena.  Workers take arenas, and heaps of arenas that
 * have more than one (crew.c); what is done with an arena is in depth.c, and what
 * becomes of its numbers in settle.c.
 */

/* What one worker needs and uses again. */
struct worker {
	struct crew *crew;
	struct peek peek;
	/* Two heaps may be walked in turn. */
	struct reader readers[2];
	struct chunk_walk chunks[2];
};

/* One visit of one arena, shared by the workers that walk its heaps. */
struct arena_visit {
	struct walk *walk;
	struct ari_arena *arena;
	struct view state;
	struct arena_state before;
	struct trim_rules rules;
	bool mapped; /* all its heaps, by the mappings when this attempt began */
	struct marks marks;
	struct marks cached;	/* by threads, read anew for this attempt */
	uint64_t astray_before; /* marks.astray of the attempt before */
	struct marks anchors;	/* filled when a walk asks for it */
	bool has_anchors;
	struct peek anchors_peek;
	pthread_mutex_t lock; /* of what follows and of the anchors */
	struct tally tally;
	ARI_LIST(struct piece) pieces;
	ARI_LIST(struct chunk_damage) damage;
	bool torn;
	bool untold; /* residency of some pages */
	bool unseen; /* some may not be looked at: there are no numbers then */
	uint64_t top_resident;
};

/* Visits one arena, with all attempts that it takes. */
bool depth_visit_arena(struct worker *worker, struct ari_arena *arena,
		       struct ari_error *err) __attribute__((warn_unused_result));

/* Walks one heap, or two, of an arena that is being visited. */
bool depth_walk_heaps(struct worker *worker, struct arena_visit *visit,
		      const size_t *heaps, size_t count, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Once all heaps have been walked: the arena's numbers, state and damage (settle.c). */
bool depth_settle(struct worker *worker, struct arena_visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* What the reader counted of a heap's pages, where all of them are told (settle.c). */
void depth_take_counts(const struct reader *reader, struct ari_heap *heap);

/* Has all heaps of the arena walked, by this worker and idle ones. */
bool crew_walk_heaps(struct worker *worker, struct arena_visit *visit,
		     struct ari_error *err) __attribute__((warn_unused_result));

/*
 * Reads of headers go through what workers share: the mappings, which a retry
 * reads anew, and the file behind an absent page.
 */
void crew_lock(struct crew *crew);
void crew_unlock(struct crew *crew);
struct walk *crew_walk(struct crew *crew);

#endif
