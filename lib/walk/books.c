// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"
#include "walk/books.h"
#include "walk/chunk.h"

void books_add(struct books_sums *to, const struct books_sums *from)
{
	to->holes_free += from->holes_free;
	to->holes_in_use += from->holes_in_use;
	to->holes_tcache += from->holes_tcache;
	to->not_pinned += from->not_pinned;
	to->trimmable += from->trimmable;
	to->trimmable_swapped += from->trimmable_swapped;
	to->retained_top += from->retained_top;
	to->metadata += from->metadata;
	to->unwalked += from->unwalked;
	to->locked += from->locked;
}

void books_begin(struct books *books, const struct trim_rules *rules,
		 struct reader *reader)
{
	*books = (struct books){ .rules = rules, .reader = reader };
	books->kept[0].address = books->kept[1].address = ARI_UNKNOWN;
}

static uint64_t page_of(const struct books *books)
{
	return books->reader->mem->page_bytes;
}

uint64_t books_least(uint64_t page_bytes)
{
	/* mtrim(): size > psm1 + sizeof (struct malloc_chunk); sizes are 16 apart */
	return page_bytes + CHUNK_HEAD;
}

/* The first page of a free chunk that may go back, in the segment. */
static uint64_t inside_of(const struct books *books, uint64_t at)
{
	uint64_t inside = round_up(at + CHUNK_HEAD, page_of(books));

	return inside < books->reader->limit ? inside : books->reader->limit;
}

bool books_keep(struct books *books, uint64_t at, struct ari_error *err)
{
	uint64_t addresses[2] = { at, inside_of(books, at) };

	for (int i = 0; i < 2; i++) {
		books->kept[i].address = ARI_UNKNOWN;
		if (!reader_below(books->reader, addresses[i], &books->kept[i].below,
				  err))
			return false;
		books->kept[i].address = addresses[i];
	}
	return true;
}

static bool below(struct books *books, uint64_t address, struct reader_below *ret,
		  struct ari_error *err)
{
	for (int i = 0; i < 2; i++) {
		if (address == books->kept[i].address) {
			*ret = books->kept[i].below;
			return true;
		}
	}
	return reader_below(books->reader, address, ret, err);
}

static struct reader_below difference(struct reader_below high, struct reader_below low)
{
	high.resident -= low.resident;
	high.swapped -= low.swapped;
	return high;
}

static bool tell(struct books *books, uint64_t from, uint64_t to,
		 enum ari_page_state class, struct ari_error *err)
{
	return books->runs == NULL || runs_tell(books->runs, from, to, class, err);
}

/* What a sum that is counted by itself is of. */
static enum ari_page_state class_of(const struct books *books, const uint64_t *sum)
{
	if (sum == &books->sums.metadata)
		return ARI_PAGE_METADATA;
	return sum == &books->sums.retained_top ? ARI_PAGE_RETAINED_TOP
						: ARI_PAGE_UNWALKED;
}

bool books_resident(struct books *books, uint64_t at, uint64_t end, uint64_t *sum,
		    struct ari_error *err)
{
	struct reader_below low, high;

	if (at >= end)
		return true;
	if (!below(books, at, &low, err) || !below(books, end, &high, err))
		return false;
	*sum += difference(high, low).resident;
	return true;
}

bool books_other(struct books *books, uint64_t at, uint64_t end, uint64_t *sum,
		 struct ari_error *err)
{
	return at >= end || (tell(books, at, end, class_of(books, sum), err) &&
			     books_resident(books, at, end, sum, err));
}

/* Where every byte is resident its address counts as well as what lies below it. */
static struct reader_below plain(uint64_t address)
{
	return (struct reader_below){ address, 0 };
}

static bool look_up(struct books *books, struct books_run *run, struct ari_error *err)
{
	uint64_t last = run->end - run->end % page_of(books);

	run->whole = false;
	return below(books, run->start, &run->below_start, err) &&
	       below(books, run->inside, &run->below_inside, err) &&
	       below(books, last, &run->below_last, err);
}

