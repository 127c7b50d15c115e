// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "mem/reader.h"

/*
 * Large enough to read at full speed: a call costs some microseconds beside its bytes.
 * Small enough that what was read is still in the processor's cache when it is walked.
 */
#define WINDOW ((size_t)512 << 10)
#define NEAR   ((uint64_t)8 << 10) /* what lies between is not worth a call to save */

#define ABSENT_IN_ROW 4			  /* blocks; behind them a page is looked for */
#define ABSENT_BLOCKS ((uint64_t)1 << 14) /* in so many at a time, 64 GiB */

bool reader_open(struct mem *mem, struct reader *ret, struct ari_error *err)
{
	*ret = (struct reader){ .mem = mem };
	ret->page_shift = (unsigned int)__builtin_ctzll(mem->page_bytes);
	/* The kernel copies whole pages fastest to where pages begin. */
	ret->window = aligned_alloc(mem->page_bytes, WINDOW);
	return ret->window != NULL || fail_memory(err);
}

void reader_close(struct reader *reader)
{
	free(reader->window);
	reader->window = NULL;
	list_done(&reader->sums);
	list_done(&reader->kept.list);
}

void reader_begin(struct reader *reader, uint64_t from, uint64_t to, uint64_t top,
		  uint64_t top_end)
{
	uint64_t page = reader->mem->page_bytes;

	reader->start = reader->end = 0;
	reader->want = page;
	reader->limit = to + (page - to % page) % page;
	reader->counted = from - from % page;
	reader->block = ARI_UNKNOWN;
	reader->sums.count = 0;
	reader->absent = 0;
	reader->kept.list.count = 0;
	reader->kept.over = false;
	reader->all = (struct reader_count){ .from = from, .to = to };
	reader->top = (struct reader_count){ .from = top, .to = top_end };
}

/* Pages in a row that are in one state: nearly always there are many. */
static size_t run_end(const uint8_t *states, size_t from, size_t count)
{
	uint64_t same = states[from] * UINT64_C(0x0101010101010101), eight;
	size_t end = from + 1;

	for (; end + sizeof(eight) <= count; end += sizeof(eight)) {
		memcpy(&eight, states + end, sizeof(eight));
		if (eight != same)
			break;
	}
	while (end < count && states[end] == states[from])
		end++;
	return end;
}

static void count_run(struct reader_count *count, uint64_t start, uint64_t end,
		      uint8_t state)
{
	start = start < count->from ? count->from : start;
	end = end > count->to ? count->to : end;
	if (start >= end)
		return;
	switch (page_state(state)) {
	case PAGE_SWAPPED:
		count->swapped += end - start;
		break;
	case PAGE_PRESENT:
		count->resident += end - start;
		break;
	case PAGE_UNKNOWN:
		count->unseen += end - start;
		count->untold += end - start;
		break;
	case PAGE_NOT_ALONE:
	case PAGE_UNREADABLE: /* left out of a core */
		count->untold += end - start;
		break;
	default: /* absent, or the page of zeros */
		break;
	}
	if (state & PAGE_IS_HUGE && page_is_present(state))
		count->huge += end - start;
}

static size_t block_pages(const struct reader *reader, uint64_t block)
{
	uint64_t left = (reader->limit - block) / reader->mem->page_bytes;

	return left < READER_BLOCK ? (size_t)left : READER_BLOCK;
}

/* Pages of a run in front of an index in it, or of its end, that are in a state. */
static uint64_t pages_in(const struct reader_run *run, size_t index,
			 enum page_state state)
{
	return run->state == state ? index - run->from : 0;
}

static struct reader_below below_index(const struct reader *reader, size_t index)
{
	const struct reader_run *run = reader->runs;
	size_t low = 0, high = reader->runs_count; /* the run is in [low, high) */

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (reader->runs[middle].from <= index)
			low = middle;
		else
			high = middle;
	}
	run += low;
	return (struct reader_below){
		(run->resident + pages_in(run, index, PAGE_PRESENT))
			<< reader->page_shift,
		(run->swapped + pages_in(run, index, PAGE_SWAPPED)) << reader->page_shift,
	};
}

