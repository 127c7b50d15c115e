// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/list.h"
#include "layout/code.h"
#include "layout/table.h"
#include "model/model.h"
#include "walk/proof_text.h"
#include "walk/prove.h"
#include "walk/search.h"

#define REGION_MAX  ((uint64_t)8 << 20)
#define REGIONS_MAX ((uint64_t)16 << 20) /* bytes of all */
#define TRIES	    4			 /* the process moves while it is proven */

/* Writable memory of the image, copied. */
struct region {
	uint64_t start;
	size_t length;
	uint8_t *bytes;
};

struct candidate {
	struct layout layout;
	unsigned int release;
};

struct search {
	struct mem *mem;
	const struct image *image;
	struct symbols *symbols;
	struct deadline deadline;
	ARI_LIST(struct region) regions;
	uint64_t left; /* bytes that they may still take */
	struct candidate candidates[TABLE_RELEASES_MAX + 1]; /* the release's own first */
	size_t count;
	size_t tried;	     /* addresses that were worth a proof */
	const char *nearest; /* the last check that failed */
	size_t unread;	     /* pages of the regions that cannot be read */
	uint64_t references[CODE_REFERENCES_MAX]; /* of malloc_trim's code */
	size_t reference_count;
	struct ari_error *err;
};

/* ---- the memory that is searched ---- */

/* Pages that cannot be read stay zeros: nothing is found there. */
static void read_pages(struct search *search, struct region *region)
{
	uint64_t page = search->mem->page_bytes;

	for (size_t at = 0; at < region->length; at += page) {
		/* A core may have a part that ends within a page. */
		size_t left = region->length - at, bytes = left < page ? left : page;

		if (mem_read(search->mem, region->start + at, region->bytes + at, bytes,
			     NULL))
			continue;
		memset(region->bytes + at, 0, bytes);
		search->unread++;
	}
}

static bool add_region(struct search *search, uint64_t start, uint64_t end)
{
	uint64_t length = end - start < REGION_MAX ? end - start : REGION_MAX;
	struct region *region;

	if (length > search->left)
		return true; /* no C library has so much */
	region = list_add(&search->regions, search->err);
	if (region == NULL)
		return false;
	search->left -= length;
	region->start = start;
	region->length = length;
	region->bytes = calloc(1, region->length);
	if (region->bytes == NULL)
		return fail_memory(search->err);
	read_pages(search, region);
	return true;
}

/*
 * Writable, or meant to be: somebody may have protected it.  Older linkers left
 * a gap that nobody may read between code and data; that is no data.
 */
static bool is_data(const struct image *image, const struct map *map, bool bss)
{
	if (map->flags & MAP_WRITE)
		return true;
	return !(map->flags & (MAP_READ | MAP_EXEC)) &&
	       (bss || image_is_writable(image, map->start));
}

/* The image's own writable mappings, and the .bss that follows them. */
static bool load_regions(struct search *search)
{
	const struct maps *maps = search->mem->maps;
	uint64_t end = 0;

	search->unread = 0;
	search->left = REGIONS_MAX;
	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];
		bool own = strcmp(map->path, search->image->path) == 0;
		bool bss = map->path[0] == '\0' && map->start == end;

		/* dlmopen maps the same file once more, for another malloc. */
		if (!(own || bss) || !image_covers(search->image, map->start))
			continue;
		end = map->end;
		if (is_data(search->image, map, bss) &&
		    !add_region(search, map->start, map->end))
			return false;
	}
	return true;
}

static void free_regions(struct search *search)
{
	for (size_t i = 0; i < search->regions.count; i++)
		free(search->regions.at[i].bytes);
	list_done(&search->regions);
}

/* ---- the layouts that are tried ---- */

