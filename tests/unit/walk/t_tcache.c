// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "model/model.h"
#include "unit.h"
#include "walk/chunk.h"
#include "walk/tcache.h"
#include "world.h"

#define V225 LAYOUT_RELEASE(2, 25)
#define V226 LAYOUT_RELEASE(2, 26)
#define V231 LAYOUT_RELEASE(2, 31)
#define V236 LAYOUT_RELEASE(2, 36)
#define V242 LAYOUT_RELEASE(2, 42)
#define V243 LAYOUT_RELEASE(2, 43)

/* Places for chunks in main's memory, and for the caches themselves. */
#define CHUNK(n) (WORLD_BRK + 0x2000 + 0x400 * (uint64_t)(n))
#define CACHE(n) (WORLD_BRK + 0x10 + 0x400 * (uint64_t)(n))
#define SIZE_32	 0 /* the first class */
#define NOWHERE	 ((uint64_t)0x123456780)

struct caches {
	struct world world;
	struct tcaches tcaches;
	unsigned int looks; /* at CHUNK(0) */
};

static void walk_world(struct caches *caches)
{
	struct ari_error err;

	ck_works(world_walk(&caches->world, &err), &err);
}

static void begin(struct caches *caches, unsigned int release)
{
	memset(caches, 0, sizeof(*caches));
	world_init(&caches->world, release);
	walk_world(caches);
}

static void end(struct caches *caches)
{
	list_done(&caches->world.walk.threads);
	tcaches_done(&caches->tcaches);
	world_done(&caches->world);
}

/* A thread whose cache, empty, is at that address; its row. */
static size_t add_thread(struct caches *caches, uint64_t arena, uint64_t tcache)
{
	struct ari_error err;
	struct ari_model *model = caches->world.walk.model;
	struct thread_place *place = list_add(&caches->world.walk.threads, &err);
	struct ari_thread *thread = list_add(&model->threads, &err);

	must(place != NULL && thread != NULL);
	*place = (struct thread_place){ .arena = arena, .tcache = tcache };
	thread->tcache = (struct ari_chunks){ ARI_UNKNOWN, ARI_UNKNOWN };
	return model->threads.count - 1;
}

static void put(struct caches *caches, enum layout_member member, uint64_t cache,
		size_t index, uint64_t value)
{
	const struct layout_place *place = &caches->world.layout.members[member];

	must(place->size != 0 && index < place->count);
	memcpy(fake_at(&caches->world.fake, cache + place->offset + index * place->size,
		       place->size),
	       &value, place->size);
}

static bool counts_down(const struct caches *caches)
{
	return caches->world.layout.members[TC_NUM_SLOTS].size != 0;
}

static void set_count(struct caches *caches, uint64_t cache, size_t index, uint64_t count)
{
	if (counts_down(caches))
		put(caches, TC_NUM_SLOTS, cache, index, 7 - count);
	else
		put(caches, TC_COUNTS, cache, index, count);
}

/* The struct in a chunk of its own, with room for `slots` in each list. */
static void make_cache(struct caches *caches, uint64_t cache)
{
	const struct layout *layout = &caches->world.layout;

	fake_put(&caches->world.fake, cache - 8,
		 (layout->bytes[TCACHE] + 8 + 15) / 16 * 16 | 1);
	for (size_t i = 0; i < layout->members[TC_ENTRIES].count; i++)
		set_count(caches, cache, i, 0);
}

static uint64_t link_to(const struct caches *caches, uint64_t from, uint64_t to)
{
	uint64_t user = to == 0 ? 0 : to + 16;

	return caches->world.layout.traits[TRAIT_SAFE_LINKING] ? (from + 16) >> 12 ^ user
							       : user;
}

static void put_chunk(struct caches *caches, uint64_t at, uint64_t size, uint64_t next)
{
	fake_put(&caches->world.fake, at + 8, size | 1);
	fake_put(&caches->world.fake, at + 16, link_to(caches, at, next));
}

