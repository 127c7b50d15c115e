// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/list.h"
#include "fake.h"
#include "unit.h"
#include "walk/chunks.h"

#define AT    ((uint64_t)0x7f0000000000)
#define PAGE  ((uint64_t)4096)
#define HEAD  ((uint64_t)0x30) /* what lies before the first chunk */
#define PREV  1u
#define OTHER 4u /* NON_MAIN_ARENA */
#define TIMES 300

/* One segment of fake memory, filled by hand, upwards. */
struct heap {
	struct fake fake;
	struct reader reader;
	struct marks marks, anchors;
	struct segment segment;
	struct trim_rules rules;
	struct chunk_walk walk;
	uint64_t next; /* where put() goes on */
};

static bool get_anchors(void *data, const struct marks **ret, struct ari_error *err)
{
	(void)err;
	*ret = &((struct heap *)data)->anchors;
	return true;
}

static void begin_pages(struct heap *heap, enum segment_kind kind, uint64_t pages,
			uint64_t page)
{
	struct ari_error err;

	memset(heap, 0, sizeof(*heap));
	fake_init(&heap->fake, page);
	fake_map(&heap->fake, AT, pages * page, "rw-p", "");
	ck_works(reader_open(&heap->fake.mem, &heap->reader, &err), &err);
	heap->segment = (struct segment){ .kind = kind,
					  .from = AT,
					  .to = AT + pages * page,
					  .first = AT + HEAD,
					  .end = AT + pages * page };
	heap->walk.reader = &heap->reader;
	heap->walk.marks = &heap->marks;
	heap->walk.anchors = (struct anchors){ get_anchors, heap };
	heap->walk.segment = &heap->segment;
	heap->walk.rules = &heap->rules;
	heap->next = AT + HEAD;
}

static void begin(struct heap *heap, enum segment_kind kind, uint64_t pages)
{
	begin_pages(heap, kind, pages, PAGE);
}

static void end(struct heap *heap)
{
	list_done(&heap->walk.pieces);
	marks_done(&heap->marks);
	marks_done(&heap->anchors);
	reader_close(&heap->reader);
	fake_done(&heap->fake);
}

/* A chunk; what flags say of PREV is the state of the chunk in front. */
static uint64_t put(struct heap *heap, uint64_t size, unsigned int flags)
{
	uint64_t at = heap->next;

	fake_put(&heap->fake, at + 8, size | flags);
	heap->next += size;
	return at;
}

/* Chunks of 64 bytes in use until `to`. */
static void fill_to(struct heap *heap, uint64_t to)
{
	while (heap->next + 128 <= to)
		put(heap, 64, PREV);
	if (heap->next < to)
		put(heap, to - heap->next, PREV);
}

static void put_top(struct heap *heap, unsigned int flags)
{
	heap->segment.top = heap->next;
	heap->segment.top_bytes = heap->segment.end - heap->next;
	put(heap, heap->segment.top_bytes, flags);
}

static void add_mark(struct marks *marks, uint64_t at, enum mark_list list,
		     unsigned int index)
{
	struct ari_error err;
	struct mark *mark = list_add(&marks->list, &err);

	must(mark != NULL);
	*mark = (struct mark){ .address = at, .list = list, .index = index };
}

static void add_cached(struct heap *heap, uint64_t at, uint64_t bytes)
{
	add_mark(&heap->marks, at, MARK_TCACHE, 3);
	heap->marks.list.at[heap->marks.list.count - 1].bytes = bytes;
}

static uint64_t sum(const struct tally_sizes *sizes, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += sizes[i].bytes;
	return bytes;
}

static uint64_t chunk_bytes(const struct tally *tally, int state)
{
	uint64_t bytes = sum(tally->large[state], BINS - BINS_SMALL);

	for (size_t i = 0; i < BINS_SMALL; i++)
		bytes += tally->small[state][i] * 16 * i;
	return bytes;
}

static uint64_t in_use_resident(const struct tally *tally)
{
	return chunk_bytes(tally, TALLY_IN_USE) - tally->resident.holes_in_use;
}

static uint64_t cached_resident(const struct tally *tally)
{
	return sum(tally->tcache, BINS) - tally->resident.holes_tcache;
}

static uint64_t pinned_free(const struct tally *tally)
{
	return chunk_bytes(tally, TALLY_FREE) + sum(tally->fast, FASTBINS) +
	       sum(tally->unsorted, BINS) - tally->resident.holes_free -
	       tally->resident.not_pinned;
}

/* Every byte of a resident page has its place too. */
static void expect_balance(const struct heap *heap)
{
	const struct tally *tally = &heap->walk.tally;
	const struct books_sums *sums = &tally->resident;

	if (heap->reader.all.untold != 0 || heap->segment.kind == SEGMENT_PIECES)
		return;
	ck_assert_uint_eq(in_use_resident(tally) + cached_resident(tally) +
				  pinned_free(tally) + sums->trimmable +
				  sums->retained_top + sums->metadata + sums->unwalked,
			  heap->reader.all.resident);
}

/* Every byte has its place, whatever the bytes are. */
static const struct tally *walk(struct heap *heap)
{
	struct ari_error err;

	ck_works(walk_chunks(&heap->walk, &err), &err);
	if (heap->segment.kind != SEGMENT_PIECES)
		ck_assert_uint_eq(tally_bytes(&heap->walk.tally),
				  heap->segment.end - heap->segment.from);
	expect_balance(heap);
	return &heap->walk.tally;
}

