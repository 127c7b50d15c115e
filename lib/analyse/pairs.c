// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "analyse/delta.h"
#include "analyse/pairs.h"
#include "base/list.h"
#include "base/set.h"
#include "model/fields.h"

static bool is_address(uint64_t address)
{
	return address != 0 && address != ARI_UNKNOWN;
}

/* Where the arenas of a model are in its list, by address. */
static bool index_arenas(const struct ari_model *model, struct set *ret,
			 struct ari_error *err)
{
	for (size_t i = 0; i < model->arenas.count; i++) {
		uint64_t address = model->arenas.at[i].address;

		if (is_address(address) && !set_add(ret, address, i, err))
			return false;
	}
	return true;
}

static bool add_pair(struct arena_pairs *pairs, const struct ari_arena *before,
		     const struct ari_arena *after, struct ari_error *err)
{
	struct arena_pair *pair = list_add(&pairs->list, err);

	if (pair == NULL)
		return false;
	*pair = (struct arena_pair){ before, after };
	return true;
}

static const struct ari_arena *find_arena(const struct ari_model *model,
					  const struct set *set, uint64_t address)
{
	uint64_t index;

	if (!is_address(address) || !set_find(set, address, &index))
		return NULL;
	return &model->arenas.at[index];
}

static bool match(const struct ari_model *before, const struct set *of_before,
		  const struct ari_model *after, const struct set *of_after,
		  struct arena_pairs *ret, struct ari_error *err)
{
	for (size_t i = 0; i < after->arenas.count; i++) {
		const struct ari_arena *arena = &after->arenas.at[i];

		if (!add_pair(ret, find_arena(before, of_before, arena->address), arena,
			      err))
			return false;
	}
	for (size_t i = 0; i < before->arenas.count; i++) {
		const struct ari_arena *arena = &before->arenas.at[i];

		if (find_arena(after, of_after, arena->address) == NULL &&
		    !add_pair(ret, arena, NULL, err))
			return false;
	}
	return true;
}

bool pairs_match(const struct ari_model *before, const struct ari_model *after,
		 bool same_process, struct arena_pairs *ret, struct ari_error *err)
{
	struct set of_before = { 0 }, of_after = { 0 };
	bool done = !same_process || (index_arenas(before, &of_before, err) &&
				      index_arenas(after, &of_after, err));

	/* With nothing in the sets nothing matches. */
	done = done && match(before, &of_before, after, &of_after, ret, err);
	set_done(&of_before);
	set_done(&of_after);
	ret->list.known = before->arenas.known && after->arenas.known;
	return done;
}

static bool is_torn(const struct ari_arena *arena)
{
	return arena != NULL &&
	       (arena->state == ARI_STATE_TORN || arena->state == ARI_UNKNOWN);
}

bool pair_is_whole(const struct arena_pair *pair)
{
	return !is_torn(pair->before) && !is_torn(pair->after);
}

bool pair_is_comparable(const struct arena_pair *pair)
{
	const struct ari_arena *before = pair->before, *after = pair->after;

	return before == NULL || after == NULL ||
	       (before->tcache.bytes == ARI_UNKNOWN) ==
		       (after->tcache.bytes == ARI_UNKNOWN);
}

static bool sizes_unknown(const struct ari_arena *arena)
{
	return arena != NULL && !arena->sizes.known;
}

static const struct record *size_record(void)
{
	return record_field(record_field(&model_record, "arenas")->record, "sizes")
		->record;
}

static const struct record *size_delta_record(void)
{
	return record_field(&diff_record, "sizes")->record;
}

/* The rows of one arena, as what they are before or after. */
static bool add_rows(const struct ari_arena *arena, bool is_after,
		     struct size_deltas *ret, struct ari_error *err)
{
	for (size_t i = 0; arena != NULL && i < arena->sizes.count; i++) {
		const struct ari_size *size = &arena->sizes.at[i];
		struct ari_size_delta *row = list_add(&ret->list, err);

		if (row == NULL)
			return false;
		row->from_bytes = size->from_bytes;
		row->to_bytes = size->to_bytes;
		delta_fill(size_delta_record(), row, size_record(),
			   is_after ? NULL : size, is_after ? size : NULL);
	}
	return true;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_rows(const void *a, const void *b)
{
	const struct ari_size_delta *left = a, *right = b;
	int from = compare(left->from_bytes, right->from_bytes);

	return from != 0 ? from : compare(left->to_bytes, right->to_bytes);
}

/* Adds up the rows of each class in place. */
static void merge_rows(struct size_deltas *ret)
{
	size_t kept = 0;

	if (ret->list.count > 1)
		qsort(ret->list.at, ret->list.count, sizeof(ret->list.at[0]),
		      compare_rows);
	for (size_t i = 0; i < ret->list.count; i++) {
		const struct ari_size_delta *row = &ret->list.at[i];

		if (kept > 0 && compare_rows(&ret->list.at[kept - 1], row) == 0)
			delta_sum(size_delta_record(), &ret->list.at[kept - 1], row);
		else
			ret->list.at[kept++] = *row;
	}
	ret->list.count = kept;
}

bool pairs_sizes(const struct arena_pairs *pairs, bool whole_only,
		 struct size_deltas *ret, struct ari_error *err)
{
	bool known = pairs->list.known;

	for (size_t i = 0; i < pairs->list.count; i++) {
		const struct arena_pair *pair = &pairs->list.at[i];

		if (whole_only && !(pair_is_whole(pair) && pair_is_comparable(pair)))
			continue;
		known = known && !sizes_unknown(pair->before) &&
			!sizes_unknown(pair->after);
		if (!add_rows(pair->before, false, ret, err) ||
		    !add_rows(pair->after, true, ret, err))
			return false;
	}
	if (known)
		merge_rows(ret);
	else
		list_done(&ret->list);
	ret->list.known = known;
	return true;
}
