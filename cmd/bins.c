// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "out/refuse.h"

/*
 * Bins and sizes have the same shape: every arena has a list, one row of it is a
 * class of chunks, and over all arenas the rows of a class add up.
 */
struct bin_row {
	uint64_t arena; /* index; ARI_UNKNOWN: all of them */
	struct ari_bin bin;
};

struct size_row {
	uint64_t arena;
	struct ari_size size;
};

#define BIN(member)  .offset = offsetof(struct bin_row, member)
#define SIZE(member) .offset = offsetof(struct size_row, member)

// clang-format off
static const struct column bin_columns[] = {
	{ "arena", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "index of the arena; with --arena only", BIN(arena) },
	{ "kind", "KIND", UNIT_WORD, BY_DEFAULT,
	  "fast, unsorted, small or large", BIN(bin.kind), .word = ari_bin_kind_name },
	{ "bin", "BIN", UNIT_INDEX, BY_DEFAULT,
	  "glibc's number of the bin", BIN(bin.index) },
	{ "from", "FROM", UNIT_SIZE, BY_DEFAULT,
	  "least size of a chunk in it", BIN(bin.from_bytes) },
	{ "to", "TO", UNIT_SIZE, BY_DEFAULT,
	  "largest size of a chunk in it", BIN(bin.to_bytes) },
	{ "chunks", "CHUNKS", UNIT_COUNT, BY_DEFAULT,
	  "chunks in it", BIN(bin.chunks) },
	{ "bytes", "BYTES", UNIT_BYTES, BY_DEFAULT,
	  "their sizes added up", BIN(bin.bytes) },
};

static const struct column size_columns[] = {
	{ "arena", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "index of the arena; with --arena only", SIZE(arena) },
	{ "from", "FROM", UNIT_SIZE, BY_DEFAULT,
	  "least size of a chunk in this row", SIZE(size.from_bytes) },
	{ "to", "TO", UNIT_SIZE, BY_DEFAULT,
	  "largest size of a chunk in this row; the last has no limit, and says unknown",
	  SIZE(size.to_bytes) },
	{ "in_use_chunks", "IN USE CHUNKS", UNIT_COUNT, BY_DEFAULT,
	  "chunks in use; cached ones, too, while tcache is unknown",
	  SIZE(size.in_use_chunks) },
	{ "in_use", "IN USE", UNIT_BYTES, BY_DEFAULT,
	  "their sizes added up", SIZE(size.in_use_bytes) },
	{ "tcache_chunks", "TCACHE CHUNKS", UNIT_COUNT, IF_ANY,
	  "chunks in threads' caches", SIZE(size.tcache_chunks) },
	{ "tcache", "TCACHE", UNIT_BYTES, IF_ANY,
	  "their sizes added up", SIZE(size.tcache_bytes) },
	{ "free_chunks", "FREE CHUNKS", UNIT_COUNT, BY_DEFAULT,
	  "free chunks, in bins and fastbins", SIZE(size.free_chunks) },
	{ "free", "FREE", UNIT_BYTES, BY_DEFAULT,
	  "their sizes added up", SIZE(size.free_bytes) },
};
// clang-format on

static const struct table_kind bins_table = {
	.name = "bins",
	.columns = bin_columns,
	.count = sizeof(bin_columns) / sizeof(bin_columns[0]),
	.rank = "bytes",
};

static const struct table_kind sizes_table = {
	.name = "bins --sizes",
	.columns = size_columns,
	.count = sizeof(size_columns) / sizeof(size_columns[0]),
	.rank = "in_use",
};

