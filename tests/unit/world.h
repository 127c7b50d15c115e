/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORLD_H
#define WORLD_H

#include "fake.h"
#include "layout/layout.h"
#include "walk/walk.h"

#define WORLD_ARENAS	 16
#define WORLD_HEAP_BYTES ((uint64_t)0x21000)
#define WORLD_BRK	 ((uint64_t)0x555555600000)

/* What was built, to hold the model against. */
struct world_arena {
	uint64_t address, top, top_bytes, system_mem;
	uint64_t heap[8]; /* oldest first */
	size_t heaps;
};

/*
 * A process with the malloc of one release of glibc, at rest: main_arena with its
 * piece of brk, mp_, the static variables, and arenas of threads with heaps.
 */
struct world {
	struct fake fake;
	struct layout layout;
	struct symbols symbols;
	struct walk walk;
	uint64_t span; /* of a heap; change it before arenas are added */
	uint64_t next_heap;
	struct world_arena arenas[WORLD_ARENAS]; /* in order of making, main first */
	size_t count;
};

/* The layout of a release, by members.def and the target's rules of C. */
void world_layout(struct layout *ret, unsigned int release);

/* Builds main_arena alone; release as LAYOUT_RELEASE(2, 36). */
void world_init(struct world *world, unsigned int release);
void world_init_pages(struct world *world, unsigned int release, uint64_t page_bytes);
void world_done(struct world *world);

/* A thread's arena with one thread attached, first in the ring after main. */
struct world_arena *world_add_arena(struct world *world, size_t heaps);

/* Two arenas behind main: ring order is main, arenas[2] (two heaps), arenas[1]. */
void world_init_three(struct world *world, unsigned int release);

/* A member of the struct at address, and a symbol's word. */
void world_set(struct world *world, uint64_t address, enum layout_member member,
	       uint64_t value);
uint64_t world_get(struct world *world, uint64_t address, enum layout_member member);

/* walk_settings(), walk_arenas() and walk_finish() into a new model. */
bool world_walk(struct world *world, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The arena in the model, or NULL. */
const struct ari_arena *world_find(const struct world *world, uint64_t address);

/* The arena was read at rest, and says what was built. */
void world_expect_right(const struct world *world, const struct world_arena *built);

/*
 * The one damage of the whole model has this word and address, and is the
 * arena's at `of`.
 */
void world_expect_damage(const struct world *world, uint64_t of, const char *word,
			 uint64_t address);
/* How many rows of damage have this word; NULL: all. */
size_t world_damages(const struct world *world, const char *word);

#endif
