// SPDX-License-Identifier: Apache-2.0
/* libc's thread-local variables: each thread's arena and cache. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "layout/symbols.h"
#include "walk/arenas.h"
#include "walk/chunk.h"
#include "walk/dtv.h"

#define PANEL	     32 /* threads that are asked where the variables are */
#define BLOCK_MAX    ((uint64_t)256 << 10) /* bytes of one that are looked through */
#define NEAR_POINTER 2048		   /* where dtv is not to be had */
#define BESIDE	     256		   /* between the variables of malloc, at most */
#define MINORITY     8			   /* so many times fewer may be odd */
#define CACHE_SLACK  0x20 /* 2.43 aligns caches, some chunks are larger by that */

/* Some of the threads, and what one block of theirs holds. */
struct panel {
	size_t place[PANEL]; /* in walk->threads */
	size_t count;
	bool read[PANEL];
	uint64_t *words[PANEL];
	size_t length; /* words, of each */
};

/* Where a variable is: that distance from the thread pointer. */
struct slot {
	bool found;
	int64_t at;
	size_t votes;
};

struct tls {
	struct walk *walk;
	const struct set *arenas;
	const uint64_t *pointers;
	uint64_t bytes; /* of libc's block */
	struct panel panel;
	struct slot arena, tcache;
	bool may_have_caches; /* there is, or may be, one beside the arena's slot */
};

/* ---- the panel ---- */

/* Evenly from all that have a thread pointer, the first among them. */
static void choose_panel(struct tls *tls)
{
	size_t count = 0, at = 0;

	for (size_t i = 0; i < tls->walk->threads.count; i++)
		count += tls->pointers[i] != 0;
	for (size_t i = 0; i < tls->walk->threads.count; i++) {
		if (tls->pointers[i] == 0)
			continue;
		if (at++ * PANEL >= tls->panel.count * count && tls->panel.count < PANEL)
			tls->panel.place[tls->panel.count++] = i;
	}
}

static bool allocate_panel(struct panel *panel, uint64_t bytes, struct ari_error *err)
{
	panel->length = bytes / sizeof(uint64_t);
	for (size_t i = 0; i < panel->count; i++) {
		panel->words[i] = calloc(panel->length + 1, sizeof(uint64_t));
		if (panel->words[i] == NULL)
			return fail_memory(err);
	}
	return true;
}

static void free_panel(struct panel *panel)
{
	for (size_t i = 0; i < PANEL; i++)
		free(panel->words[i]);
}

/* What lies at that distance from each one's thread pointer. */
static bool read_panel(struct tls *tls, int64_t distance, struct ari_error *err)
{
	struct panel *panel = &tls->panel;

	for (size_t i = 0; i < panel->count; i++) {
		uint64_t at = tls->pointers[panel->place[i]] + (uint64_t)distance;

		if (!deadline_ok(tls->walk->deadline, err))
			return false;
		panel->read[i] = mem_read(tls->walk->mem, at, panel->words[i],
					  panel->length * sizeof(uint64_t), err);
		if (!panel->read[i] && !mem_is_fault(err))
			return false;
	}
	return true;
}

/* ---- blocks ---- */

/* Of the first of the panel who tells; static blocks are where they are in all. */
static bool find_blocks(struct tls *tls, struct blocks *ret, struct ari_error *err)
{
	for (size_t i = 0; i < tls->panel.count && ret->list.count == 0; i++)
		if (!dtv_blocks(tls->walk, tls->pointers[tls->panel.place[i]], ret, err))
			return false;
	return true;
}

/* ---- the arena's slot ---- */

/*
 * How many of the panel hold an arena there; 0 if too many hold something else.  An
 * arena may be newer than our list of them.
 */
static bool arena_votes(struct tls *tls, size_t word, size_t *ret, struct ari_error *err)
{
	size_t others = 0;

	*ret = 0;
	for (size_t i = 0; i < tls->panel.count; i++) {
		uint64_t value = tls->panel.read[i] ? tls->panel.words[i][word] : 0;
		bool is;

		if (value == 0)
			continue;
		if (set_find(tls->arenas, value, NULL)) {
			++*ret;
			continue;
		}
		/* So many decide: no more memory is read for what is none. */
		if (others * MINORITY > tls->panel.count)
			break;
		if (!arena_is(tls->walk, value, &is, err))
			return false;
		others += !is;
	}
	if (others * MINORITY > *ret)
		*ret = 0;
	return true;
}