/* What tells bins and sizes apart. */
struct flavour {
	const struct table_kind *table;
	const char *what;    /* "bins" */
	const char *unknown; /* said when no arena has the list */
	const char *none;    /* and when the lists are empty */
	size_t row_size, element_size, element_offset;
	const struct ari_list *(*list)(const struct ari_arena *arena);
	int (*order)(const void *a, const void *b); /* 0: the same class */
	void (*add)(void *row, const void *other);
	void (*forget)(void *row); /* what was added up */
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static const struct ari_list *bin_list(const struct ari_arena *arena)
{
	return &arena->bins.raw;
}

static int bin_order(const void *a, const void *b)
{
	const struct bin_row *left = a, *right = b;
	int kinds = compare(left->bin.kind, right->bin.kind);

	return kinds != 0 ? kinds : compare(left->bin.index, right->bin.index);
}

/* The sizes of the unsorted bin and of large ones are those of the chunks met. */
static void widen(struct ari_bin *bin, const struct ari_bin *other)
{
	if (other->from_bytes < bin->from_bytes)
		bin->from_bytes = other->from_bytes;
	if (other->to_bytes > bin->to_bytes)
		bin->to_bytes = other->to_bytes;
}

static void bin_add(void *row, const void *other)
{
	struct ari_bin *sum = &((struct bin_row *)row)->bin;
	const struct ari_bin *more = &((const struct bin_row *)other)->bin;

	widen(sum, more);
	sum->chunks = ari_plus(sum->chunks, more->chunks);
	sum->bytes = ari_plus(sum->bytes, more->bytes);
}

static void bin_forget(void *row)
{
	struct ari_bin *sum = &((struct bin_row *)row)->bin;

	sum->chunks = sum->bytes = ARI_UNKNOWN;
}

static const struct flavour bins_flavour = {
	.table = &bins_table,
	.what = "bins",
	.unknown = "The bins are not known.",
	.none = "Every bin is empty.",
	.row_size = sizeof(struct bin_row),
	.element_size = sizeof(struct ari_bin),
	.element_offset = offsetof(struct bin_row, bin),
	.list = bin_list,
	.order = bin_order,
	.add = bin_add,
	.forget = bin_forget,
};

static const struct ari_list *size_list(const struct ari_arena *arena)
{
	return &arena->sizes.raw;
}

static int size_order(const void *a, const void *b)
{
	const struct size_row *left = a, *right = b;
	int from = compare(left->size.from_bytes, right->size.from_bytes);

	return from != 0 ? from : compare(left->size.to_bytes, right->size.to_bytes);
}

static void size_add(void *row, const void *other)
{
	struct ari_size *sum = &((struct size_row *)row)->size;
	const struct ari_size *more = &((const struct size_row *)other)->size;

	sum->in_use_chunks = ari_plus(sum->in_use_chunks, more->in_use_chunks);
	sum->in_use_bytes = ari_plus(sum->in_use_bytes, more->in_use_bytes);
	sum->free_chunks = ari_plus(sum->free_chunks, more->free_chunks);
	sum->free_bytes = ari_plus(sum->free_bytes, more->free_bytes);
	sum->tcache_chunks = ari_plus(sum->tcache_chunks, more->tcache_chunks);
	sum->tcache_bytes = ari_plus(sum->tcache_bytes, more->tcache_bytes);
}

static void size_forget(void *row)
{
	struct ari_size *sum = &((struct size_row *)row)->size;

	sum->in_use_chunks = sum->in_use_bytes = ARI_UNKNOWN;
	sum->free_chunks = sum->free_bytes = ARI_UNKNOWN;
	sum->tcache_chunks = sum->tcache_bytes = ARI_UNKNOWN;
}

static const struct flavour sizes_flavour = {
	.table = &sizes_table,
	.what = "chunks",
	.unknown = "The sizes of chunks are not known.",
	.none = "There are no chunks.",
	.row_size = sizeof(struct size_row),
	.element_size = sizeof(struct ari_size),
	.element_offset = offsetof(struct size_row, size),
	.list = size_list,
	.order = size_order,
	.add = size_add,
	.forget = size_forget,
};

/* ---- rows ---- */

/* Whether the options ask for that arena; for the sums all of them count. */
static bool wanted(const struct ari_arena *arena, const struct options *options)
{
	return options->arena == ARI_UNKNOWN || options->arena == ARENA_ALL ||
	       options->arena == arena->index;
}

static size_t count_rows(const struct ari_model *model, const struct options *options,
			 const struct flavour *flavour)
{
	size_t count = 0;

	for (size_t i = 0; i < model->arenas.count; i++)
		if (wanted(&model->arenas.at[i], options))
			count += flavour->list(&model->arenas.at[i])->count;
	return count;
}

static char *copy_list(char *row, const struct ari_arena *arena,
		       const struct options *options, const struct flavour *flavour)
{
	const struct ari_list *list = flavour->list(arena);
	const char *element = list->at;

	for (size_t i = 0; i < list->count; i++) {
		*(uint64_t *)(void *)row =
			options->arena == ARI_UNKNOWN ? ARI_UNKNOWN : arena->index;
		memcpy(row + flavour->element_offset, element, flavour->element_size);
		element += flavour->element_size;
		row += flavour->row_size;
	}
	return row;
}

static void copy_rows(char *rows, const struct ari_model *model,
		      const struct options *options, const struct flavour *flavour)
{
	for (size_t i = 0; i < model->arenas.count; i++)
		if (wanted(&model->arenas.at[i], options))
			rows = copy_list(rows, &model->arenas.at[i], options, flavour);
}

/* Adds up the rows of each class in place; how many are left. */
static size_t merge_rows(char *rows, size_t count, const struct flavour *flavour)
{
	size_t size = flavour->row_size, kept = 0;

	qsort(rows, count, size, flavour->order);
	for (size_t i = 0; i < count; i++) {
		char *row = rows + i * size;
		char *last = kept == 0 ? NULL : rows + (kept - 1) * size;

		if (last != NULL && flavour->order(last, row) == 0)
			flavour->add(last, row);
		else
			memmove(rows + kept++ * size, row, size);
	}
	return kept;
}

/* Of the arenas that are asked for: all, and those whose lists are known. */
struct known {
	size_t of, arenas;
};

static struct known count_known(const struct ari_model *model,
				const struct options *options,
				const struct flavour *flavour)
{
	struct known known = { 0 };

	for (size_t i = 0; i < model->arenas.count; i++) {
		if (!wanted(&model->arenas.at[i], options))
			continue;
		known.of++;
		known.arenas += flavour->list(&model->arenas.at[i])->known;
	}
	return known;
}

/* A sum over all arenas is not known where that of one of them is not. */
static void forget_sums(char *rows, size_t count, const struct flavour *flavour)
{
	for (size_t i = 0; i < count; i++)
		flavour->forget(rows + i * flavour->row_size);
}

static void say_known(struct document *document, const struct known *known,
		      const struct flavour *flavour)
{
	if (known->arenas == known->of || known->arenas == 0)
		return;
	document_paragraph(
		document,
		document_format(document,
				"The %s of %zu of %zu arenas are not known, and "
				"so are the sums over all; --arena all shows "
				"those that are.",
				flavour->what, known->of - known->arenas, known->of));
}

static bool arena_exists(const struct ari_model *model, uint64_t index)
{
	if (index == ARI_UNKNOWN || index == ARENA_ALL)
		return true;
	for (size_t i = 0; i < model->arenas.count; i++)
		if (model->arenas.at[i].index == index)
			return true;
	return false;
}

static bool build_bins(const struct ari_model *model, const struct options *options,
		       struct document *document, struct ari_error *err)
{
	const struct flavour *flavour = options->sizes ? &sizes_flavour : &bins_flavour;
	struct known known = count_known(model, options, flavour);
	size_t count = count_rows(model, options, flavour);
	char *rows = document_memory(document, count, flavour->row_size);