static void expect_damage(const struct heap *heap, enum damage id, uint64_t address)
{
	ck_assert(heap->walk.torn);
	ck_assert_uint_eq(heap->walk.damages, 1);
	ck_assert_uint_eq(heap->walk.damage[0].id, id);
	ck_assert_uint_eq(heap->walk.damage[0].address, address);
}

static void expect_sound(const struct heap *heap)
{
	ck_assert(!heap->walk.torn);
	ck_assert_uint_eq(heap->walk.damages, 0);
	ck_assert_uint_eq(heap->walk.tally.unwalked, 0);
}

/* ---- whole chains ---- */

TEST(chunks_are_met_from_the_first_to_top)
{
	struct heap heap;
	const struct tally *tally;

	begin(&heap, SEGMENT_HEAP, 4);
	put(&heap, 0x40, PREV | OTHER);
	put(&heap, 0x60, PREV);
	put(&heap, 0x500, OTHER); /* the one in front is free */
	put(&heap, 0x600, PREV);
	put_top(&heap, 0); /* and so is this */
	tally = walk(&heap);
	expect_sound(&heap);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][4], 1);
	ck_assert_uint_eq(tally->small[TALLY_FREE][6], 1);
	ck_assert_uint_eq(tally->large[TALLY_IN_USE][bin_of(0x500) - BINS_SMALL].bytes,
			  0x500);
	ck_assert_uint_eq(tally->large[TALLY_FREE][bin_of(0x600) - BINS_SMALL].bytes,
			  0x600);
	ck_assert_uint_eq(tally->top, heap.segment.top_bytes);
	ck_assert_uint_eq(tally->overhead, HEAD);
	ck_assert_uint_eq(tally->breaks, 0);
	end(&heap);
}

TEST(heap_of_nothing_but_top_is_top)
{
	struct heap heap;

	begin(&heap, SEGMENT_HEAP, 1);
	put_top(&heap, PREV);
	ck_assert_uint_eq(walk(&heap)->top, PAGE - HEAD);
	expect_sound(&heap);
	end(&heap);
}

/* [live] [between, free] [last, as told] [top]: what is said of the last. */
static struct ari_last_chunk last_chunk(uint64_t between, unsigned int last_in_use,
					bool fast)
{
	struct heap heap;
	uint64_t last;

	begin(&heap, SEGMENT_HEAP, 40);
	put(&heap, 0x400, PREV);
	put(&heap, between, PREV);
	last = put(&heap, 0x70, 0);
	put_top(&heap, last_in_use);
	if (fast)
		add_mark(&heap.marks, last, MARK_FAST, 5);
	walk(&heap);
	expect_sound(&heap);
	if (heap.walk.last_chunk.address != 0)
		ck_assert_uint_eq(heap.walk.last_chunk.address, last);
	end(&heap);
	return heap.walk.last_chunk;
}

TEST(last_live_chunk_is_told_with_what_is_free_right_below_it)
{
	struct ari_last_chunk last = last_chunk(20 * PAGE - HEAD - 0x400, PREV, false);

	ck_assert_uint_eq(last.bytes, 0x70);
	ck_assert_uint_eq(last.below_bytes, 19 * PAGE);
	last = last_chunk(0x500, PREV, false);
	ck_assert_uint_eq(last.bytes, 0x70);
	ck_assert_uint_eq(last.below_bytes, 0);
	ck_assert_uint_eq(last_chunk(20 * PAGE, PREV, true).address, 0);
	ck_assert_uint_eq(last_chunk(20 * PAGE, 0, false).address, 0);
}

TEST(free_memory_further_down_is_not_below_the_last_chunk)
{
	struct heap heap;

	begin(&heap, SEGMENT_HEAP, 40);
	put(&heap, 0x400, PREV);
	put(&heap, 10 * PAGE, PREV);
	put(&heap, 0x70, 0);
	put(&heap, 0x90, PREV);
	put_top(&heap, PREV);
	walk(&heap);
	ck_assert_uint_eq(heap.walk.last_chunk.bytes, 0x90);
	ck_assert_uint_eq(heap.walk.last_chunk.below_bytes, 0);
	/* Without a top there is none, and what was told before is gone. */
	heap.segment.top = 0;
	walk(&heap);
	ck_assert_uint_eq(heap.walk.last_chunk.address, 0);
	end(&heap);
}

TEST(full_heap_ends_in_a_fencepost_and_a_header_of_size_0)
{
	static const unsigned int flags[] = { PREV, 0 };

	for (unsigned int i = 0; i < 2; i++) {
		struct heap heap;
		const struct tally *tally;

		begin(&heap, SEGMENT_HEAP, 2);
		fill_to(&heap, AT + 2 * PAGE - 0x120);
		put(&heap, 0x100, PREV);
		put(&heap, 16, flags[i]);
		put(&heap, 0, PREV);
		tally = walk(&heap);
		expect_sound(&heap);
		ck_assert_uint_eq(tally->overhead, HEAD + 32);
		ck_assert_uint_eq(tally->small[i == 0 ? TALLY_IN_USE : TALLY_FREE][16],
				  1);
		end(&heap);
	}
}

TEST(little_rest_before_the_last_header_is_overhead)
{
	struct heap heap;

	begin(&heap, SEGMENT_HEAP, 2);
	fill_to(&heap, AT + 2 * PAGE - 48);
	put(&heap, 32, PREV);
	put(&heap, 0, PREV);
	ck_assert_uint_eq(walk(&heap)->overhead, HEAD + 48);
	expect_sound(&heap);
	end(&heap);
}