static bool grow_run(struct books *books, struct books_run *run, uint64_t end, bool whole,
		     struct ari_error *err)
{
	uint64_t last = end - end % page_of(books);

	run->end = end;
	if (run->whole && whole) {
		run->below_last = plain(last);
		return true;
	}
	return run->whole ? look_up(books, run, err)
			  : below(books, last, &run->below_last, err);
}

static bool begin_run(struct books *books, uint64_t at, uint64_t end, bool whole,
		      struct books_run *run, struct ari_error *err)
{
	*run = (struct books_run){
		.start = at, .end = end, .whole = whole, .inside = inside_of(books, at)
	};
	if (!whole)
		return look_up(books, run, err);
	run->below_start = plain(at);
	run->below_inside = plain(run->inside);
	run->below_last = plain(end - end % page_of(books));
	return true;
}

bool books_measure(struct books *books, uint64_t at, uint64_t end, struct books_run *ret,
		   struct ari_error *err)
{
	return begin_run(books, at, end, false, ret, err);
}

static void add_trimmable(struct books *books, struct reader_below count)
{
	books->sums.trimmable += count.resident;
	books->sums.trimmable_swapped += count.swapped;
}

/*
 * madvise() goes from mapping to mapping and stops at the first that is locked:
 * what lies in front of it is gone by then.
 */
static uint64_t end_of_advice(const struct trim_rules *rules, uint64_t from, uint64_t to)
{
	ptrdiff_t i = list_floor(rules->locked, rules->locked_count, sizeof(struct span),
				 offsetof(struct span, start), from);

	if (i >= 0 && rules->locked[i].end > from)
		return from;
	i++;
	if ((size_t)i < rules->locked_count && rules->locked[i].start < to)
		return rules->locked[i].start;
	return to;
}

/* malloc_trim() looks for pages in it: the last may begin here. */
static bool has_inside(const struct books *books, const struct books_run *run,
		       uint64_t last)
{
	return !books->rules->skips &&
	       run->end - run->start >= books_least(page_of(books)) && last > run->inside;
}

/* What is resident of those pages, locked or not. */
static uint64_t inside_resident(const struct books *books, const struct books_run *run)
{
	uint64_t last = run->end - run->end % page_of(books);

	if (!has_inside(books, run, last))
		return 0;
	return difference(run->below_last, run->below_inside).resident;
}

/* The pages from run->inside to this address go back; there itself: none. */
static uint64_t gives_to(const struct books *books, const struct books_run *run)
{
	uint64_t last = run->end - run->end % page_of(books);

	return has_inside(books, run, last)
		       ? end_of_advice(books->rules, run->inside, last)
		       : run->inside;
}

bool books_gives(struct books *books, const struct books_run *run,
		 struct reader_below *ret, struct ari_error *err)
{
	uint64_t last = run->end - run->end % page_of(books);
	uint64_t to = gives_to(books, run);
	struct reader_below high = run->below_last;

	*ret = (struct reader_below){ 0, 0 };
	if (to == run->inside)
		return true;
	if (to != last && run->whole)
		high = plain(to);
	else if (to != last && !below(books, to, &high, err))
		return false;
	*ret = difference(high, run->below_inside);
	return true;
}

/* The run that is closed.  One in which nothing is inside may end before that. */
static bool tell_run(struct books *books, struct ari_error *err)
{
	const struct books_run *run = &books->run;
	uint64_t to = gives_to(books, run);

	if (to == run->inside)
		return tell(books, run->start, run->end, ARI_PAGE_PINNED_FREE, err);
	return tell(books, run->start, run->inside, ARI_PAGE_PINNED_FREE, err) &&
	       tell(books, run->inside, to, ARI_PAGE_TRIMMABLE, err) &&
	       tell(books, to, run->end, ARI_PAGE_PINNED_FREE, err);
}