	if (!arena_exists(model, options->arena))
		return refuse(err, ARI_USAGE,
			      "no arena %" PRIu64 ": the process has %zu, the first is 0",
			      options->arena, model->arenas.count);
	if (rows == NULL)
		return refuse_memory(err);
	copy_rows(rows, model, options, flavour);
	if (options->arena == ARI_UNKNOWN) {
		count = merge_rows(rows, count, flavour);
		if (known.arenas < known.of)
			forget_sums(rows, count, flavour);
	}
	say_known(document, &known, flavour);
	document_table(document, (struct table){
					 .kind = flavour->table,
					 .rows = rows,
					 .row_size = flavour->row_size,
					 .count = count,
					 .none = known.arenas > 0 ? flavour->none
								  : flavour->unknown,
				 });
	return true;
}

const struct command command_bins = {
	.name = "bins",
	.arguments = "PID",
	.help = "what each bin holds, over all arenas or per arena",
	.table = &bins_table,
	.own = OWN_SIZES | OWN_ARENA,
	.own_table = &sizes_table,
	.own_table_for = OWN_SIZES,
	.own_least_depth = ARI_DEPTH_CHUNKS,
	.least_depth = ARI_DEPTH_CHUNKS,
	.run = run_visit,
	.build = build_bins,
};