static void set_list(struct caches *caches, uint64_t cache, size_t index, uint64_t count,
		     uint64_t first)
{
	set_count(caches, cache, index, count);
	put(caches, TC_ENTRIES, cache, index, first + 16);
}

static const struct tcaches *read_all(struct caches *caches)
{
	struct ari_error err;

	tcaches_done(&caches->tcaches);
	ck_works(walk_tcaches(&caches->world.walk, &caches->tcaches, &err), &err);
	caches->world.walk.tcaches = &caches->tcaches;
	return &caches->tcaches;
}

static void expect_mark(const struct marks *marks, size_t i, uint64_t address,
			uint64_t bytes, size_t row)
{
	ck_assert_uint_lt(i, marks->list.count);
	ck_assert_uint_eq(marks->list.at[i].address, address);
	ck_assert_uint_eq(marks->list.at[i].bytes, bytes);
	ck_assert_uint_eq(marks->list.at[i].list, MARK_TCACHE);
	ck_assert_uint_eq(marks->list.at[i].index, row);
}

/* So many chunks are marked; a list that was cut is said to be. */
static void expect_read(struct caches *caches, size_t count, bool whole)
{
	const struct tcaches *tcaches = read_all(caches);
	const struct ari_model *model = caches->world.walk.model;

	ck_assert_uint_eq(tcaches->marks.list.count, count);
	ck_assert_uint_eq(tcaches->partial, whole ? 0 : 1);
	ck_assert_uint_eq(model->quality.notes.count, whole ? 0 : 1);
}

static const struct ari_chunks *thread_tcache(const struct caches *caches, size_t row)
{
	return &caches->world.walk.model->threads.at[row].tcache;
}

/* ---- the layouts ---- */

TEST(lists_are_followed_in_every_layout)
{
	static const unsigned int releases[] = { V226, V231, V236, V242, V243 };

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
		struct caches caches;

		begin(&caches, releases[i]);
		make_cache(&caches, CACHE(0));
		add_thread(&caches, 0, CACHE(0));
		put_chunk(&caches, CHUNK(2), 32, CHUNK(0));
		put_chunk(&caches, CHUNK(0), 32, CHUNK(1));
		put_chunk(&caches, CHUNK(1), 32, 0);
		set_list(&caches, CACHE(0), SIZE_32, 3, CHUNK(2));
		put_chunk(&caches, CHUNK(3), 1040, 0);
		set_list(&caches, CACHE(0), 63, 1, CHUNK(3));
		expect_read(&caches, 4, true);
		ck_assert(caches.tcaches.known);
		for (size_t n = 0; n < 3; n++)
			expect_mark(&caches.tcaches.marks, n, CHUNK(n), 32, 0);
		expect_mark(&caches.tcaches.marks, 3, CHUNK(3), 1040, 0);
		ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks,
				  0); /* none met yet */
		end(&caches);
	}
}

/* A look at the page tables costs more than a chunk: one does for all that are near. */
TEST(pages_of_cached_chunks_are_looked_up_together)
{
	struct caches caches;
	unsigned int before;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	for (unsigned int i = 0; i < 7; i++)
		put_chunk(&caches, CHUNK(8 * i), 32, i == 6 ? 0 : CHUNK(8 * (i + 1)));
	set_list(&caches, CACHE(0), SIZE_32, 7, CHUNK(0));
	before = caches.world.fake.lookups;
	expect_read(&caches, 7, true);
	/* One for the cache itself, and one or two for the block of its chunks. */
	ck_assert_uint_le(caches.world.fake.lookups - before, 3);
	end(&caches);
}