TEST(inside_of_large_chunks_is_not_read)
{
	struct heap heap;

	begin(&heap, SEGMENT_HEAP, 1000);
	for (int i = 0; i < 9; i++)
		put(&heap, 100 * PAGE, PREV);
	put_top(&heap, PREV);
	walk(&heap);
	expect_sound(&heap);
	ck_assert_uint_le(heap.fake.copies, 10);
	end(&heap);
}

/* ---- marks ---- */

TEST(mark_of_a_fastbin_is_believed_where_such_a_chunk_is)
{
	struct heap heap;
	const struct tally *tally;
	uint64_t at[6];

	begin(&heap, SEGMENT_HEAP, 2);
	at[0] = put(&heap, 0x30, PREV); /* as the fastbin says */
	at[1] = put(&heap, 0x40, PREV); /* of another size */
	at[2] = put(&heap, 0x30, PREV); /* free */
	at[3] = put(&heap, 0x80, 0);	/* a mark inside of it */
	at[4] = put(&heap, 0x30, PREV); /* not marked */
	at[5] = put(&heap, 0x30, PREV);
	put_top(&heap, PREV);
	add_mark(&heap.marks, AT + 0x10, MARK_FAST, 1);
	add_mark(&heap.marks, at[0], MARK_FAST, 1);
	add_mark(&heap.marks, at[1], MARK_FAST, 1);
	add_mark(&heap.marks, at[2], MARK_FAST, 1);
	add_mark(&heap.marks, at[3] + 0x20, MARK_FAST, 1);
	add_mark(&heap.marks, at[5], MARK_FAST, 1);
	tally = walk(&heap);
	ck_assert_uint_eq(tally->fast[1].chunks, 2);
	ck_assert_uint_eq(tally->fast[1].bytes, 0x60);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][3], 1);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][4], 1);
	ck_assert_uint_eq(tally->small[TALLY_FREE][3], 1);
	end(&heap);
}

TEST(mark_of_the_unsorted_bin_is_believed_of_a_free_chunk)
{
	struct heap heap;
	const struct tally *tally;
	uint64_t free_chunk, used;

	begin(&heap, SEGMENT_HEAP, 2);
	free_chunk = put(&heap, 0x90, PREV);
	used = put(&heap, 0x90, 0);
	put(&heap, 0x40, PREV);
	put_top(&heap, PREV);
	add_mark(&heap.marks, free_chunk, MARK_UNSORTED, BIN_UNSORTED);
	add_mark(&heap.marks, used, MARK_UNSORTED, BIN_UNSORTED);
	tally = walk(&heap);
	ck_assert_uint_eq(tally->unsorted[9].chunks, 1);
	ck_assert_uint_eq(tally->small[TALLY_FREE][9], 0);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][9], 1);
	end(&heap);
}

TEST(mark_of_a_cache_is_believed_where_such_a_chunk_looks_in_use)
{
	static const bool met[] = { false, true, false, false, false, true, true };
	struct heap heap;
	const struct tally *tally;
	uint64_t at[6];

	begin(&heap, SEGMENT_HEAP, 4);
	at[0] = put(&heap, 0x30, PREV); /* as the cache says */
	at[1] = put(&heap, 0x40, PREV); /* it has got another size */
	at[2] = put(&heap, 0x30, PREV); /* free by now */
	at[3] = put(&heap, 0x80, 0);	/* a mark inside of it */
	at[4] = put(&heap, 0x30, PREV); /* the last one is large */
	at[5] = put(&heap, 0x1040, PREV);
	put_top(&heap, PREV);
	add_cached(&heap, AT + 0x10, 0x30);
	add_cached(&heap, at[0], 0x30);
	add_cached(&heap, at[1], 0x30);
	add_cached(&heap, at[2], 0x30);
	add_cached(&heap, at[3] + 0x20, 0x30);
	add_cached(&heap, at[4], 0x30);
	add_cached(&heap, at[5], 0x1040);
	tally = walk(&heap);
	expect_sound(&heap);
	ck_assert_uint_eq(tally->tcache[3].chunks, 2);
	ck_assert_uint_eq(tally->tcache[3].bytes, 0x60);
	ck_assert_uint_eq(tally->tcache[bin_of(0x1040)].bytes, 0x1040);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][3], 0);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][4], 1);
	ck_assert_uint_eq(tally->small[TALLY_IN_USE][8], 1);
	ck_assert_uint_eq(tally->small[TALLY_FREE][3], 1);
	for (size_t i = 0; i < heap.marks.list.count; i++)
		ck_assert_int_eq(heap.marks.list.at[i].met, met[i]);
	end(&heap);
}

/* A cached chunk is in use to its neighbours: what malloc_trim gives stays the same. */
TEST(cached_chunks_change_nothing_of_what_goes_back)
{
	uint64_t trimmable[2], kept[2], holds[2];

	for (int cached = 0; cached < 2; cached++) {
		struct heap heap;
		uint64_t at;

		begin(&heap, SEGMENT_HEAP, 16);
		heap.walk.pins_wanted = 1;
		heap.rules.step = PAGE;
		heap.rules.threshold = 1 << 30;
		put(&heap, 0x40, PREV);
		put(&heap, 3 * PAGE, PREV);
		at = put(&heap, 0x50, 0);
		put(&heap, 4 * PAGE, PREV);
		put(&heap, 0x40, 0);
		put_top(&heap, PREV);
		if (cached == 1)
			add_cached(&heap, at, 0x50);
		walk(&heap);
		trimmable[cached] = heap.walk.tally.resident.trimmable;
		kept[cached] = pinned_free(&heap.walk.tally);
		holds[cached] = heap.walk.pins.at[0].holds_bytes;
		ck_assert_uint_eq(heap.walk.pins.count, 1);
		ck_assert_uint_eq(heap.walk.pins.at[0].address, at);
		ck_assert_int_eq(heap.walk.pins.at[0].cached, cached);
		ck_assert_uint_eq(cached_resident(&heap.walk.tally),
				  cached == 1 ? 0x50 : 0);
		end(&heap);
	}
	ck_assert_uint_eq(trimmable[0], trimmable[1]);
	ck_assert_uint_eq(kept[0], kept[1]);
	ck_assert_uint_eq(holds[0], holds[1]);
}