static void list_candidates(struct search *search, unsigned int own)
{
	unsigned int releases[TABLE_RELEASES_MAX];
	size_t count = table_releases(releases, TABLE_RELEASES_MAX);

	search->candidates[0].release = own;
	table_layout(search->image->arch, own, &search->candidates[0].layout);
	search->count = 1;
	for (size_t i = count; i-- > 0;) {
		struct candidate *candidate = &search->candidates[search->count++];

		candidate->release = releases[i];
		table_layout(search->image->arch, releases[i], &candidate->layout);
	}
}

/* Whether an earlier candidate places these structs alike. */
static bool is_repeated(const struct search *search, size_t index,
			enum layout_struct first, enum layout_struct second)
{
	const struct layout *layout = &search->candidates[index].layout;

	for (size_t i = 0; i < index; i++) {
		const struct layout *other = &search->candidates[i].layout;

		if (layout_same_struct(layout, other, first) &&
		    layout_same_struct(layout, other, second))
			return true;
	}
	return false;
}

/* ---- main_arena ---- */

struct state_hit {
	uint64_t address;
	size_t candidate;
	struct proof proof;
	size_t hits; /* how many places and layouts passed */
};

/* Whether malloc_trim's code names the address: main_arena, whatever its bytes. */
static bool code_refers_to(const struct search *search, uint64_t address)
{
	for (size_t i = 0; i < search->reference_count; i++)
		if (search->references[i] == address)
			return true;
	return false;
}

/* A damaged main_arena is believed where code or a symbol says that it is there. */
static bool is_believed(const struct search *search, uint64_t address,
			const struct proof *proof)
{
	return proof->passed || (proof->may_be_damaged &&
				 (address == search->symbols->address[SYM_MAIN_ARENA] ||
				  code_refers_to(search, address)));
}

/*
 * The same place under a layout that differs in heap_info alone is one hit: the
 * one that leaves fewer heaps unexplained.
 */
static void take_state_hit(const struct search *search, size_t candidate,
			   uint64_t address, const struct proof *proof,
			   struct state_hit *hit)
{
	bool same = hit->hits > 0 && hit->address == address &&
		    layout_same_struct(&search->candidates[candidate].layout,
				       &search->candidates[hit->candidate].layout,
				       MALLOC_STATE);

	if (hit->hits == 0 || (same && proof->odd < hit->proof.odd)) {
		hit->address = address;
		hit->candidate = candidate;
		hit->proof = *proof;
	}
	hit->hits += !same;
}

/* As far as the layout alone tells it; 0: not known. */
static uint64_t known_span(const struct layout *layout)
{
	return layout->traits[TRAIT_HEAP_SPAN_HUGE] ? 0 : layout_heap_span(layout, 0);
}

static bool try_state(struct search *search, size_t candidate, uint64_t address,
		      struct state_hit *hit)
{
	const struct layout *layout = &search->candidates[candidate].layout;
	struct proof proof;

	search->tried++;
	if (!deadline_ok(search->deadline, search->err) ||
	    !prove_state(search->mem, layout, address, known_span(layout), &proof,
			 search->err))
		return false;
	if (!is_believed(search, address, &proof)) {
		search->nearest = proof.failed;
		return true;
	}
	take_state_hit(search, candidate, address, &proof, hit);
	return true;
}

static bool scan_state(struct search *search, size_t candidate, struct state_hit *hit)
{
	const struct layout *layout = &search->candidates[candidate].layout;

	for (size_t r = 0; r < search->regions.count; r++) {
		const struct region *region = &search->regions.at[r];

		for (size_t at = 0; at + 8 <= region->length; at += 8)
			if (prove_may_be_state(layout, region->bytes + at,
					       region->length - at, region->start + at) &&
			    !try_state(search, candidate, region->start + at, hit))
				return false;
	}
	return true;
}

static bool find_state(struct search *search, struct state_hit *hit)
{
	uint64_t known = search->symbols->address[SYM_MAIN_ARENA];

	*hit = (struct state_hit){ 0 };
	for (size_t i = 0; i < search->count; i++) {
		if (is_repeated(search, i, MALLOC_STATE, HEAP_INFO))
			continue;
		if (known != 0 ? !try_state(search, i, known, hit)
			       : !scan_state(search, i, hit))
			return false;
	}
	return true;
}