/* Of 2.42; a list has every size of its power of two. */
TEST(large_lists_hold_the_sizes_of_their_class)
{
	static const struct {
		size_t index;
		uint64_t bytes;
		bool fits;
	} cases[] = {
		{ 64, 1056, true },
		{ 64, 2032, true },
		{ 64, 1040, false },
		{ 64, 2048, false },
		{ 65, 2048, true },
		{ 65, 4080, true },
		{ 65, 4096, false },
		{ 75, 2 << 20, true },
		{ 75, (4 << 20) - 16, true },
		{ 75, 4 << 20, false },
		{ 70, (64 << 10) + 8, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct caches caches;

		begin(&caches, V242);
		make_cache(&caches, CACHE(0));
		add_thread(&caches, 0, CACHE(0));
		put_chunk(&caches, CHUNK(0), cases[i].bytes, 0);
		set_list(&caches, CACHE(0), cases[i].index, 1, CHUNK(0));
		expect_read(&caches, cases[i].fits ? 1 : 0, cases[i].fits);
		end(&caches);
	}
}

/* Since 2.42 free() asks for the size before it asks for the mapping. */
TEST(mmapped_chunk_in_a_cache_is_in_no_arena)
{
	struct caches caches;

	begin(&caches, V242);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	put_chunk(&caches, CHUNK(0), 0x40000 | CHUNK_MMAPPED, CHUNK(1));
	put_chunk(&caches, CHUNK(1), 0x40000, 0);
	set_list(&caches, CACHE(0), 72, 2, CHUNK(0));
	expect_read(&caches, 1, true);
	expect_mark(&caches.tcaches.marks, 0, CHUNK(1), 0x40000, 0);
	end(&caches);
}

TEST(release_without_caches_has_none_and_says_so)
{
	struct caches caches;

	begin(&caches, V225);
	add_thread(&caches, 0, ARI_UNKNOWN);
	expect_read(&caches, 0, true);
	ck_assert(caches.tcaches.known);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, 0);
	end(&caches);
}

TEST(caches_that_are_turned_off_hold_nothing)
{
	struct caches caches;

	begin(&caches, V236);
	world_set(&caches.world, caches.world.symbols.address[SYM_MP], MP_TCACHE_COUNT,
		  0);
	walk_world(&caches);
	add_thread(&caches, 0, ARI_UNKNOWN);
	expect_read(&caches, 0, true);
	ck_assert(caches.tcaches.known);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->bytes, 0);
	end(&caches);
}

TEST(malloc_that_was_not_called_yet_has_cached_nothing)
{
	struct caches caches;

	begin(&caches, V236);
	add_thread(&caches, 0, ARI_UNKNOWN);
	caches.world.walk.model->arenas.at[0].system_bytes = 0;
	expect_read(&caches, 0, true);
	ck_assert(caches.tcaches.known);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, 0);
	end(&caches);
}

/* ---- what is not known ---- */

TEST(thread_without_a_cache_has_an_empty_one)
{
	struct caches caches;

	begin(&caches, V243);
	add_thread(&caches, 0, 0);
	expect_read(&caches, 0, true);
	ck_assert(caches.tcaches.known);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, 0);
	end(&caches);
}

TEST(without_threads_nothing_is_known)
{
	struct caches caches;

	begin(&caches, V236);
	expect_read(&caches, 0, true);
	ck_assert(!caches.tcaches.known);
	end(&caches);
}

TEST(caches_that_cannot_be_found_are_unknown_and_noted)
{
	struct caches caches;

	begin(&caches, V236);
	add_thread(&caches, 0, ARI_UNKNOWN);
	expect_read(&caches, 0, false);
	ck_assert(!caches.tcaches.known);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, ARI_UNKNOWN);
	end(&caches);
}

/* Of the other, which is not glibc's, nothing follows. */
TEST(thread_without_malloc_leaves_caches_that_cannot_be_found_unknown)
{
	struct caches caches;

	begin(&caches, V236);
	add_thread(&caches, caches.world.arenas[0].address, ARI_UNKNOWN);
	add_thread(&caches, 0, 0);
	expect_read(&caches, 0, false);
	ck_assert(!caches.tcaches.known);
	end(&caches);
}

TEST(threads_that_are_all_not_of_glibc_have_no_caches)
{
	struct caches caches;

	begin(&caches, V236);
	add_thread(&caches, 0, 0);
	expect_read(&caches, 0, true);
	ck_assert(caches.tcaches.known);
	end(&caches);
}