TEST(cached_chunk_over_pages_that_are_gone_is_resident_as_far_as_it_is)
{
	struct heap heap;
	uint64_t at;

	begin(&heap, SEGMENT_HEAP, 16);
	at = put(&heap, 6 * PAGE, PREV);
	put_top(&heap, PREV);
	add_cached(&heap, at, 6 * PAGE);
	fake_set_pages(&heap.fake, at + PAGE, 2, PAGE_ABSENT);
	ck_assert_uint_eq(walk(&heap)->resident.holes_tcache, 2 * PAGE);
	ck_assert_uint_eq(cached_resident(&heap.walk.tally), 4 * PAGE);
	ck_assert_uint_eq(heap.walk.tally.resident.holes_in_use, 0);
	end(&heap);
}

/* ---- broken chains ---- */

/* A heap whose `broken` header is no chunk's; a free chunk of a bin follows later. */
static void break_chain(uint64_t word, enum damage id)
{
	struct heap heap;
	const struct tally *tally;
	uint64_t broken, anchor;

	begin(&heap, SEGMENT_HEAP, 8);
	fill_to(&heap, AT + PAGE);
	broken = put(&heap, 0x200, PREV);
	fill_to(&heap, AT + 2 * PAGE);
	anchor = put(&heap, 0x100, PREV);
	put(&heap, 0x40, 0);
	fill_to(&heap, AT + 7 * PAGE);
	put_top(&heap, PREV);
	fake_put(&heap.fake, broken + 8, word);
	add_mark(&heap.anchors, AT + 0x40, MARK_BINNED, 2); /* behind already */
	add_mark(&heap.anchors, anchor, MARK_BINNED, 16);
	tally = walk(&heap);
	expect_damage(&heap, id, broken);
	ck_assert_uint_eq(tally->unwalked, anchor - broken);
	ck_assert_uint_eq(tally->small[TALLY_FREE][16], 1);
	ck_assert_uint_eq(tally->top, PAGE);
	ck_assert_uint_eq(tally->breaks, 1);
	end(&heap);
}

TEST(broken_chain_resumes_at_a_member_of_a_bin)
{
	break_chain(0, CHUNK_TOO_SMALL);
	break_chain(16 | PREV, CHUNK_TOO_SMALL);
	break_chain(0x202 | PREV, CHUNK_HEADER_IMPOSSIBLE);
	break_chain(0x208 | PREV, CHUNK_HEADER_IMPOSSIBLE);
	break_chain(UINT64_MAX, CHUNK_HEADER_IMPOSSIBLE);
	break_chain(0x100000 | PREV, CHUNK_TOO_LARGE);
	break_chain((uint64_t)1 << 63, CHUNK_TOO_LARGE);
	break_chain(UINT64_MAX - 15, CHUNK_TOO_LARGE);
}

TEST(broken_chain_without_a_bin_goes_on_at_top)
{
	struct heap heap;
	const struct tally *tally;
	uint64_t broken;

	begin(&heap, SEGMENT_HEAP, 4);
	broken = put(&heap, 0x200, PREV);
	fill_to(&heap, AT + 3 * PAGE);
	put_top(&heap, PREV);
	fake_put(&heap.fake, broken + 8, 0);
	tally = walk(&heap);
	expect_damage(&heap, CHUNK_TOO_SMALL, broken);
	ck_assert_uint_eq(tally->unwalked, AT + 3 * PAGE - broken);
	ck_assert_uint_eq(tally->top, PAGE);
	end(&heap);
}

TEST(member_of_a_bin_that_is_no_chunk_is_passed)
{
	struct heap heap;
	uint64_t broken, anchor;

	begin(&heap, SEGMENT_HEAP, 4);
	broken = put(&heap, 0x200, PREV);
	anchor = put(&heap, 0x100, PREV);
	fill_to(&heap, AT + 3 * PAGE);
	put_top(&heap, PREV);
	fake_put(&heap.fake, broken + 8, 0);
	add_mark(&heap.anchors, broken + 0x20, MARK_BINNED, 16); /* zeros */
	add_mark(&heap.anchors, anchor, MARK_BINNED, 16);
	ck_assert_uint_eq(walk(&heap)->unwalked, anchor - broken);
	end(&heap);
}

TEST(heap_without_its_fenceposts_is_damaged)
{
	struct heap heap;

	begin(&heap, SEGMENT_HEAP, 2);
	fill_to(&heap, AT + 2 * PAGE - 64);
	put(&heap, 0, PREV);
	walk(&heap);
	expect_damage(&heap, CHUNK_TOO_SMALL, AT + 2 * PAGE - 64);
	end(&heap);
}