static void note_run(struct reader *reader, size_t from, uint8_t state)
{
	struct reader_run *run = &reader->runs[reader->runs_count];

	*run = (struct reader_run){ .from = (uint16_t)from, .state = page_state(state) };
	if (reader->runs_count > 0) {
		run->resident = (uint16_t)(run[-1].resident +
					   pages_in(&run[-1], from, PAGE_PRESENT));
		run->swapped = (uint16_t)(run[-1].swapped +
					  pages_in(&run[-1], from, PAGE_SWAPPED));
	}
	reader->runs_count++;
}

static struct reader_below below_block(const struct reader *reader, uint64_t block)
{
	ptrdiff_t i =
		list_floor(reader->sums.at, reader->sums.count, sizeof(struct reader_sum),
			   offsetof(struct reader_sum, from), block);

	return i < 0 ? (struct reader_below){ 0, 0 } : reader->sums.at[i].below;
}

/* Notes what lies below the block behind this one, the last that was counted. */
static bool note_block(struct reader *reader, size_t count, struct ari_error *err)
{
	struct reader_below here = below_index(reader, count);
	struct reader_sum *sum;

	if (here.resident == 0 && here.swapped == 0)
		return true; /* of much that is not there nothing is kept */
	sum = list_add(&reader->sums, err);
	if (sum == NULL)
		return false;
	sum->from = reader->counted;
	sum->below.resident = reader->below_block.resident + here.resident;
	sum->below.swapped = reader->below_block.swapped + here.swapped;
	return true;
}

static bool keep(struct reader_kept *kept, uint64_t pages, uint8_t state,
		 struct ari_error *err)
{
	size_t count = kept->list.count;
	struct reader_pages *run;

	if (kept->over)
		return true;
	if (count > 0 && kept->list.at[count - 1].state == state) {
		kept->list.at[count - 1].pages += pages;
		return true;
	}
	kept->over = count == READER_KEPT_MOST;
	if (kept->over)
		return true;
	run = list_add(&kept->list, err);
	if (run == NULL)
		return false;
	*run = (struct reader_pages){ pages, state };
	return true;
}

/* The runs of a block that was just counted. */
static bool keep_block(struct reader *reader, size_t count, struct ari_error *err)
{
	for (size_t i = 0; reader->kept.wanted && i < reader->runs_count; i++) {
		size_t end =
			i + 1 < reader->runs_count ? reader->runs[i + 1].from : count;

		if (!keep(&reader->kept, end - reader->runs[i].from,
			  reader->runs[i].state, err))
			return false;
	}
	return true;
}

static bool look_up(struct reader *reader, uint64_t block, size_t count,
		    struct ari_error *err)
{
	const struct mem_ops *ops = reader->mem->ops;

	return (reader->mapped ? ops->mapped_pages : ops->pages)(
		reader->mem, block, count, reader->states, err);
}

static bool load_block(struct reader *reader, uint64_t block, struct ari_error *err)
{
	size_t count = block_pages(reader, block);
	uint64_t page = reader->mem->page_bytes;
	bool again = block < reader->counted;

	if (!deadline_ok(reader->deadline, err) || !look_up(reader, block, count, err))
		return false;
	reader->block = block;
	reader->below_block = below_block(reader, block);
	reader->runs_count = 0;
	for (size_t i = 0; i < count;) {
		size_t end = run_end(reader->states, i, count);
		uint64_t from = block + i * page, to = block + end * page;

		note_run(reader, i, reader->states[i]);
		if (!again) {
			count_run(&reader->all, from, to, reader->states[i]);
			count_run(&reader->top, from, to, reader->states[i]);
		}
		i = end;
	}
	if (again)
		return true;
	reader->counted = block + count * page;
	if (reader->runs_count == 1 && reader->states[0] == PAGE_ABSENT)
		reader->absent++;
	else
		reader->absent = 0;
	return note_block(reader, count, err) && keep_block(reader, count, err);
}

/*
 * Blocks without a page, in front of the one that holds address: they count for nothing.
 * A block for each would take as long as a hostile process has reserved memory.
 */
