// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "walk/chunk.h"
#include "walk/pins.h"

void pins_begin(struct pins *pins, size_t wanted, uint64_t first, bool unmaps)
{
	*pins = (struct pins){ .wanted = wanted < PINS_MAX ? wanted : PINS_MAX,
			       .first = first,
			       .unmaps = unmaps };
}

/* Keeps the list in order, most first, and no longer than it is wanted. */
static void add(struct pins *pins, uint64_t holds)
{
	struct ari_pin pin = { .address = pins->chunk.start,
			       .bytes = pins->chunk.end - pins->chunk.start,
			       .holds_bytes = holds,
			       .cached = pins->cached ? ARI_YES : ARI_NO };
	size_t i = pins->count;

	while (i > 0 && pins->at[i - 1].holds_bytes < holds)
		i--;
	if (holds == 0 || i == pins->wanted)
		return;
	if (pins->count < pins->wanted)
		pins->count++;
	memmove(&pins->at[i + 1], &pins->at[i],
		(pins->count - i - 1) * sizeof(*pins->at));
	pins->at[i] = pin;
}

static bool gives(struct books *books, const struct books_run *run, uint64_t *ret,
		  struct ari_error *err)
{
	struct reader_below count = { 0, 0 };

	if (!books_run_is_empty(run) && !books_gives(books, run, &count, err))
		return false;
	*ret = count.resident;
	return true;
}

/* What goes back already, and the pages that are the chunk's alone. */
static bool gives_now(struct pins *pins, struct books *books,
		      const struct books_run *after, uint64_t *ret, struct ari_error *err)
{
	uint64_t before, own, behind;

	if (!gives(books, &pins->before, &before, err) ||
	    !gives(books, &pins->chunk, &own, err) || !gives(books, after, &behind, err))
		return false;
	*ret = before + own + behind;
	return true;
}

/* The chunk with the free ones on both sides, as one. */
static struct books_run joined(const struct pins *pins, const struct books_run *after)
{
	struct books_run all =
		books_run_is_empty(&pins->before) ? pins->chunk : pins->before;

	all.end = books_run_is_empty(after) ? pins->chunk.end : after->end;
	all.below_last =
		books_run_is_empty(after) ? pins->chunk.below_last : after->below_last;
	return all;
}

/* The free ones behind the chunk: the run that is open, if it is that. */
static struct books_run behind(const struct pins *pins, const struct books *books)
{
	if (books_is_open(books) && books->run.start == pins->chunk.end)
		return books->run;
	return (struct books_run){ 0 };
}

bool pins_close(struct pins *pins, struct books *books, struct ari_error *err)
{
	struct books_run after = behind(pins, books), all;
	uint64_t now, then;

	if (books_run_is_empty(&pins->chunk))
		return true;
	all = joined(pins, &after);
	if (!gives_now(pins, books, &after, &now, err) || !gives(books, &all, &then, err))
		return false;
	add(pins, then > now ? then - now : 0);
	pins->chunk.end = pins->chunk.start;
	return true;
}

bool pins_chunk(struct pins *pins, struct books *books, uint64_t at, uint64_t end,
		bool cached, struct ari_error *err)
{
	if (!pins_close(pins, books, err) ||
	    !books_measure(books, at, end, &pins->chunk, err))
		return false;
	pins->cached = cached;
	pins->before = (struct books_run){ 0 };
	if (books_is_open(books) && books->run.end == at)
		pins->before = books->run;
	return true;
}

/* Where pages begin to go back once top begins at `from`. */
static uint64_t kept_of(const struct pins *pins, const struct books *books, uint64_t from,
			uint64_t end)
{
	const struct trim_rules *rules = books->rules;

	if (rules->is_main)
		return books_brk_kept(books, from, end);
	if (pins->unmaps && from == pins->first)
		return books->reader->all.from;
	return end - from < rules->threshold
		       ? end
		       : books_lowered(books, from, end, rules->top_pad);
}

bool pins_top(struct pins *pins, struct books *books, uint64_t at, uint64_t end,
	      uint64_t to, struct ari_error *err)
{
	struct books_run after = behind(pins, books);
	uint64_t page = books->reader->mem->page_bytes;
	uint64_t now, then = 0, from, kept, sunk = 0, kept_now;

	/* What is between the chunk and top is merged into top. */
	if (books_run_is_empty(&pins->chunk) ||
	    (books_run_is_empty(&after) ? pins->chunk.end : after.end) != at)
		return pins_close(pins, books, err);
	from = books_run_is_empty(&pins->before) ? pins->chunk.start : pins->before.start;
	kept = round_up(kept_of(pins, books, from, end), page);
	kept_now = round_up(kept_of(pins, books, pins->chunk.end, end), page);
	after = (struct books_run){ 0 };
	if (!gives_now(pins, books, &after, &now, err) ||
	    (kept < end && !books_resident(books, kept, to, &then, err)) ||
	    (books->rules->is_main && kept_now < end &&
	     !books_resident(books, kept_now, to, &sunk, err)))
		return false;
	now += sunk;
	add(pins, then > now ? then - now : 0);
	pins->chunk.end = pins->chunk.start;
	return true;
}
