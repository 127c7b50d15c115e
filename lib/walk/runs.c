// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "walk/runs.h"

void runs_begin(struct runs *runs, uint64_t from, uint64_t page)
{
	runs->page = page;
	runs->at = from;
	runs->list.count = 0;
	runs->over = false;
	memset(runs->bytes, 0, sizeof(runs->bytes));
}

void runs_done(struct runs *runs)
{
	list_done(&runs->list);
}

/* Appends pages, to the last run where that is in the same state. */
static bool append(struct ari_list *list, uint64_t pages, uint64_t state, bool *over,
		   struct ari_error *err)
{
	struct ari_page_run *at = list->at, *run;

	if (*over)
		return true;
	if (list->count > 0 && at[list->count - 1].state == state) {
		at[list->count - 1].pages += pages;
		return true;
	}
	*over = list->count == RUNS_MOST;
	if (*over)
		return true;
	run = list_grow(list, sizeof(*run), err);
	if (run == NULL)
		return false;
	*run = (struct ari_page_run){ pages, state };
	return true;
}

static bool add_pages(struct runs *runs, uint64_t pages, enum ari_page_state class,
		      struct ari_error *err)
{
	return append(&runs->list.raw, pages, class, &runs->over, err);
}

/* What most of the page's bytes are; of equals the first. */
static enum ari_page_state class_of_page(const struct runs *runs)
{
	size_t most = 0;

	for (size_t i = 1; i < ARI_PAGE_FREE; i++)
		if (runs->bytes[i] > runs->bytes[most])
			most = i;
	return (enum ari_page_state)most;
}

/* The page in front of `at` is told to its end. */
static bool end_page(struct runs *runs, struct ari_error *err)
{
	enum ari_page_state class = class_of_page(runs);

	memset(runs->bytes, 0, sizeof(runs->bytes));
	return add_pages(runs, 1, class, err);
}

/* Bytes from `at` on, up to the end of its page at most. */
static bool tell_part(struct runs *runs, uint64_t to, enum ari_page_state class,
		      struct ari_error *err)
{
	uint64_t left = runs->page - runs->at % runs->page;
	uint64_t bytes = to - runs->at < left ? to - runs->at : left;

	runs->bytes[class] += bytes;
	runs->at += bytes;
	return bytes < left || end_page(runs, err);
}

static bool tell(struct runs *runs, uint64_t to, enum ari_page_state class,
		 struct ari_error *err)
{
	uint64_t pages;

	if (runs->at % runs->page != 0 && runs->at < to &&
	    !tell_part(runs, to, class, err))
		return false;
	if (runs->at >= to)
		return true;
	pages = (to - runs->at) / runs->page;
	runs->at += pages * runs->page;
	return (pages == 0 || add_pages(runs, pages, class, err)) &&
	       (runs->at == to || tell_part(runs, to, class, err));
}

bool runs_tell(struct runs *runs, uint64_t from, uint64_t to, enum ari_page_state class,
	       struct ari_error *err)
{
	return tell(runs, from, ARI_PAGE_UNWALKED, err) && tell(runs, to, class, err);
}

/* ---- with the states of the pages ---- */

static uint64_t state_of_resident(enum ari_page_state class, const struct runs_view *view)
{
	bool is_free = class == ARI_PAGE_TRIMMABLE || class == ARI_PAGE_PINNED_FREE;

	return is_free && !(view->resident_known && view->trim_known) ? ARI_PAGE_FREE
								      : class;
}

static uint64_t state_of(enum ari_page_state class, uint8_t state,
			 const struct runs_view *view)
{
	switch (page_state(state)) {
	case PAGE_ABSENT:
		return ARI_PAGE_ABSENT;
	case PAGE_SWAPPED:
		return ARI_PAGE_SWAPPED;
	case PAGE_ZERO:
		return view->hugetlb ? ARI_PAGE_HUGETLB : ARI_PAGE_ZERO;
	case PAGE_PRESENT:
	case PAGE_NOT_ALONE:
		return state_of_resident(class, view);
	default:
		return ARI_UNKNOWN;
	}
}

/* Where in the list of classes it is. */
struct cursor {
	const struct runs *runs;
	size_t next;
	enum ari_page_state class;
	uint64_t left; /* pages of that class */
};

/* So many pages, `most` at most, are of one class; of what was not told unwalked. */
static uint64_t pass_class(struct cursor *cursor, uint64_t most)
{
	uint64_t step;

	if (cursor->left == 0 && cursor->next < cursor->runs->list.count) {
		const struct ari_page_run *run = &cursor->runs->list.at[cursor->next++];

		cursor->class = (enum ari_page_state)run->state;
		cursor->left = run->pages;
	}
	if (cursor->left == 0) {
		cursor->class = ARI_PAGE_UNWALKED;
		return most;
	}
	step = cursor->left < most ? cursor->left : most;
	cursor->left -= step;
	return step;
}

/* Pages that the reader found in one state. */
static bool fill_run(struct cursor *cursor, const struct reader_pages *pages,
		     const struct runs_view *view, struct ari_list *list, bool *over,
		     struct ari_error *err)
{
	for (uint64_t left = pages->pages; left > 0;) {
		uint64_t step = pass_class(cursor, left);

		if (!append(list, step, state_of(cursor->class, pages->state, view), over,
			    err))
			return false;
		left -= step;
	}
	return true;
}

bool runs_fill(struct runs *runs, const struct reader_kept *kept,
	       const struct runs_view *view, struct ari_heap *ret, struct ari_error *err)
{
	struct cursor cursor = { .runs = runs };
	bool over;

	if (runs->at % runs->page != 0 && !end_page(runs, err))
		return false;
	over = runs->over || kept->over;
	for (size_t i = 0; i < kept->list.count && !over; i++)
		if (!fill_run(&cursor, &kept->list.at[i], view, &ret->runs.raw, &over,
			      err))
			return false;
	if (over)
		list_done(&ret->runs);
	ret->runs.known = !over;
	return true;
}