TEST(header_on_an_absent_page_is_damage)
{
	struct heap heap;

	begin(&heap, SEGMENT_HEAP, 4);
	fill_to(&heap, AT + 3 * PAGE);
	put_top(&heap, PREV);
	fake_set_pages(&heap.fake, AT + PAGE, 1, PAGE_ABSENT);
	walk(&heap);
	ck_assert(heap.walk.torn);
	ck_assert_uint_eq(heap.walk.damage[0].id, CHUNK_TOO_SMALL);
	end(&heap);
}

/* ---- what is not read ---- */

TEST(page_in_swap_is_unread_and_the_chain_behind_it_found)
{
	struct heap heap;
	const struct tally *tally;

	begin(&heap, SEGMENT_HEAP, 8);
	fill_to(&heap, AT + PAGE);
	put(&heap, PAGE - 0x50, PREV);
	fill_to(&heap, AT + 7 * PAGE);
	put_top(&heap, PREV);
	fake_set_pages(&heap.fake, AT + 2 * PAGE, 1, PAGE_SWAPPED);
	tally = walk(&heap);
	ck_assert_uint_eq(heap.fake.disturbed, 0);
	expect_sound(&heap);
	/* All headers of a page must agree: that may take the rest of the next one. */
	ck_assert_uint_gt(tally->unread, 0);
	ck_assert_uint_le(tally->unread, 2 * PAGE);
	ck_assert_uint_eq(tally->top, PAGE);
	ck_assert_uint_gt(tally->small[TALLY_IN_USE][4], 250);
	ck_assert_uint_eq(heap.reader.all.swapped, PAGE);
	end(&heap);
}

/* What old data left behind looks like headers, but leads nowhere. */
TEST(chain_behind_a_swapped_page_is_not_taken_from_old_data)
{
	struct heap heap;
	uint64_t real;

	begin(&heap, SEGMENT_HEAP, 8);
	fill_to(&heap, AT + PAGE);
	put(&heap, PAGE + 0x100, PREV);
	real = put(&heap, PAGE + 0x400, PREV); /* alone on its page */
	fill_to(&heap, AT + 7 * PAGE);
	put_top(&heap, PREV);
	fake_put(&heap.fake, AT + 2 * PAGE + 0x28, 0x50 | PREV); /* to 0x70: zeros */
	fake_put(&heap.fake, AT + 2 * PAGE + 0x48, 0x7fff0 | PREV);
	fake_set_pages(&heap.fake, AT + PAGE, 1, PAGE_SWAPPED);
	ck_assert_uint_eq(walk(&heap)->unread, real - (AT + PAGE));
	expect_sound(&heap);
	end(&heap);
}

/* A page of 64 KiB may have more false headers than are followed at a time. */
TEST(chain_that_begins_late_on_a_large_page_is_found_there)
{
	const uint64_t page = 65536;
	struct heap heap;

	begin_pages(&heap, SEGMENT_HEAP, 8, page);
	fill_to(&heap, AT + page);
	put(&heap, page + 0x8000, PREV);
	for (uint64_t i = 0; i < 300; i++)
		fake_put(&heap.fake, AT + 2 * page + 32 * i + 8, 0x20 | PREV);
	fill_to(&heap, AT + 7 * page);
	put_top(&heap, PREV);
	fake_set_pages(&heap.fake, AT + page, 1, PAGE_SWAPPED);
	ck_assert_uint_lt(walk(&heap)->unread, 2 * page);
	expect_sound(&heap);
	end(&heap);
}

TEST(chunk_in_front_of_an_unread_page_is_free_only_if_a_list_says_so)
{
	for (int listed = 0; listed < 3; listed++) {
		struct heap heap;
		const struct tally *tally;
		uint64_t last;

		begin(&heap, SEGMENT_HEAP, 8);
		fill_to(&heap, AT + PAGE - 0x100);
		last = put(&heap, 0x100, PREV);
		fill_to(&heap, AT + 7 * PAGE);
		put_top(&heap, PREV);
		fake_set_pages(&heap.fake, AT + PAGE, 1, PAGE_SWAPPED);
		if (listed > 0)
			add_mark(&heap.anchors, last,
				 listed == 1 ? MARK_BINNED : MARK_FAST, 16);
		tally = walk(&heap);
		ck_assert_uint_eq(tally->small[TALLY_FREE][16], listed == 1);
		ck_assert_uint_eq(tally->small[TALLY_IN_USE][16], listed != 1);
		end(&heap);
	}
}

TEST(header_of_top_in_swap_leaves_the_last_chunk_in_use)
{
	struct heap heap;
	const struct tally *tally;

	begin(&heap, SEGMENT_HEAP, 4);
	fill_to(&heap, AT + 2 * PAGE);
	put_top(&heap, 0);
	fake_set_pages(&heap.fake, AT + 2 * PAGE, 2, PAGE_SWAPPED);
	tally = walk(&heap);
	ck_assert_uint_eq(tally->top, 2 * PAGE);
	ck_assert_uint_eq(tally->small[TALLY_FREE][4], 0);
	expect_sound(&heap);
	end(&heap);
}

TEST(page_that_may_not_be_read_is_unread)
{
	struct heap heap;
	const struct tally *tally;

	begin(&heap, SEGMENT_HEAP, 8);
	fill_to(&heap, AT + 7 * PAGE);
	put_top(&heap, PREV);
	fake_set_pages(&heap.fake, AT + 3 * PAGE, 1, PAGE_UNREADABLE);
	tally = walk(&heap);
	ck_assert_uint_gt(tally->unread, 0);
	ck_assert_uint_le(tally->unread, 2 * PAGE);
	expect_sound(&heap);
	end(&heap);
}