TEST(one_cache_that_cannot_be_found_leaves_the_others_known)
{
	struct caches caches;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, ARI_UNKNOWN);
	add_thread(&caches, 0, CACHE(0));
	put_chunk(&caches, CHUNK(0), 32, 0);
	set_list(&caches, CACHE(0), SIZE_32, 1, CHUNK(0));
	expect_read(&caches, 1, false);
	expect_mark(&caches.tcaches.marks, 0, CHUNK(0), 32, 1);
	ck_assert(caches.tcaches.known);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, ARI_UNKNOWN);
	ck_assert_uint_eq(thread_tcache(&caches, 1)->chunks, 0);
	end(&caches);
}

/* ---- hostile bytes ---- */

TEST(address_that_is_no_cache_is_not_read)
{
	static const uint64_t places[] = { CACHE(0) + 8, NOWHERE, (uint64_t)1 << 60,
					   UINT64_MAX - 15, CACHE(1) };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct caches caches;

		begin(&caches, V236);
		make_cache(&caches, CACHE(0));
		fake_put(&caches.world.fake, CACHE(1) - 8, 0x40 | 1); /* too small */
		add_thread(&caches, 0, places[i]);
		expect_read(&caches, 0, false);
		ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, ARI_UNKNOWN);
		end(&caches);
	}
}

TEST(wild_pointers_end_a_list_and_the_others_go_on)
{
	static const uint64_t places[] = {
		NOWHERE, CHUNK(1) + 8,	 (uint64_t)1 << 60, (uint64_t)5 << 56 | CHUNK(1),
		8,	 UINT64_MAX - 31
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct caches caches;

		begin(&caches, V236);
		make_cache(&caches, CACHE(0));
		add_thread(&caches, 0, CACHE(0));
		put_chunk(&caches, CHUNK(0), 32, places[i]);
		set_list(&caches, CACHE(0), SIZE_32, 2, CHUNK(0));
		set_list(&caches, CACHE(0), 1, 2, places[i]);
		put_chunk(&caches, CHUNK(2), 64, 0);
		set_list(&caches, CACHE(0), 2, 1, CHUNK(2));
		expect_read(&caches, 2, false);
		expect_mark(&caches.tcaches.marks, 0, CHUNK(0), 32, 0);
		expect_mark(&caches.tcaches.marks, 1, CHUNK(2), 64, 0);
		end(&caches);
	}
}

TEST(plain_link_where_links_are_masked_ends_the_list)
{
	struct caches caches;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	put_chunk(&caches, CHUNK(0), 32, 0);
	fake_put(&caches.world.fake, CHUNK(0) + 16, CHUNK(1) + 16);
	put_chunk(&caches, CHUNK(1), 32, 0);
	set_list(&caches, CACHE(0), SIZE_32, 2, CHUNK(0));
	expect_read(&caches, 1, false);
	end(&caches);
}

TEST(list_that_loops_marks_each_chunk_once)
{
	struct caches caches;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	put_chunk(&caches, CHUNK(0), 32, CHUNK(1));
	put_chunk(&caches, CHUNK(1), 32, CHUNK(0));
	set_list(&caches, CACHE(0), SIZE_32, 7, CHUNK(0));
	expect_read(&caches, 2, false);
	end(&caches);
}

TEST(chunk_of_another_size_ends_a_list)
{
	struct caches caches;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	put_chunk(&caches, CHUNK(0), 48, CHUNK(1));
	put_chunk(&caches, CHUNK(1), 32, 0);
	set_list(&caches, CACHE(0), SIZE_32, 2, CHUNK(0));
	expect_read(&caches, 0, false);
	end(&caches);
}