/* ---- mp_ ---- */

struct par_hit {
	uint64_t address;
	size_t candidate, hits;
};

static bool try_par(struct search *search, size_t candidate, uint64_t address,
		    const struct proof *state, struct par_hit *hit)
{
	struct proof proof;

	if (!deadline_ok(search->deadline, search->err) ||
	    !prove_par(search->mem, &search->candidates[candidate].layout, address, state,
		       &proof, search->err))
		return false;
	if (!proof.passed) {
		search->nearest = proof.failed;
	} else if (hit->hits++ == 0) {
		hit->address = address;
		hit->candidate = candidate;
	}
	return true;
}

static bool scan_par(struct search *search, size_t candidate, const struct proof *state,
		     struct par_hit *hit)
{
	const struct layout *layout = &search->candidates[candidate].layout;

	for (size_t r = 0; r < search->regions.count; r++) {
		const struct region *region = &search->regions.at[r];

		for (size_t at = 0; at + 8 <= region->length; at += 8)
			if (prove_may_be_par(layout, region->bytes + at,
					     region->length - at) &&
			    !try_par(search, candidate, region->start + at, state, hit))
				return false;
	}
	return true;
}

/*
 * The release's own layout alone decides where it finds exactly one: older ones
 * are beginnings of newer ones, and would be found at the same place.
 */
static bool find_par(struct search *search, const struct proof *state,
		     struct par_hit *hit)
{
	uint64_t known = search->symbols->address[SYM_MP];

	*hit = (struct par_hit){ 0 };
	for (size_t i = 0; i < search->count; i++) {
		if (is_repeated(search, i, MALLOC_PAR, TCACHE))
			continue;
		if (known != 0 ? !try_par(search, i, known, state, hit)
			       : !scan_par(search, i, state, hit))
			return false;
		if (hit->hits > 0)
			return true;
	}
	return true;
}

/* ---- what was found ---- */

static void compose(const struct search *search, const struct state_hit *state,
		    const struct par_hit *par, struct layout *ret)
{
	const struct layout *of_state = &search->candidates[state->candidate].layout;
	const struct layout *of_par = &search->candidates[par->candidate].layout;

	*ret = search->candidates[0].layout;
	for (int id = 0; id < LAYOUT_MEMBERS; id++) {
		enum layout_struct in = layout_struct_of((enum layout_member)id);

		if (in == MALLOC_STATE || in == HEAP_INFO)
			ret->members[id] = of_state->members[id];
		if (in == MALLOC_PAR || in == TCACHE)
			ret->members[id] = of_par->members[id];
	}
	ret->bytes[MALLOC_STATE] = of_state->bytes[MALLOC_STATE];
	ret->bytes[HEAP_INFO] = of_state->bytes[HEAP_INFO];
	ret->bytes[MALLOC_PAR] = of_par->bytes[MALLOC_PAR];
	ret->bytes[TCACHE] = of_par->bytes[TCACHE];
}

static bool fail_search(const struct search *search, const char *what, size_t hits)
{
	unsigned int own = search->candidates[0].release;

	if (hits == 0 && search->unread > 0)
		return fail(
			search->err, ARI_UNSTABLE,
			"%s: %s is not found, and %zu pages of the library's writable "
			"memory cannot be read (in swap, or protected)",
			search->image->path, what, search->unread);
	return fail(
		search->err, ARI_BAD_LAYOUT,
		"%s: %s %s; tried the layout of glibc %u.%u and those of all releases "
		"from 2.17 on, %zu places (last failure: %s); its debug information "
		"would decide (Debian and Ubuntu: libc6-dbg, Fedora and RHEL: "
		"glibc-debuginfo, or --debug-dir, --debuginfod)",
		search->image->path,
		hits == 0 ? "nothing looks like" : "more than one place looks like", what,
		LAYOUT_RELEASE_MAJOR(own), LAYOUT_RELEASE_MINOR(own), search->tried,
		search->nearest == NULL ? "none" : search->nearest);
}

