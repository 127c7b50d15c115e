// SPDX-License-Identifier: Apache-2.0
/* Where the threads' struct pthreads are. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "base/set.h"
#include "walk/threads.h"

#define ENDED_MAX  65536		 /* on nptl's lists, and not yet joined */
#define WINDOW	   ((size_t)65536)	 /* read at once */
#define SEARCH_MAX ((uint64_t)256 << 20) /* bytes that are searched in all */
#define RUN_MAX	   ((uint64_t)16 << 20)	 /* more than that in a row is no stack */
#define RUNS	   256
#define ALIGNMENT  16 /* at least, of a struct pthread */

/* tcbhead_t of x86_64 begins with them: tcb, dtv, self. */
enum { TCB, DTV, SELF, HEAD_WORDS };

static bool is_readable(bool read, const struct ari_error *why, enum ari_yesno *ret)
{
	if (!read && mem_is_fault(why))
		*ret = ARI_MAYBE;
	return read;
}

static bool has_self(const uint64_t *words, uint64_t address)
{
	return words[TCB] == address && words[SELF] == address;
}

bool pthread_tid(struct walk *walk, uint64_t pthread, int32_t *ret, struct ari_error *err)
{
	uint64_t at;

	if (__builtin_add_overflow(pthread, walk->layout->arch->pthread_tid, &at))
		return fail_at(err, ARI_FAULT, pthread, "beyond the address space");
	return mem_read(walk->mem, at, ret, sizeof(*ret), err);
}

bool pthread_check(struct walk *walk, uint64_t address, uint64_t ns_tid,
		   enum ari_yesno *ret, struct ari_error *err)
{
	uint64_t words[HEAD_WORDS];
	int32_t tid;

	*ret = ARI_NO;
	if (address % ALIGNMENT != 0)
		return true;
	if (walk->layout->arch->tls_variant == 2) {
		if (!is_readable(mem_read(walk->mem, address, words, sizeof(words), err),
				 err, ret))
			return mem_is_fault(err);
		if (!has_self(words, address))
			return true;
	}
	if (!is_readable(pthread_tid(walk, address, &tid, err), err, ret))
		return mem_is_fault(err);
	if (ns_tid == ARI_UNKNOWN || (uint64_t)tid == ns_tid)
		*ret = ARI_YES;
	return true;
}

/* ---- who is missing ---- */

/* From an id to the place of the thread, of those without a struct pthread. */
static bool index_missing(const struct walk *walk, struct set *ret, struct ari_error *err)
{
	for (size_t i = 0; i < walk->threads.count; i++) {
		const struct thread_place *place = &walk->threads.at[i];

		if (place->pthread == 0 && place->ns_tid != ARI_UNKNOWN &&
		    place->ns_tid != 0 && !set_add(ret, place->ns_tid, i, err))
			return false;
	}
	return true;
}

/* Takes a struct pthread for whom it is of; nothing is taken twice. */
static bool take(struct walk *walk, const struct set *missing, uint64_t pthread,
		 struct ari_error *err)
{
	struct thread_place *place;
	enum ari_yesno is;
	int32_t tid;
	uint64_t i;

	if (!pthread_tid(walk, pthread, &tid, err))
		return mem_is_fault(err);
	if (tid <= 0 || !set_find(missing, (uint64_t)tid, &i))
		return true;
	place = &walk->threads.at[i];
	if (place->pthread != 0)
		return true;
	if (!pthread_check(walk, pthread, place->ns_tid, &is, err))
		return false;
	if (is == ARI_YES)
		place->pthread = pthread;
	return true;
}

/* ---- nptl's lists ---- */

struct list {
	struct walk *walk;
	const struct set *missing;
	struct set seen;
	bool closed;
};

static bool follow_list(struct list *list, uint64_t head, struct ari_error *err)
{
	struct walk *walk = list->walk;
	size_t most = walk->threads.count + ENDED_MAX;
	uint16_t offset = walk->layout->arch->pthread_list;
	uint64_t node = head;

	for (;;) {
		if (!deadline_ok(walk->deadline, err))
			return false;
		if (!mem_read_word(walk->mem, node, &node, err))
			return mem_is_fault(err);
		if (node == head) {
			list->closed = true;
			return true;
		}
		if (node <= offset || list->seen.count == most ||
		    set_find(&list->seen, node, NULL))
			return true; /* it changes while we read, or is none */
		if (!set_add(&list->seen, node, 0, err) ||
		    !take(walk, list->missing, node - offset, err))
			return false;
	}
}

static bool follow_both(struct walk *walk, const struct set *missing,
			const uint64_t stacks[2], bool *ret, struct ari_error *err)
{
	*ret = true;
	for (int i = 0; i < 2; i++) {
		struct list list = { .walk = walk, .missing = missing };
		bool done = stacks[i] == 0 || follow_list(&list, stacks[i], err);

		set_done(&list.seen);
		if (!done)
			return false;
		*ret = *ret && list.closed;
	}
	return true;
}

bool pthreads_from_lists(struct walk *walk, const uint64_t stacks[2], bool *ret,
			 struct ari_error *err)
{
	struct set missing = { 0 };
	bool done = index_missing(walk, &missing, err) &&
		    follow_both(walk, &missing, stacks, ret, err);