static void unmap_late(struct fake *fake, uint64_t address)
{
	if (address >= AT + 20 * PAGE && fake->data != NULL) {
		fake->data = NULL;
		fake_unmap(fake, AT + 20 * PAGE);
	}
}

TEST(memory_that_is_unmapped_under_the_walk_is_unread)
{
	struct heap heap;
	const struct tally *tally;

	begin(&heap, SEGMENT_HEAP, 20);
	fake_map(&heap.fake, AT + 20 * PAGE, 20 * PAGE, "rw-p", "");
	heap.segment.to = heap.segment.end = AT + 40 * PAGE;
	for (uint64_t at = heap.next; at < AT + 39 * PAGE; at = heap.next)
		put(&heap, 0x7d0, PREV); /* no header across the border */
	put_top(&heap, PREV);
	heap.fake.data = &heap;
	heap.fake.before_copy = unmap_late;
	tally = walk(&heap);
	ck_assert_uint_gt(tally->unread, PAGE);
	ck_assert_uint_gt(tally->large[TALLY_IN_USE][bin_of(0x7d0) - BINS_SMALL].chunks,
			  30);
	end(&heap);
}

TEST(process_that_goes_away_is_an_error)
{
	struct heap heap;
	struct ari_error err;

	begin(&heap, SEGMENT_HEAP, 4);
	put_top(&heap, PREV);
	heap.fake.broken = ARI_GONE;
	ck_fails(walk_chunks(&heap.walk, &err), &err, ARI_GONE);
	end(&heap);
}

TEST(time_that_is_over_ends_the_walk)
{
	struct heap heap;
	struct ari_error err;

	begin(&heap, SEGMENT_HEAP, 4);
	fill_to(&heap, AT + 3 * PAGE);
	put_top(&heap, PREV);
	heap.walk.deadline.at_ns = 1;
	ck_fails(walk_chunks(&heap.walk, &err), &err, ARI_TIMED_OUT);
	end(&heap);
}

/* ---- main's memory ---- */

static void put_fence(struct heap *heap, unsigned int flags)
{
	put(heap, 16, flags);
	put(heap, 16, PREV);
}

TEST(foreign_memory_within_brk_is_unwalked_and_no_damage)
{
	static const int fillings[] = { 0, 'f' };

	for (int i = 0; i < 2; i++) {
		struct heap heap;
		const struct tally *tally;
		uint64_t gap;

		begin(&heap, SEGMENT_BRK, 16);
		fill_to(&heap, AT + 4 * PAGE - 32);
		put_fence(&heap, PREV);
		gap = heap.next;
		memset(fake_at(&heap.fake, gap, 4 * PAGE), fillings[i], 4 * PAGE);
		heap.next += 4 * PAGE;
		fill_to(&heap, AT + 15 * PAGE);
		put_top(&heap, PREV);
		tally = walk(&heap);
		ck_assert(!heap.walk.torn);
		ck_assert_uint_eq(heap.walk.damages, 0);
		ck_assert_uint_ge(tally->unwalked, 4 * PAGE);
		ck_assert_uint_lt(tally->unwalked, 5 * PAGE);
		ck_assert_uint_eq(tally->overhead, HEAD + 32);
		ck_assert_uint_eq(tally->top, PAGE);
		end(&heap);
	}
}

TEST(fenceposts_of_brk_say_whether_the_chunk_before_is_free)
{
	struct heap heap;

	begin(&heap, SEGMENT_BRK, 8);
	fill_to(&heap, AT + 2 * PAGE - 0x120);
	put(&heap, 0x100, PREV);
	put_fence(&heap, 0);
	heap.next += PAGE;
	fill_to(&heap, AT + 7 * PAGE);
	put_top(&heap, PREV);
	ck_assert_uint_eq(walk(&heap)->small[TALLY_FREE][16], 1);
	ck_assert(!heap.walk.torn);
	end(&heap);
}

static void expect_piece(const struct heap *heap, size_t i, uint64_t start, uint64_t to)
{
	ck_assert_uint_lt(i, heap->walk.pieces.count);
	ck_assert_uint_eq(heap->walk.pieces.at[i].start, start);
	ck_assert_uint_eq(heap->walk.pieces.at[i].end, to);
}

/* sysmalloc() leaves a chunk of 16 bytes where 48 were left of top. */
TEST(third_fencepost_belongs_to_the_piece)
{
	static const enum segment_kind kinds[] = { SEGMENT_BRK, SEGMENT_PIECES };

	for (int i = 0; i < 2; i++) {
		struct heap heap;
		const struct tally *tally;

		begin(&heap, kinds[i], 8);
		heap.segment.first = heap.next = AT;
		fill_to(&heap, AT + 2 * PAGE - 48);
		put(&heap, 16, PREV);
		put_fence(&heap, PREV);
		fill_to(&heap, AT + 7 * PAGE);
		put_top(&heap, PREV);
		tally = walk(&heap);
		ck_assert_uint_eq(tally->overhead, 48);
		ck_assert(kinds[i] == SEGMENT_BRK || tally->unwalked == 0);
		ck_assert_uint_eq(tally_bytes(tally), 8 * PAGE);
		end(&heap);
	}
}

/* The first piece that has top may have nothing else. */
TEST(piece_that_is_all_top_is_top)
{
	struct heap heap;

	begin(&heap, SEGMENT_PIECES, 8);
	heap.segment.first = heap.next = AT;
	put_top(&heap, PREV);
	ck_assert_uint_eq(walk(&heap)->top, 8 * PAGE);
	expect_piece(&heap, 0, AT, AT + 8 * PAGE);
	end(&heap);
}

