// SPDX-License-Identifier: Apache-2.0
#include "model/model.h"
#include "unit.h"
#include "walk/ledger.h"

/* An arena in a model of its own, filled from a tally. */
static struct ari_arena *fill_as(struct ari_model **model, const struct tally *tally,
				 bool knows_caches)
{
	struct ari_error err;
	struct ari_arena *arena;

	*model = model_new(&err);
	must(*model != NULL);
	arena = model_add_arena(*model, &err);
	must(arena != NULL);
	ck_works(ledger_fill(arena, tally, knows_caches, &err), &err);
	return arena;
}

static struct ari_arena *fill(struct ari_model **model, const struct tally *tally)
{
	return fill_as(model, tally, true);
}

static struct tally some_of_all(void)
{
	struct tally tally = {
		.top = 5000, .overhead = 64, .unread = 4096, .unwalked = 32
	};

	tally.small[TALLY_FREE][2] = 3;
	tally.small[TALLY_FREE][63] = 1;
	tally.small[TALLY_IN_USE][2] = 10;
	tally.large[TALLY_FREE][0] = (struct tally_sizes){ 2, 2112, 1040, 1072 };
	tally.large[TALLY_IN_USE][62] = (struct tally_sizes){ 1, 600000, 600000, 600000 };
	tally.fast[0] = (struct tally_sizes){ 4, 128, 32, 32 };
	tally.unsorted[5] = (struct tally_sizes){ 1, 80, 80, 80 };
	tally.unsorted[64] = (struct tally_sizes){ 1, 1056, 1056, 1056 };
	tally.tcache[2] = (struct tally_sizes){ 5, 160, 32, 32 };
	tally.tcache[7] = (struct tally_sizes){ 1, 112, 112, 112 };
	return tally;
}

static void expect_chunks(const struct ari_chunks *chunks, uint64_t count, uint64_t bytes)
{
	ck_assert_uint_eq(chunks->chunks, count);
	ck_assert_uint_eq(chunks->bytes, bytes);
}

TEST(books_have_every_byte_of_the_tally)
{
	struct tally tally = some_of_all();
	struct ari_model *model;
	const struct ari_arena *arena = fill(&model, &tally);

	expect_chunks(&arena->fast, 4, 128);
	expect_chunks(&arena->unsorted, 2, 1136);
	expect_chunks(&arena->small, 4, 96 + 1008);
	expect_chunks(&arena->large, 2, 2112);
	ck_assert_uint_eq(arena->free_bytes, 1136 + 96 + 1008 + 2112);
	ck_assert_uint_eq(arena->in_use_bytes, 320 + 600000);
	expect_chunks(&arena->tcache, 6, 160 + 112);
	ck_assert_uint_eq(arena->top.bytes, 5000);
	ck_assert_uint_eq(arena->overhead_bytes + arena->unread_bytes +
				  arena->unwalked_bytes,
			  64 + 4096 + 32);
	ck_assert_uint_eq(arena->in_use_bytes + arena->free_bytes + arena->fast.bytes +
				  arena->tcache.bytes + arena->top.bytes + 64 + 4096 + 32,
			  tally_bytes(&tally));
	ari_model_free(model);
}

static void expect_bin(const struct ari_bin *bin, enum ari_bin_kind kind, uint64_t index,
		       uint64_t from, uint64_t to, uint64_t chunks, uint64_t bytes)
{
	ck_assert_uint_eq(bin->kind, kind);
	ck_assert_uint_eq(bin->index, index);
	ck_assert_uint_eq(bin->from_bytes, from);
	ck_assert_uint_eq(bin->to_bytes, to);
	ck_assert_uint_eq(bin->chunks, chunks);
	ck_assert_uint_eq(bin->bytes, bytes);
}

TEST(bins_that_hold_something_are_listed_in_order)
{
	struct tally tally = some_of_all();
	struct ari_model *model;
	const struct ari_arena *arena = fill(&model, &tally);

	ck_assert(arena->bins.known);
	ck_assert_uint_eq(arena->bins.count, 5);
	expect_bin(&arena->bins.at[0], ARI_BIN_FAST, 0, 32, 32, 4, 128);
	expect_bin(&arena->bins.at[1], ARI_BIN_UNSORTED, 1, 80, 1056, 2, 1136);
	expect_bin(&arena->bins.at[2], ARI_BIN_SMALL, 2, 32, 32, 3, 96);
	expect_bin(&arena->bins.at[3], ARI_BIN_SMALL, 63, 1008, 1008, 1, 1008);
	expect_bin(&arena->bins.at[4], ARI_BIN_LARGE, 64, 1040, 1072, 2, 2112);
	ari_model_free(model);
}