bool books_close(struct books *books, struct ari_error *err)
{
	struct reader_below count;

	if (!books_is_open(books))
		return true;
	if (!books_gives(books, &books->run, &count, err) || !tell_run(books, err))
		return false;
	add_trimmable(books, count);
	books->sums.not_pinned += count.resident;
	books->sums.locked += inside_resident(books, &books->run) - count.resident;
	books->closed.end = books->run.end;
	books->closed.gives = count.resident;
	books->run.end = books->run.start;
	return true;
}

/* Chunks of bins never border each other: only fastbins make them one. */
static bool joins(const struct books *books, uint64_t at, enum books_chunk kind)
{
	if (!books_is_open(books) || books->run.end != at || books->rules->skips)
		return false;
	return kind == BOOKS_FAST || (kind == BOOKS_FREE && books->run.merged);
}

static uint64_t *holes_of(struct books *books, enum books_chunk kind)
{
	if (kind == BOOKS_IN_USE)
		return &books->sums.holes_in_use;
	return kind == BOOKS_TCACHE ? &books->sums.holes_tcache : &books->sums.holes_free;
}

static bool count_holes(struct books *books, uint64_t at, uint64_t end, uint64_t *holes,
			struct ari_error *err)
{
	struct reader_below low, high;

	if (!below(books, at, &low, err) || !below(books, end, &high, err))
		return false;
	*holes += end - at - difference(high, low).resident;
	return true;
}

bool books_chunk(struct books *books, uint64_t at, uint64_t end, enum books_chunk kind,
		 bool whole, struct ari_error *err)
{
	if (!whole && !count_holes(books, at, end, holes_of(books, kind), err))
		return false;
	if (kind == BOOKS_IN_USE || kind == BOOKS_TCACHE)
		return books_close(books, err) &&
		       tell(books, at, end,
			    kind == BOOKS_TCACHE ? ARI_PAGE_CACHED : ARI_PAGE_IN_USE,
			    err);
	if (joins(books, at, kind)) {
		if (!grow_run(books, &books->run, end, whole, err))
			return false;
	} else if (!books_close(books, err) ||
		   !begin_run(books, at, end, whole, &books->run, err)) {
		return false;
	}
	books->run.merged |= kind == BOOKS_FAST;
	return true;
}

uint64_t books_lowered(const struct books *books, uint64_t at, uint64_t end, uint64_t pad)
{
	uint64_t area = end - at, step = books->rules->step;

	if (area <= CHUNK_MIN + 1 || area - CHUNK_MIN - 1 <= pad)
		return end;
	area -= CHUNK_MIN + 1 + pad;
	return end - area / step * step;
}

uint64_t books_brk_kept(const struct books *books, uint64_t at, uint64_t end)
{
	const struct trim_rules *rules = books->rules;

	if (!rules->is_main || rules->skips ||
	    rules->brk_end != round_up(end, page_of(books)))
		return end;
	return books_lowered(books, at, end, 0);
}

bool books_top(struct books *books, uint64_t at, uint64_t end, uint64_t to,
	       struct ari_error *err)
{
	struct books_run *run = &books->run;
	struct reader_below top, low, mid, high;
	uint64_t from = at, kept;

	if (!below(books, at, &top, err))
		return false;
	low = top;
	/* What malloc_consolidate() frees in front of top becomes part of it. */
	if (books_is_open(books) && run->end == at && run->merged &&
	    !books->rules->skips) {
		if (run->whole && !look_up(books, run, err))
			return false;
		from = run->start;
		low = run->below_start;
		books->sums.not_pinned += difference(top, low).resident;
		run->end = run->start;
	} else if (!books_close(books, err)) {
		return false;
	}
	/* The kernel unmaps whole pages; of a thread's heap all stays. */
	kept = round_up(books_brk_kept(books, from, end), page_of(books));
	kept = books->rules->is_main && kept < to ? kept : to;
	if (!below(books, kept, &mid, err) || !below(books, to, &high, err) ||
	    !tell(books, from, kept, ARI_PAGE_RETAINED_TOP, err) ||
	    !tell(books, kept, to, ARI_PAGE_TRIMMABLE, err))
		return false;
	books->sums.retained_top += difference(mid, low).resident;
	add_trimmable(books, difference(high, mid));
	return true;
}