/* Counted are, of a list of two: more, less, and what no list can hold. */
TEST(counters_that_lie_bound_what_is_followed)
{
	static const struct {
		uint64_t count;
		size_t followed;
	} cases[] = { { 3, 2 }, { 1, 1 }, { 0, 0 }, { 8, 0 }, { 200, 0 } };
	static const unsigned int releases[] = { V226, V236, V243 };

	for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(*cases); i++) {
		uint64_t count = cases[i / 3].count;
		struct caches caches;

		begin(&caches, releases[i % 3]);
		make_cache(&caches, CACHE(0));
		add_thread(&caches, 0, CACHE(0));
		put_chunk(&caches, CHUNK(0), 32, CHUNK(1));
		put_chunk(&caches, CHUNK(1), 32, 0);
		set_list(&caches, CACHE(0), SIZE_32, 0, CHUNK(0));
		if (counts_down(&caches))
			put(&caches, TC_NUM_SLOTS, CACHE(0), SIZE_32,
			    count <= 7 ? 7 - count : count);
		else
			put(&caches, TC_COUNTS, CACHE(0), SIZE_32, count);
		expect_read(&caches, cases[i / 3].followed, false);
		end(&caches);
	}
}

TEST(chunk_in_two_caches_is_marked_once)
{
	struct caches caches;

	begin(&caches, V236);
	for (size_t i = 0; i < 2; i++) {
		make_cache(&caches, CACHE(i));
		add_thread(&caches, 0, CACHE(i));
		set_list(&caches, CACHE(i), SIZE_32, 1, CHUNK(0));
	}
	put_chunk(&caches, CHUNK(0), 32, 0);
	expect_read(&caches, 1, true);
	expect_mark(&caches.tcaches.marks, 0, CHUNK(0), 32, 0);
	end(&caches);
}

/* world_done() sees that no such page was read. */
TEST(pages_that_are_not_present_are_not_read)
{
	static const enum page_state states[] = { PAGE_SWAPPED, PAGE_ABSENT };

	for (int i = 0; i < 2; i++) {
		struct caches caches;

		begin(&caches, V236);
		make_cache(&caches, CACHE(0));
		add_thread(&caches, 0, CACHE(0));
		put_chunk(&caches, CHUNK(0), 32, CHUNK(8));
		put_chunk(&caches, CHUNK(8), 32, 0);
		set_list(&caches, CACHE(0), SIZE_32, 2, CHUNK(0));
		fake_set_pages(&caches.world.fake, CHUNK(8), 1, states[i]);
		expect_read(&caches, 1, false);
		ck_assert(caches.tcaches.known);
		end(&caches);
	}
}

TEST(cache_on_a_page_in_swap_is_unknown)
{
	struct caches caches;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	fake_set_pages(&caches.world.fake, CACHE(0), 1, PAGE_SWAPPED);
	expect_read(&caches, 0, false);
	ck_assert(!caches.tcaches.known);
	end(&caches);
}

/* The second look finds the list at rest. */
static void come_to_rest(struct fake *fake, uint64_t address)
{
	struct caches *caches = fake->data;

	if (address == CHUNK(0) + 8 && ++caches->looks == 2)
		put_chunk(caches, CHUNK(0), 32, 0);
}

TEST(cache_that_changes_while_it_is_read_is_read_again)
{
	struct caches caches;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, CACHE(0));
	put_chunk(&caches, CHUNK(0), 48, 0);
	set_list(&caches, CACHE(0), SIZE_32, 1, CHUNK(0));
	caches.world.fake.data = &caches;
	caches.world.fake.before_copy = come_to_rest;
	expect_read(&caches, 1, true);
	end(&caches);
}

TEST(process_that_goes_away_is_an_error)
{
	struct caches caches;
	struct ari_error err;

	begin(&caches, V236);
	make_cache(&caches, CACHE(0));
	add_thread(&caches, 0, 0);
	add_thread(&caches, 0, CACHE(0));
	caches.world.fake.broken = ARI_GONE;
	ck_fails(walk_tcaches(&caches.world.walk, &caches.tcaches, &err), &err, ARI_GONE);
	/* Nobody's count is whole. */
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, ARI_UNKNOWN);
	end(&caches);
}