static void expect_size(const struct ari_size *size, uint64_t from,
			uint64_t in_use_chunks, uint64_t in_use_bytes,
			uint64_t free_chunks, uint64_t free_bytes)
{
	ck_assert_uint_eq(size->from_bytes, from);
	ck_assert_uint_eq(size->in_use_chunks, in_use_chunks);
	ck_assert_uint_eq(size->in_use_bytes, in_use_bytes);
	ck_assert_uint_eq(size->free_chunks, free_chunks);
	ck_assert_uint_eq(size->free_bytes, free_bytes);
}

/* What may be handed out again is free, in whichever list it is. */
TEST(sizes_have_fast_and_unsorted_chunks_among_the_free)
{
	struct tally tally = some_of_all();
	struct ari_model *model;
	const struct ari_arena *arena = fill(&model, &tally);

	ck_assert_uint_eq(arena->sizes.count, 6);
	expect_size(&arena->sizes.at[0], 32, 10, 320, 7, 224);
	expect_size(&arena->sizes.at[1], 80, 0, 0, 1, 80);
	expect_size(&arena->sizes.at[2], 112, 0, 0, 0, 0);
	expect_size(&arena->sizes.at[3], 1008, 0, 0, 1, 1008);
	expect_size(&arena->sizes.at[4], 1024, 0, 0, 3, 3168);
	expect_size(&arena->sizes.at[5], 524288, 1, 600000, 0, 0);
	ck_assert_uint_eq(arena->sizes.at[5].to_bytes, ARI_UNKNOWN);
	ari_model_free(model);
}

TEST(sizes_have_cached_chunks_apart)
{
	struct tally tally = some_of_all();
	struct ari_model *model;
	const struct ari_arena *arena = fill(&model, &tally);

	ck_assert_uint_eq(arena->sizes.at[0].tcache_chunks, 5);
	ck_assert_uint_eq(arena->sizes.at[0].tcache_bytes, 160);
	ck_assert_uint_eq(arena->sizes.at[1].tcache_chunks, 0);
	ck_assert_uint_eq(arena->sizes.at[2].tcache_chunks, 1);
	ck_assert_uint_eq(arena->sizes.at[2].tcache_bytes, 112);
	ari_model_free(model);
}

TEST(caches_that_are_not_known_are_not_claimed_to_be_empty)
{
	struct tally tally = { 0 };
	struct ari_model *model;
	const struct ari_arena *arena;

	tally.small[TALLY_IN_USE][2] = 10;
	arena = fill_as(&model, &tally, false);
	ck_assert_uint_eq(arena->in_use_bytes, 320);
	expect_chunks(&arena->tcache, ARI_UNKNOWN, ARI_UNKNOWN);
	ck_assert_uint_eq(arena->sizes.count, 1);
	ck_assert_uint_eq(arena->sizes.at[0].tcache_chunks, ARI_UNKNOWN);
	ck_assert_uint_eq(arena->sizes.at[0].tcache_bytes, ARI_UNKNOWN);
	ari_model_free(model);
}

/* 10 chunks in use, 5 cached, of which 2 and 1 are on pages that are not resident. */
TEST(resident_bytes_of_caches_are_a_class_of_their_own)
{
	for (int known = 0; known < 2; known++) {
		struct tally tally = { .resident = { .holes_in_use = 64,
						     .holes_tcache = 32 } };
		struct ari_model *model;
		struct ari_arena *arena;

		tally.small[TALLY_IN_USE][2] = 10;
		tally.tcache[2] = (struct tally_sizes){ 5, 160, 32, 32 };
		arena = fill_as(&model, &tally, true);
		arena->resident.total_bytes = known == 1 ? 256 + 128 : 256 + 160;
		ledger_fill_resident(arena, &tally);
		ck_assert_uint_eq(arena->resident.tcache_bytes,
				  known == 1 ? 128 : ARI_UNKNOWN);
		ck_assert_uint_eq(arena->resident.in_use_bytes,
				  known == 1 ? 256 : ARI_UNKNOWN);
		ari_model_free(model);
	}
}

TEST(empty_arena_has_known_books_of_nothing)
{
	struct tally tally = { 0 };
	struct ari_model *model;
	const struct ari_arena *arena = fill(&model, &tally);

	ck_assert(arena->bins.known);
	ck_assert(arena->sizes.known);
	ck_assert_uint_eq(arena->bins.count + arena->sizes.count, 0);
	ck_assert_uint_eq(arena->in_use_bytes, 0);
	ck_assert_uint_eq(arena->free_bytes, 0);
	expect_chunks(&arena->fast, 0, 0);
	ari_model_free(model);
}

UNIT_MAIN("walk/ledger", books_have_every_byte_of_the_tally,
	  bins_that_hold_something_are_listed_in_order,
	  sizes_have_fast_and_unsorted_chunks_among_the_free,
	  sizes_have_cached_chunks_apart,
	  caches_that_are_not_known_are_not_claimed_to_be_empty,
	  resident_bytes_of_caches_are_a_class_of_their_own,
	  empty_arena_has_known_books_of_nothing)