TEST(pieces_of_main_are_told_from_what_lies_between)
{
	struct heap heap;
	const struct tally *tally;

	begin(&heap, SEGMENT_PIECES, 16);
	heap.segment.first = AT;
	heap.next = AT + 2 * PAGE; /* two foreign pages first */
	fill_to(&heap, AT + 5 * PAGE - 32);
	put_fence(&heap, PREV);
	fill_to(&heap, AT + 7 * PAGE - 32); /* side by side with the first */
	put_fence(&heap, PREV);
	memset(fake_at(&heap.fake, heap.next, PAGE), 'f', PAGE);
	heap.next += PAGE;
	fill_to(&heap, AT + 10 * PAGE);
	heap.segment.top = heap.next;
	heap.segment.top_bytes = 2 * PAGE;
	put(&heap, 2 * PAGE, PREV);
	tally = walk(&heap);
	ck_assert_uint_eq(heap.walk.damages, 0);
	ck_assert_uint_eq(heap.walk.pieces.count, 2);
	expect_piece(&heap, 0, AT + 2 * PAGE, AT + 7 * PAGE);
	expect_piece(&heap, 1, AT + 8 * PAGE, AT + 12 * PAGE);
	ck_assert_uint_eq(tally->overhead, 64);
	ck_assert_uint_eq(tally->top, 2 * PAGE);
	ck_assert_uint_eq(tally_bytes(tally), 9 * PAGE);
	end(&heap);
}

TEST(mapping_without_a_piece_has_none)
{
	static const int fillings[] = { 0, 'f', 0xff };

	for (int i = 0; i < 3; i++) {
		struct heap heap;

		begin(&heap, SEGMENT_PIECES, 16);
		heap.segment.first = AT;
		memset(fake_at(&heap.fake, AT, 16 * PAGE), fillings[i], 16 * PAGE);
		ck_assert_uint_eq(tally_bytes(walk(&heap)), 0);
		ck_assert_uint_eq(heap.walk.pieces.count, 0);
		end(&heap);
	}
}

/* A page of somebody's data that begins as fenceposts do, in front of main's. */
TEST(fenceposts_that_end_within_a_page_are_no_piece)
{
	struct heap heap;

	begin(&heap, SEGMENT_PIECES, 8);
	heap.segment.first = heap.next = AT;
	put(&heap, 16, PREV);
	put(&heap, 16, PREV);
	put(&heap, 16, PREV);
	heap.next = AT + PAGE;
	put_top(&heap, PREV);
	ck_assert_uint_eq(tally_bytes(walk(&heap)), 7 * PAGE);
	expect_piece(&heap, 0, AT + PAGE, AT + 8 * PAGE);
	end(&heap);
}

/* What is found on the way to no piece is no chunk, whatever names it. */
TEST(marks_met_in_what_proves_to_be_no_piece_are_not_met)
{
	struct heap heap;
	uint64_t foreign, own;

	begin(&heap, SEGMENT_PIECES, 8);
	heap.segment.first = heap.next = AT;
	foreign = put(&heap, 0x40, PREV); /* leads to nothing */
	put(&heap, 0x60, PREV);
	put(&heap, 8, PREV);
	heap.next = AT + PAGE;
	own = put(&heap, 0x40, PREV);
	put_top(&heap, PREV);
	add_cached(&heap, foreign, 0x40);
	add_cached(&heap, own, 0x40);
	ck_assert_uint_eq(walk(&heap)->tcache[4].chunks, 1);
	ck_assert(!heap.marks.list.at[0].met);
	ck_assert(heap.marks.list.at[1].met);
	end(&heap);
}

TEST(mark_met_in_another_mapping_stays_met)
{
	struct heap heap;

	begin(&heap, SEGMENT_PIECES, 8);
	heap.segment.first = heap.next = AT;
	add_cached(&heap, AT - 16 * PAGE, 0x40);
	heap.marks.list.at[0].met = true;
	put(&heap, 0x40, PREV); /* leads to nothing */
	put(&heap, 0x60, PREV);
	put(&heap, 8, PREV);
	heap.next = AT + PAGE;
	put_top(&heap, PREV);
	ck_assert_uint_eq(walk(&heap)->top, 7 * PAGE);
	ck_assert(heap.marks.list.at[0].met);
	end(&heap);
}

/* ---- two heaps in turn ---- */

/* A heap as it is to other memory, where the same address is further up. */
static void move_to(struct heap *heap, struct fake *fake, uint64_t up)
{
	struct segment *segment = &heap->segment;
	uint64_t bytes = segment->to - segment->from;

	fake_map(fake, AT + up, bytes, "rw-p", "");
	memcpy(fake_at(fake, AT + up, bytes), fake_at(&heap->fake, AT, bytes), bytes);
	heap->reader.mem = &fake->mem;
	segment->from += up;
	segment->to += up;
	segment->first += up;
	segment->end += up;
	segment->top += up;
}