TEST(time_that_is_over_ends_the_walk)
{
	struct caches caches;
	struct ari_error err;

	begin(&caches, V236);
	add_thread(&caches, 0, 0);
	caches.world.walk.deadline.at_ns = 1;
	ck_fails(walk_tcaches(&caches.world.walk, &caches.tcaches, &err), &err,
		 ARI_TIMED_OUT);
	end(&caches);
}

/* ---- arenas ---- */

/* Three arenas; main's thread caches chunks of each, that of the second one of main. */
static void begin_three(struct caches *caches, uint64_t *ret_chunks)
{
	memset(caches, 0, sizeof(*caches));
	world_init_three(&caches->world, V236);
	walk_world(caches);
	make_cache(caches, CACHE(0));
	make_cache(caches, CACHE(1));
	add_thread(caches, caches->world.arenas[0].address, CACHE(0));
	add_thread(caches, caches->world.arenas[1].address, CACHE(1));
	ret_chunks[0] = CHUNK(0);
	ret_chunks[1] = caches->world.arenas[1].heap[0] + 0x1000;
	ret_chunks[2] = caches->world.arenas[2].heap[0] + 0x1000;
	ret_chunks[3] = caches->world.arenas[2].heap[1] + 0x1000;
	for (size_t i = 0; i < 4; i++)
		put_chunk(caches, ret_chunks[i], 32, i < 3 ? ret_chunks[i + 1] : 0);
	set_list(caches, CACHE(0), SIZE_32, 4, ret_chunks[0]);
	put_chunk(caches, CHUNK(1), 48, 0);
	set_list(caches, CACHE(1), 1, 1, CHUNK(1));
}

static void mark_arena(struct caches *caches, size_t built, bool again, struct marks *ret)
{
	struct world *world = &caches->world;
	const struct ari_arena *arena = world_find(world, world->arenas[built].address);
	struct marks anew = { 0 };
	struct ari_error err;

	marks_done(ret);
	if (again)
		ck_works(tcaches_read_anew(&world->walk, arena, &anew, &err), &err);
	ck_works(tcaches_mark(&world->walk, arena, again ? &anew : NULL, ret, &err),
		 &err);
	marks_done(&anew);
}

TEST(chunks_are_marked_in_the_arena_that_they_lie_in)
{
	for (int again = 0; again < 2; again++) {
		struct caches caches;
		struct marks marks = { 0 };
		uint64_t at[4];

		begin_three(&caches, at);
		ck_assert_uint_eq(read_all(&caches)->marks.list.count, 5);
		mark_arena(&caches, 0, again == 1, &marks);
		ck_assert_uint_eq(marks.list.count, 2);
		expect_mark(&marks, 0, at[0], 32, 0);
		expect_mark(&marks, 1, CHUNK(1), 48, 1);
		mark_arena(&caches, 1, again == 1, &marks);
		ck_assert_uint_eq(marks.list.count, 1);
		expect_mark(&marks, 0, at[1], 32, 0);
		mark_arena(&caches, 2, again == 1, &marks);
		ck_assert_uint_eq(marks.list.count, 2);
		expect_mark(&marks, 0, at[2], 32, 0);
		expect_mark(&marks, 1, at[3], 32, 0);
		marks_done(&marks);
		end(&caches);
	}
}

TEST(caches_are_read_anew_for_an_arena_that_moves)
{
	struct caches caches;
	struct marks marks = { 0 };
	uint64_t at[4];

	begin_three(&caches, at);
	read_all(&caches);
	set_list(&caches, CACHE(1), 1, 0, (uint64_t)-16); /* used up */
	put_chunk(&caches, CHUNK(2), 64, 0);		  /* and a new one */
	set_list(&caches, CACHE(1), 2, 1, CHUNK(2));
	mark_arena(&caches, 0, false, &marks);
	expect_mark(&marks, 1, CHUNK(1), 48, 1);
	mark_arena(&caches, 0, true, &marks);
	ck_assert_uint_eq(marks.list.count, 2);
	expect_mark(&marks, 0, at[0], 32, 0);
	expect_mark(&marks, 1, CHUNK(2), 64, 1);
	marks_done(&marks);
	end(&caches);
}