static bool search_once(struct search *search, struct state_hit *state,
			struct par_hit *par, bool *ret)
{
	*ret = false;
	if (!find_state(search, state))
		return false;
	if (state->hits != 1)
		return true;
	if (!find_par(search, &state->proof, par))
		return false;
	*ret = par->hits == 1;
	return true;
}

static bool search_again(struct search *search, struct state_hit *state,
			 struct par_hit *par)
{
	for (unsigned int tries = 1;; tries++) {
		bool found;

		if (!load_regions(search))
			return false;
		if (!search_once(search, state, par, &found))
			return false;
		if (found)
			return true;
		if (tries == TRIES)
			return state->hits != 1
				       ? fail_search(search, "main_arena", state->hits)
				       : fail_search(search, "mp_", par->hits);
		free_regions(search);
		nanosleep(&(struct timespec){ 0, 1000000L << tries }, NULL);
		if (!search->mem->ops->refresh(search->mem, search->err))
			return false;
	}
}

bool search_malloc(struct mem *mem, const struct image *image, unsigned int release,
		   struct deadline deadline, struct symbols *symbols, struct layout *ret,
		   struct ari_model *model, struct ari_error *err)
{
	struct search *search = calloc(1, sizeof(*search));
	struct state_hit state = { 0 };
	struct par_hit par = { 0 };
	bool done;

	if (search == NULL)
		return fail_memory(err);
	search->mem = mem;
	search->image = image;
	search->deadline = deadline;
	search->symbols = symbols;
	search->err = err;
	search->reference_count =
		code_references(image, "malloc_trim", search->references);
	list_candidates(search, release);
	done = search_again(search, &state, &par);
	if (done) {
		if (symbols->address[SYM_MAIN_ARENA] == 0)
			symbols->source = ARI_SYMBOLS_SEARCH;
		symbols->address[SYM_MAIN_ARENA] = state.address;
		symbols->address[SYM_MP] = par.address;
		compose(search, &state, &par, ret);
		done = proof_tell(image, symbols, &state.proof, model, err);
	}
	free_regions(search);
	free(search);
	return done;
}

bool search_confirm(struct mem *mem, const struct image *image,
		    const struct symbols *symbols, const struct layout *layout,
		    struct ari_model *model, struct ari_error *err)
{
	struct proof state, par;

	for (unsigned int tries = 1;; tries++) {
		if (!prove_state(mem, layout, symbols->address[SYM_MAIN_ARENA], 0, &state,
				 err) ||
		    !prove_par(mem, layout, symbols->address[SYM_MP], &state, &par, err))
			return false;
		/* Its symbols say where they are: what is odd then is damage. */
		if ((state.passed || state.may_be_damaged) && par.passed)
			return proof_tell(image, symbols, &state, model, err);
		if (tries == TRIES)
			return fail(
				err, ARI_BAD_LAYOUT,
				"the debug information of %s does not fit the process: %s",
				image->path, state.passed ? par.failed : state.failed);
		nanosleep(&(struct timespec){ 0, 1000000L << tries }, NULL);
		if (!mem->ops->refresh(mem, err))
			return false;
	}
}

bool search_recall(struct mem *mem, const struct image *image,
		   const struct symbols *symbols, const struct layout *layout,
		   struct ari_model *model, struct ari_error *err)
{
	struct proof state, par;

	if (!prove_state(mem, layout, symbols->address[SYM_MAIN_ARENA],
			 known_span(layout), &state, err) ||
	    !prove_par(mem, layout, symbols->address[SYM_MP], &state, &par, err))
		return false;
	if (!state.passed || state.odd > 0 || !par.passed)
		return fail(err, ARI_BAD_LAYOUT,
			    "%s: what another process of this file has does not fit",
			    image->path);
	return proof_tell(image, symbols, &state, model, err);
}