/* Takes a word of the block that is read, at `distance`, if more vote for it. */
static bool consider_arena(struct tls *tls, int64_t distance, size_t word,
			   struct ari_error *err)
{
	size_t votes;

	if (!arena_votes(tls, word, &votes, err))
		return false;
	if (votes > tls->arena.votes)
		tls->arena = (struct slot){ true, distance + (int64_t)(word * 8), votes };
	return true;
}

static bool look_for_arena(struct tls *tls, int64_t distance, struct ari_error *err)
{
	if (!read_panel(tls, distance, err))
		return false;
	for (size_t word = 0; word < tls->panel.length; word++)
		if (!consider_arena(tls, distance, word, err))
			return false;
	return true;
}

/* from: of the block's bytes, where the panel begins to read. */
static bool find_arena(struct tls *tls, const struct blocks *blocks, uint64_t from,
		       struct ari_error *err)
{
	for (size_t i = 0; i < blocks->list.count; i++)
		if (!look_for_arena(tls, blocks->list.at[i] + (int64_t)from, err))
			return false;
	return true;
}

/* ---- caches ---- */

/* Nothing in it: what a thread without a cache points at (2.43). */
static bool is_dummy(struct walk *walk, uint64_t address)
{
	const struct map *map = maps_find(walk->mem->maps, address);
	uint32_t length = walk->layout->bytes[TCACHE];
	uint8_t bytes[LAYOUT_STRUCT_MAX];

	if (!walk->layout->traits[TRAIT_TCACHE_DUMMY] || map == NULL ||
	    (map->flags & MAP_WRITE) || length > sizeof(bytes) ||
	    !mem_read(walk->mem, address, bytes, length, NULL))
		return false;
	for (uint32_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

enum cache { CACHE_NONE, CACHE_IS, CACHE_ODD, CACHE_UNREAD };

/* By the size of the chunk that it is in. */
static bool judge_cache(struct walk *walk, uint64_t value, enum cache *ret,
			struct ari_error *err)
{
	const struct layout *layout = walk->layout;
	uint64_t least = (layout->bytes[TCACHE] + UINT64_C(8) + 15) & ~UINT64_C(15), size;

	*ret = CACHE_NONE;
	if (value == 0 || is_dummy(walk, value))
		return true;
	*ret = CACHE_ODD;
	if (value % CHUNK_ALIGN != 0 ||
	    !maps_covers(walk->mem->maps, value - 16, least, MAP_READ | MAP_WRITE))
		return true;
	if (!mem_read_word(walk->mem, value - 8, &size, err)) {
		*ret = CACHE_UNREAD;
		return mem_is_fault(err);
	}
	size &= ~(uint64_t)CHUNK_FLAGS;
	if (size >= least && size <= least + CACHE_SLACK)
		*ret = CACHE_IS;
	return true;
}

struct cache_vote {
	size_t caches, odd;
	bool is_odd[PANEL];
	bool dummies; /* some point at it */
	bool nulls;
};

/* Each thread has its own. */
static bool is_repeated(const struct panel *panel, size_t index, size_t word)
{
	for (size_t i = 0; i < index; i++)
		if (panel->read[i] && panel->words[i][word] == panel->words[index][word])
			return true;
	return false;
}

static bool vote_cache(struct tls *tls, size_t word, struct cache_vote *ret,
		       struct ari_error *err)
{
	const struct panel *panel = &tls->panel;

	*ret = (struct cache_vote){ 0 };
	for (size_t i = 0; i < panel->count; i++) {
		enum cache cache;

		if (!panel->read[i])
			continue;
		if (!judge_cache(tls->walk, panel->words[i][word], &cache, err))
			return false;
		ret->dummies |= cache == CACHE_NONE && panel->words[i][word] != 0;
		ret->nulls |= panel->words[i][word] == 0;
		ret->is_odd[i] = cache == CACHE_ODD ||
				 (cache == CACHE_IS && is_repeated(panel, i, word));
		ret->odd += ret->is_odd[i];
		ret->caches += cache == CACHE_IS;
		tls->may_have_caches |= cache == CACHE_IS || cache == CACHE_UNREAD;
	}
	return true;
}

/* The cache of a thread that ends is freed: its word then has changed, too. */
static bool forgive_changed(struct tls *tls, int64_t distance, size_t word,
			    struct cache_vote *vote, struct ari_error *err)
{
	const struct panel *panel = &tls->panel;

	for (size_t i = 0; i < panel->count; i++) {
		uint64_t at = tls->pointers[panel->place[i]] + (uint64_t)distance, now;
		bool changed;

		if (!vote->is_odd[i])
			continue;
		changed = !mem_read_word(tls->walk->mem, at + word * 8, &now, err);
		if (changed && !mem_is_fault(err))
			return false;
		vote->odd -= changed || now != panel->words[i][word];
	}
	return true;
}

/* A word that all of whom point at nothing or the dummy is one, too, if any does. */
static bool consider_cache(struct tls *tls, int64_t distance, size_t word, bool is_beside,
			   struct ari_error *err)
{
	struct cache_vote vote;
	size_t votes;

	if (!vote_cache(tls, word, &vote, err) ||
	    (vote.caches > 0 && !forgive_changed(tls, distance, word, &vote, err)))
		return false;
	if (!is_beside && (vote.odd > 0 || vote.nulls))
		return true;
	votes = 2 * vote.caches + vote.dummies;
	if (vote.odd * MINORITY <= vote.caches && votes > tls->tcache.votes)
		tls->tcache =
			(struct slot){ true, distance + (int64_t)(word * 8), votes };
	return true;
}

/*
 * In the block of the arena's slot: beside it, or where each thread has a cache or points
 * at the dummy, anywhere.  That one has its place among the variables that start with a
 * value, which in a static program are the program's, too.
 */
static bool look_for_cache(struct tls *tls, int64_t distance, struct ari_error *err)
{
	bool anywhere = tls->walk->layout->traits[TRAIT_TCACHE_DUMMY];

	if (!read_panel(tls, distance, err))
		return false;
	for (size_t word = 0; word < tls->panel.length; word++) {
		int64_t away = distance + (int64_t)(word * 8) - tls->arena.at;
		bool is_beside = llabs(away) <= BESIDE;

		if (away != 0 && (is_beside || anywhere) &&
		    !consider_cache(tls, distance, word, is_beside, err))
			return false;
	}
	return true;
}

static bool find_cache(struct tls *tls, const struct blocks *blocks,
		       struct ari_error *err)
{
	const struct tls_place *places = tls->walk->symbols->tls;

	if (places[TLS_TCACHE].found && places[TLS_THREAD_ARENA].found) {
		tls->tcache = (struct slot){
			.found = true,
			.at = tls->arena.at + (int64_t)(places[TLS_TCACHE].offset -
							places[TLS_THREAD_ARENA].offset),
		};
		return true;
	}
	for (size_t i = 0; i < blocks->list.count; i++) {
		int64_t from_block = tls->arena.at - blocks->list.at[i];

		if (from_block >= 0 && (size_t)from_block < tls->panel.length * 8 &&
		    !look_for_cache(tls, blocks->list.at[i], err))
			return false;
	}
	return true;
}

/* ---- all threads ---- */

static bool read_slot(struct tls *tls, size_t i, const struct slot *slot, uint64_t *ret,
		      struct ari_error *err)
{
	*ret = ARI_UNKNOWN;
	if (!slot->found || tls->pointers[i] == 0)
		return true;
	return mem_read_word(tls->walk->mem, tls->pointers[i] + (uint64_t)slot->at, ret,
			     err) ||
	       mem_is_fault(err);
}

static bool read_arena(struct tls *tls, size_t i, struct ari_error *err)
{
	struct thread_place *place = &tls->walk->threads.at[i];
	uint64_t value;
	bool is;

	if (!read_slot(tls, i, &tls->arena, &value, err))
		return false;
	if (value != 0 && value != ARI_UNKNOWN && !set_find(tls->arenas, value, NULL)) {
		if (!arena_is(tls->walk, value, &is, err))
			return false;
		if (!is)
			value = ARI_UNKNOWN;
	}
	place->arena = value;
	return true;
}

/* Without a slot: where no word of any thread can be a cache, there is none. */
static bool have_no_caches(const struct tls *tls)
{
	const struct panel *panel = &tls->panel;
	size_t count = 0, read = 0;

	for (size_t i = 0; i < tls->walk->threads.count; i++)
		count += tls->pointers[i] != 0;
	for (size_t i = 0; i < panel->count; i++)
		read += panel->read[i];
	return tls->walk->layout->bytes[TCACHE] == 0 ||
	       (tls->arena.found && !tls->tcache.found && !tls->may_have_caches &&
		read == count);
}

static bool read_cache(struct tls *tls, size_t i, struct ari_error *err)
{
	struct thread_place *place = &tls->walk->threads.at[i];
	enum cache cache = CACHE_ODD;
	uint64_t value;

	/* Again, for a thread that ended between the two looks. */
	for (int tries = 0; tries < 2 && cache == CACHE_ODD; tries++) {
		if (!read_slot(tls, i, &tls->tcache, &value, err))
			return false;
		if (value != ARI_UNKNOWN && !judge_cache(tls->walk, value, &cache, err))
			return false;
	}
	if (cache == CACHE_NONE)
		place->tcache = 0;
	else
		place->tcache = cache == CACHE_ODD ? ARI_UNKNOWN : value;
	return true;
}

static bool read_all(struct tls *tls, struct ari_error *err)
{
	bool no_caches = have_no_caches(tls);

	for (size_t i = 0; i < tls->walk->threads.count; i++) {
		if (!deadline_ok(tls->walk->deadline, err) || !read_arena(tls, i, err) ||
		    !read_cache(tls, i, err))
			return false;
		if (tls->pointers[i] != 0 && no_caches)
			tls->walk->threads.at[i].tcache = 0;
	}
	return true;
}

/* Where no dtv tells, below the pointer (variant II), or above it. */
static bool guess_block(struct tls *tls, struct blocks *blocks, struct ari_error *err)
{
	int64_t *slot = list_add(&blocks->list, err);

	if (slot == NULL)
		return false;
	*slot = tls->walk->layout->arch->tls_variant == 2 ? -NEAR_POINTER : 16;
	return true;
}

/* By the symbol, which may be another's of that name: then nothing is found. */
static bool find_by_symbol(struct tls *tls, const struct blocks *blocks,
			   struct ari_error *err)
{
	const struct tls_place *place = &tls->walk->symbols->tls[TLS_THREAD_ARENA];
	size_t length = tls->panel.length;
	bool done;

	if (!place->found || place->offset >= tls->bytes || place->offset % 8 != 0)
		return true;
	tls->panel.length = 1;
	done = find_arena(tls, blocks, place->offset, err);
	tls->panel.length = length;
	return done;
}

static bool find_slots(struct tls *tls, struct blocks *blocks, struct ari_error *err)
{
	if (!find_blocks(tls, blocks, err))
		return false;
	if (blocks->list.count == 0 || tls->bytes == 0) {
		tls->bytes = NEAR_POINTER;
		list_done(&blocks->list);
		if (!allocate_panel(&tls->panel, tls->bytes, err) ||
		    !guess_block(tls, blocks, err))
			return false;
	} else if (!allocate_panel(&tls->panel,
				   tls->bytes < BLOCK_MAX ? tls->bytes : BLOCK_MAX,
				   err) ||
		   !find_by_symbol(tls, blocks, err)) {
		return false;
	}
	if (!tls->arena.found && !find_arena(tls, blocks, 0, err))
		return false;
	return !tls->arena.found || tls->walk->layout->bytes[TCACHE] == 0 ||
	       find_cache(tls, blocks, err);
}

bool tls_read(struct walk *walk, const struct thread_clues *clues,
	      const struct set *arenas, uint64_t *pointers, struct ari_error *err)
{
	struct tls tls = { .walk = walk,
			   .arenas = arenas,
			   .pointers = pointers,
			   .bytes = clues->tls_bytes };
	struct blocks blocks = { 0 };
	bool done;

	if (!dtv_pointers(walk, pointers, err))
		return false;
	choose_panel(&tls);
	done = find_slots(&tls, &blocks, err) && read_all(&tls, err);
	free_panel(&tls.panel);
	list_done(&blocks.list);
	return done;
}