TEST(threads_have_what_was_met_of_their_caches)
{
	struct caches caches;
	struct marks marks = { 0 };
	uint64_t at[4];

	begin_three(&caches, at);
	read_all(&caches);
	mark_arena(&caches, 0, false, &marks);
	marks.list.at[0].met = true;
	tcaches_count(caches.world.walk.model, &marks, true);
	mark_arena(&caches, 2, false, &marks);
	marks.list.at[0].met = marks.list.at[1].met = true;
	tcaches_count(caches.world.walk.model, &marks, true);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, 3);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->bytes, 96);
	ck_assert_uint_eq(thread_tcache(&caches, 1)->chunks, 0);
	/* An arena without numbers: what else there is of this cache is not known. */
	mark_arena(&caches, 1, false, &marks);
	tcaches_count(caches.world.walk.model, &marks, false);
	tcaches_count(caches.world.walk.model, &marks, true);
	ck_assert_uint_eq(thread_tcache(&caches, 0)->chunks, ARI_UNKNOWN);
	ck_assert_uint_eq(thread_tcache(&caches, 1)->chunks, 0);
	marks_done(&marks);
	end(&caches);
}

/* ---- noise ---- */

TEST(noise_ends_and_marks_no_more_than_the_counters_allow)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		static const unsigned int releases[] = { V226, V236, V243 };
		uint64_t random = seed;
		struct caches caches;
		uint8_t *bytes;

		begin(&caches, releases[seed % 3]);
		make_cache(&caches, CACHE(0));
		add_thread(&caches, 0, CACHE(0));
		for (size_t i = 0; i < 64; i++) {
			uint64_t at = CHUNK(unit_random(&random) % 64);

			put_chunk(&caches, at, 32 + 16 * i,
				  CHUNK(unit_random(&random) % 64));
			set_list(&caches, CACHE(0), i, unit_random(&random) % 8, at);
		}
		bytes = fake_at(&caches.world.fake, WORLD_BRK, 0x10000);
		for (int i = 0; i < 40; i++) {
			uint64_t word = unit_random(&random) >> unit_random(&random) % 64;

			memcpy(bytes + unit_random(&random) % (0x10000 / 8) * 8, &word,
			       8);
		}
		ck_assert_uint_le(read_all(&caches)->marks.list.count, 76 * 7);
		end(&caches);
	}
}

UNIT_MAIN("walk/tcache", lists_are_followed_in_every_layout,
	  pages_of_cached_chunks_are_looked_up_together,
	  large_lists_hold_the_sizes_of_their_class,
	  mmapped_chunk_in_a_cache_is_in_no_arena,
	  release_without_caches_has_none_and_says_so,
	  caches_that_are_turned_off_hold_nothing,
	  malloc_that_was_not_called_yet_has_cached_nothing,
	  thread_without_a_cache_has_an_empty_one, without_threads_nothing_is_known,
	  caches_that_cannot_be_found_are_unknown_and_noted,
	  thread_without_malloc_leaves_caches_that_cannot_be_found_unknown,
	  threads_that_are_all_not_of_glibc_have_no_caches,
	  one_cache_that_cannot_be_found_leaves_the_others_known,
	  address_that_is_no_cache_is_not_read,
	  wild_pointers_end_a_list_and_the_others_go_on,
	  plain_link_where_links_are_masked_ends_the_list,
	  list_that_loops_marks_each_chunk_once, chunk_of_another_size_ends_a_list,
	  counters_that_lie_bound_what_is_followed, chunk_in_two_caches_is_marked_once,
	  pages_that_are_not_present_are_not_read, cache_on_a_page_in_swap_is_unknown,
	  cache_that_changes_while_it_is_read_is_read_again,
	  process_that_goes_away_is_an_error, time_that_is_over_ends_the_walk,
	  chunks_are_marked_in_the_arena_that_they_lie_in,
	  caches_are_read_anew_for_an_arena_that_moves,
	  threads_have_what_was_met_of_their_caches,
	  noise_ends_and_marks_no_more_than_the_counters_allow)