static bool pass_absent(struct reader *reader, uint64_t address, struct ari_error *err)
{
	uint64_t bytes = READER_BLOCK * reader->mem->page_bytes, reached;
	uint64_t blocks = (address - reader->counted) / bytes;
	struct page_run run;
	size_t count;

	if (reader->absent < ABSENT_IN_ROW || !reader->mem->tells_huge)
		return true;
	blocks = blocks < ABSENT_BLOCKS ? blocks : ABSENT_BLOCKS;
	if (blocks == 0)
		return true;
	if (!deadline_ok(reader->deadline, err) ||
	    !reader->mem->ops->runs(reader->mem, reader->counted,
				    reader->counted + blocks * bytes, &run, 1, &count,
				    &reached, err))
		return false;
	if (count > 0) {
		reached = run.start;
		reader->absent = 0;
	}
	blocks = (reached - reader->counted) / bytes;
	reader->counted += blocks * bytes;
	return blocks == 0 || !reader->kept.wanted ||
	       keep(&reader->kept, blocks * READER_BLOCK, PAGE_ABSENT, err);
}

/* Counts up to the block that holds address, and that one. */
static bool count_to(struct reader *reader, uint64_t address, struct ari_error *err)
{
	while (reader->counted <= address && reader->counted < reader->limit)
		if (!pass_absent(reader, address, err) ||
		    !load_block(reader, reader->counted, err))
			return false;
	return true;
}

/* Blocks follow each other from the start of the range. */
static bool reach_block(struct reader *reader, uint64_t address, struct ari_error *err)
{
	uint64_t bytes = READER_BLOCK * reader->mem->page_bytes;
	uint64_t first = reader->all.from - reader->all.from % reader->mem->page_bytes;

	if (!count_to(reader, address, err))
		return false;
	if (reader->block != ARI_UNKNOWN && address >= reader->block &&
	    address - reader->block < bytes)
		return true;
	return load_block(reader, first + (address - first) / bytes * bytes, err);
}

bool reader_finish(struct reader *reader, struct ari_error *err)
{
	return reader->counted >= reader->limit ||
	       count_to(reader, reader->limit - 1, err);
}

bool reader_below(struct reader *reader, uint64_t address, struct reader_below *ret,
		  struct ari_error *err)
{
	unsigned int shift = reader->page_shift;
	uint64_t rest = address & (((uint64_t)1 << shift) - 1);
	struct reader_below here;
	size_t index;

	/* The end of a block needs no look at the next. */
	if (reader->block == ARI_UNKNOWN || address < reader->block ||
	    address - reader->block > (uint64_t)READER_BLOCK << shift) {
		if (!reach_block(reader, address < reader->limit ? address : address - 1,
				 err))
			return false;
	}
	index = (address - reader->block) >> shift;
	*ret = reader->below_block;
	here = below_index(reader, index);
	ret->resident += here.resident;
	ret->swapped += here.swapped;
	if (rest == 0)
		return true;
	if (page_state(reader->states[index]) == PAGE_PRESENT)
		ret->resident += rest;
	else if (page_state(reader->states[index]) == PAGE_SWAPPED)
		ret->swapped += rest;
	return true;
}

uint64_t reader_hole(const struct reader *reader, uint64_t address)
{
	uint64_t page = reader->mem->page_bytes, hole;
	size_t i, end = (reader->end - reader->block) / page;

	/* The states of a window that was left behind may be gone. */
	if (reader->start < reader->block ||
	    reader->start - reader->block >= READER_BLOCK * page)
		return address;
	i = address < reader->end ? (address - reader->block) / page : end;
	while (i < end && page_state(reader->states[i]) == PAGE_PRESENT)
		i = run_end(reader->states, i, end);
	hole = reader->block + i * page;
	return hole > address ? hole : address;
}

/* What to read of these pages of the block: those present, zeros for the others. */
static size_t collect(struct reader *reader, uint64_t start, size_t pages,
		      struct mem_range *ranges)
{
	uint64_t page = reader->mem->page_bytes;
	const uint8_t *states = reader->states + (start - reader->block) / page;
	size_t count = 0;