TEST(two_heaps_walked_in_turn_are_the_same_as_each_alone_in_fewer_calls)
{
	struct heap heaps[2];
	struct tally alone[2];
	unsigned int calls_alone;
	struct ari_error err;

	for (int i = 0; i < 2; i++) {
		uint64_t seed = 7 + (uint64_t)i;

		begin(&heaps[i], SEGMENT_HEAP, 100 + 80 * (uint64_t)i);
		fake_set_pages(&heaps[i].fake, AT + 20 * PAGE, 3, PAGE_ABSENT);
		put(&heaps[i], 19 * PAGE + 512 - HEAD, PREV);
		put(&heaps[i], 5 * PAGE, PREV); /* over the hole */
		while (heaps[i].next + PAGE < heaps[i].segment.end)
			put(&heaps[i], 32 + unit_random(&seed) % 128 * 16,
			    unit_random(&seed) % 3 != 0 ? PREV : 0);
		put_top(&heaps[i], PREV);
		alone[i] = *walk(&heaps[i]);
	}
	calls_alone = heaps[0].fake.calls + heaps[1].fake.calls;
	move_to(&heaps[1], &heaps[0].fake, 0x4000000);
	fake_set_pages(&heaps[0].fake, AT + 0x4000000 + 20 * PAGE, 3, PAGE_ABSENT);
	heaps[0].fake.calls = 0;
	ck_works(walk_chunks_of_two(&heaps[0].walk, &heaps[1].walk, &err), &err);
	ck_assert_uint_lt(heaps[0].fake.calls, calls_alone);
	for (int i = 0; i < 2; i++) {
		ck_assert_mem_eq(&heaps[i].walk.tally, &alone[i], sizeof(alone[i]));
		expect_balance(&heaps[i]);
		end(&heaps[i]);
	}
}

/* ---- noise ---- */

/* walk() sees that every byte has its place. */
static void walk_noise(enum segment_kind kind, uint64_t seed)
{
	struct heap heap;
	uint8_t *bytes;

	begin(&heap, kind, 8);
	fill_to(&heap, AT + 7 * PAGE);
	if (unit_random(&seed) % 2 == 0)
		put_top(&heap, PREV);
	bytes = fake_at(&heap.fake, AT, 8 * PAGE);
	for (int i = 0; i < 200; i++) {
		uint64_t word = unit_random(&seed) >> unit_random(&seed) % 64;

		memcpy(bytes + unit_random(&seed) % (8 * PAGE / 8 - 1) * 8, &word, 8);
	}
	for (int i = 0; i < 3; i++) {
		uint64_t at = AT + unit_random(&seed) % 8 * PAGE;
		enum page_state state = unit_random(&seed) % 6;

		fake_set_pages(&heap.fake, at, 1, state);
		add_mark(&heap.anchors, at + 0x110 + (uint64_t)i, MARK_BINNED, 9);
	}
	heap.anchors.list.count = 1; /* sorted */
	for (uint64_t at = AT + HEAD; at < AT + 7 * PAGE;
	     at += 64 * (1 + unit_random(&seed) % 9))
		add_cached(&heap, at, 64);
	walk(&heap);
	ck_assert_uint_le(heap.walk.damages, CHUNK_DAMAGE_MAX);
	end(&heap);
}

TEST(noise_ends_and_every_byte_has_a_place)
{
	for (uint64_t seed = 1; seed <= TIMES; seed++) {
		walk_noise(SEGMENT_HEAP, seed);
		walk_noise(SEGMENT_BRK, seed);
		walk_noise(SEGMENT_PIECES, seed);
	}
}

UNIT_MAIN("walk/chunks", chunks_are_met_from_the_first_to_top,
	  heap_of_nothing_but_top_is_top,
	  last_live_chunk_is_told_with_what_is_free_right_below_it,
	  free_memory_further_down_is_not_below_the_last_chunk,
	  full_heap_ends_in_a_fencepost_and_a_header_of_size_0,
	  little_rest_before_the_last_header_is_overhead,
	  inside_of_large_chunks_is_not_read,
	  mark_of_a_fastbin_is_believed_where_such_a_chunk_is,
	  mark_of_the_unsorted_bin_is_believed_of_a_free_chunk,
	  mark_of_a_cache_is_believed_where_such_a_chunk_looks_in_use,
	  cached_chunks_change_nothing_of_what_goes_back,
	  cached_chunk_over_pages_that_are_gone_is_resident_as_far_as_it_is,
	  broken_chain_resumes_at_a_member_of_a_bin,
	  broken_chain_without_a_bin_goes_on_at_top,
	  member_of_a_bin_that_is_no_chunk_is_passed,
	  heap_without_its_fenceposts_is_damaged, header_on_an_absent_page_is_damage,
	  page_in_swap_is_unread_and_the_chain_behind_it_found,
	  chain_behind_a_swapped_page_is_not_taken_from_old_data,
	  chain_that_begins_late_on_a_large_page_is_found_there,
	  chunk_in_front_of_an_unread_page_is_free_only_if_a_list_says_so,
	  header_of_top_in_swap_leaves_the_last_chunk_in_use,
	  page_that_may_not_be_read_is_unread,
	  memory_that_is_unmapped_under_the_walk_is_unread,
	  process_that_goes_away_is_an_error, time_that_is_over_ends_the_walk,
	  foreign_memory_within_brk_is_unwalked_and_no_damage,
	  fenceposts_of_brk_say_whether_the_chunk_before_is_free,
	  third_fencepost_belongs_to_the_piece, piece_that_is_all_top_is_top,
	  pieces_of_main_are_told_from_what_lies_between,
	  mapping_without_a_piece_has_none,
	  fenceposts_that_end_within_a_page_are_no_piece,
	  marks_met_in_what_proves_to_be_no_piece_are_not_met,
	  mark_met_in_another_mapping_stays_met,
	  two_heaps_walked_in_turn_are_the_same_as_each_alone_in_fewer_calls,
	  noise_ends_and_every_byte_has_a_place)