	set_done(&missing);
	return done;
}

/* ---- the search ---- */

struct hunt {
	struct walk *walk;
	struct set missing;
	uint64_t left; /* bytes that may still be searched */
	bool whole;    /* nothing was left out */
	size_t found;  /* whatever their ids */
	uint64_t only; /* the last of these */
	uint8_t window[WINDOW];
};

/* Whether both neighbours in nptl's list lead back. */
static bool is_linked(struct walk *walk, uint64_t pthread)
{
	uint64_t node = pthread + walk->layout->arch->pthread_list, next, prev, back;

	return mem_read_word(walk->mem, node, &next, NULL) &&
	       mem_read_word(walk->mem, node + 8, &prev, NULL) &&
	       mem_read_word(walk->mem, next + 8, &back, NULL) && back == node &&
	       mem_read_word(walk->mem, prev, &back, NULL) && back == node;
}

static bool met(struct hunt *hunt, uint64_t pthread, struct ari_error *err)
{
	hunt->found++;
	hunt->only = pthread;
	return take(hunt->walk, &hunt->missing, pthread, err);
}

/* By the two words that point at themselves. */
static bool search_selves(struct hunt *hunt, uint64_t start, size_t length,
			  struct ari_error *err)
{
	for (size_t at = 0; at + HEAD_WORDS * 8 <= length; at += ALIGNMENT) {
		uint64_t words[HEAD_WORDS];

		memcpy(words, hunt->window + at, sizeof(words));
		if (has_self(words, start + at) && !met(hunt, start + at, err))
			return false;
	}
	return true;
}

/* By the id, and the neighbours in nptl's list. */
static bool search_ids(struct hunt *hunt, uint64_t start, size_t length,
		       struct ari_error *err)
{
	uint16_t offset = hunt->walk->layout->arch->pthread_tid;

	for (size_t at = offset % ALIGNMENT; at + 4 <= length; at += ALIGNMENT) {
		int32_t tid;

		memcpy(&tid, hunt->window + at, sizeof(tid));
		if (tid > 0 && start + at > offset &&
		    set_find(&hunt->missing, (uint64_t)tid, NULL) &&
		    is_linked(hunt->walk, start + at - offset) &&
		    !met(hunt, start + at - offset, err))
			return false;
	}
	return true;
}

static bool search_run(struct hunt *hunt, uint64_t start, uint64_t end,
		       struct ari_error *err)
{
	bool by_self = hunt->walk->layout->arch->tls_variant == 2;

	/* What lies across two windows is seen in the second. */
	for (uint64_t at = start; at < end; at += WINDOW - ALIGNMENT) {
		size_t length = end - at < WINDOW ? (size_t)(end - at) : WINDOW;

		if (!deadline_ok(hunt->walk->deadline, err))
			return false;
		if (!mem_read(hunt->walk->mem, at, hunt->window, length, err)) {
			hunt->whole = false;
			return mem_is_fault(err);
		}
		if (!(by_self ? search_selves : search_ids)(hunt, at, length, err))
			return false;
		if (length < WINDOW)
			break;
	}
	return true;
}

static bool search_map(struct hunt *hunt, uint64_t start, uint64_t end,
		       struct ari_error *err)
{
	struct mem *mem = hunt->walk->mem;

	while (start < end) {
		struct page_run runs[RUNS];
		size_t count;

		if (!mem->ops->runs(mem, start, end, runs, RUNS, &count, &start, err))
			return false;
		for (size_t i = 0; i < count; i++) {
			uint64_t bytes = runs[i].end - runs[i].start;

			if (!page_is_present(runs[i].state) || bytes > RUN_MAX ||
			    bytes > hunt->left) {
				hunt->whole = false;
				continue;
			}
			hunt->left -= bytes;
			if (!search_run(hunt, runs[i].start, runs[i].end, err))
				return false;
		}
	}
	return true;
}

/* Stacks, what ld.so has of its own, and where a static program begins its heap. */
static bool may_hold(const struct map *map)
{
	return (map->flags & MAP_WRITE) && !(map->flags & MAP_IS_SHARED) &&
	       map_is_own_memory(map);
}

static bool search_maps(struct hunt *hunt, struct ari_error *err)
{
	const struct maps *maps = hunt->walk->mem->maps;

	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		if (may_hold(map) && !search_map(hunt, map->start, map->end, err))
			return false;
	}
	/* Where nobody tells which pages are present, none is read. */
	hunt->whole &= hunt->left < SEARCH_MAX;
	return true;
}

bool pthreads_by_search(struct walk *walk, bool *ret, struct ari_error *err)
{
	struct hunt *hunt = calloc(1, sizeof(*hunt));
	struct thread_place *first = walk->threads.at;
	bool done;

	if (hunt == NULL)
		return fail_memory(err);
	hunt->walk = walk;
	hunt->left = SEARCH_MAX;
	hunt->whole = true;
	done = index_missing(walk, &hunt->missing, err) && search_maps(hunt, err);
	if (done && walk->threads.count == 1 && first->pthread == 0 && hunt->found == 1)
		first->pthread = hunt->only;
	*ret = hunt->whole;
	set_done(&hunt->missing);
	free(hunt);
	return done;
}