	for (size_t i = 0; i < pages;) {
		size_t end = run_end(states, i, pages), bytes = (end - i) * page;
		uint64_t address = start + i * page;
		uint8_t *to = reader->window + i * page;

		if (!page_is_present(states[i]))
			memset(to, 0, bytes);
		else if (count > 0 &&
			 ranges[count - 1].address + ranges[count - 1].length == address)
			ranges[count - 1].length += bytes;
		else
			ranges[count++] = (struct mem_range){ address, to, bytes };
		i = end;
	}
	return count;
}

/* A page that a read failed on: it went away, or may not be read. */
static void mark_unreadable(struct reader *reader, uint64_t address)
{
	size_t i = (address - reader->block) / reader->mem->page_bytes;

	if (i < READER_BLOCK)
		reader->states[i] = PAGE_UNREADABLE;
}

static void hold(struct reader *reader, uint64_t start, size_t pages)
{
	reader->start = start;
	reader->end = start + pages * reader->mem->page_bytes;
}

static bool fill(struct reader *reader, uint64_t start, size_t pages,
		 struct ari_error *err)
{
	struct mem_range ranges[WINDOW / 4096];

	/* Every failure marks one page, so this ends. */
	for (size_t tries = 0; tries <= pages; tries++) {
		size_t count = collect(reader, start, pages, ranges), done;

		if (reader->mem->ops->copy(reader->mem, ranges, count, &done, err)) {
			hold(reader, start, pages);
			return true;
		}
		if (err->code != ARI_FAULT || err->address < start ||
		    err->address - start >= pages * reader->mem->page_bytes)
			return false;
		mark_unreadable(reader, err->address);
	}
	return false;
}

/*
 * Twice as much as last time while the caller goes on, little after a jump.  A short
 * jump is none: a call costs as much as reading some pages more.
 */
static void choose_want(struct reader *reader, uint64_t start)
{
	if (start < reader->end || start - reader->end > NEAR)
		reader->want = reader->mem->page_bytes;
	else if (reader->want < WINDOW)
		reader->want *= 2;
}

/* What reaching an address takes: pages of the block, from start on; none: nothing. */
struct wish {
	uint64_t start;
	size_t pages;
};

static bool wish_for(struct reader *reader, uint64_t address, struct wish *ret,
		     struct ari_error *err)
{
	uint64_t page = reader->mem->page_bytes, start = address - address % page;
	size_t index, left;

	*ret = (struct wish){ start, 0 };
	if (!reach_block(reader, address, err))
		return false;
	index = (start - reader->block) / page;
	if (reader_holds(reader, address) || !page_is_present(reader->states[index]))
		return true;
	choose_want(reader, start);
	left = block_pages(reader, reader->block) - index;
	ret->pages = reader->want / page;
	ret->pages = ret->pages < left ? ret->pages : left;
	return true;
}

bool reader_reach(struct reader *reader, uint64_t address, uint8_t *ret_state,
		  struct ari_error *err)
{
	struct wish wish;
	uint8_t state;

	if (!wish_for(reader, address, &wish, err) ||
	    (wish.pages > 0 && !fill(reader, wish.start, wish.pages, err)))
		return false;
	state = page_state(
		reader->states[(wish.start - reader->block) / reader->mem->page_bytes]);
	*ret_state = page_is_present(state) ? PAGE_PRESENT : state;
	return true;
}

bool reader_reach_two(struct reader *one, uint64_t address, struct reader *other,
		      uint64_t other_address, struct ari_error *err)
{
	struct mem_range ranges[2 * WINDOW / 4096];
	struct wish wish, other_wish;
	size_t count, done;

	if (!wish_for(one, address, &wish, err) ||
	    !wish_for(other, other_address, &other_wish, err))
		return false;
	if (wish.pages == 0 || other_wish.pages == 0)
		return true;
	count = collect(one, wish.start, wish.pages, ranges);
	count += collect(other, other_wish.start, other_wish.pages, ranges + count);
	if (!one->mem->ops->copy(one->mem, ranges, count, &done, err)) {
		/* Their windows may hold part of it. */
		one->end = one->start;
		other->end = other->start;
		return mem_is_fault(err);
	}
	hold(one, wish.start, wish.pages);
	hold(other, other_wish.start, other_wish.pages);
	return true;
}
