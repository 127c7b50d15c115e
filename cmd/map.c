// SPDX-License-Identifier: Apache-2.0
#include "command.h"
#include "out/picture.h"
#include "out/refuse.h"

#define PAGE_MOST ((uint64_t)1 << 30)

struct map_row {
	const struct ari_arena *arena;
	const struct ari_heap *heap;
	uint64_t page; /* bytes of one; 0: not known */
	uint64_t number;
	/* Bytes of its pages by their state; ARI_UNKNOWN: it has no runs. */
	uint64_t bytes[ARI_PAGE_HUGETLB + 1];
};

static uint64_t arena_index(const void *row)
{
	return ((const struct map_row *)row)->arena->index;
}

static uint64_t arena_kind(const void *row)
{
	return ((const struct map_row *)row)->arena->kind;
}

static uint64_t heap_address(const void *row)
{
	return ((const struct map_row *)row)->heap->address;
}

static uint64_t heap_mprotect(const void *row)
{
	return ((const struct map_row *)row)->heap->mprotect_bytes;
}

static uint64_t heap_resident(const void *row)
{
	return ((const struct map_row *)row)->heap->resident_bytes;
}

#define AT(member)   .offset = offsetof(struct map_row, member)
#define STATE(state) .offset = offsetof(struct map_row, bytes[state])

// clang-format off
static const struct column columns[] = {
	{ "arena", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "index of its arena, 0 is main", .number = arena_index },
	{ "kind", "KIND", UNIT_WORD, ON_REQUEST,
	  "of its arena: main or thread", .number = arena_kind, .word = ari_arena_kind_name },
	{ "number", "HEAP", UNIT_INDEX, ON_REQUEST,
	  "place among the arena's heaps, the oldest is 0", AT(number) },
	{ "address", "ADDRESS", UNIT_ADDRESS, BY_DEFAULT,
	  "of its first page", .number = heap_address },
	{ "mprotect", "SIZE", UNIT_BYTES, BY_DEFAULT,
	  "was ever made writable: what is drawn", .number = heap_mprotect },
	{ "resident", "RESIDENT", UNIT_BYTES, BY_DEFAULT,
	  "in memory", .number = heap_resident },
	{ "trimmable", "TRIMMABLE", UNIT_BYTES, BY_DEFAULT,
	  "in memory: malloc_trim(0) would give it back", STATE(ARI_PAGE_TRIMMABLE) },
	{ "in_use", "IN USE", UNIT_BYTES, ON_REQUEST,
	  "pages that are mostly held by the application", STATE(ARI_PAGE_IN_USE) },
	{ "cached", "CACHED", UNIT_BYTES, ON_REQUEST,
	  "pages that are mostly in threads' caches", STATE(ARI_PAGE_CACHED) },
	{ "retained_top", "RETAINED TOP", UNIT_BYTES, ON_REQUEST,
	  "pages that are mostly top, which malloc_trim leaves", STATE(ARI_PAGE_RETAINED_TOP) },
	{ "pinned_free", "PINNED FREE", UNIT_BYTES, ON_REQUEST,
	  "pages that are mostly free and would stay", STATE(ARI_PAGE_PINNED_FREE) },
	{ "metadata", "METADATA", UNIT_BYTES, ON_REQUEST,
	  "pages that are mostly malloc's own", STATE(ARI_PAGE_METADATA) },
	{ "unwalked", "UNWALKED", UNIT_BYTES, ON_REQUEST,
	  "pages in which no chunks were found", STATE(ARI_PAGE_UNWALKED) },
	{ "free", "FREE", UNIT_BYTES, ON_REQUEST,
	  "free, where residency is not known", STATE(ARI_PAGE_FREE) },
	{ "absent", "ABSENT", UNIT_BYTES, ON_REQUEST,
	  "not in memory: given back, or never written to", STATE(ARI_PAGE_ABSENT) },
	{ "swapped", "SWAPPED", UNIT_BYTES, ON_REQUEST,
	  "in swap", STATE(ARI_PAGE_SWAPPED) },
	{ "zero", "ZERO", UNIT_BYTES, ON_REQUEST,
	  "only read so far: the kernel's page of zeros", STATE(ARI_PAGE_ZERO) },
	{ "hugetlb", "HUGETLB", UNIT_BYTES, ON_REQUEST,
	  "in a pool of huge pages, which is not in the RSS", STATE(ARI_PAGE_HUGETLB) },
};
// clang-format on

static const struct table_kind map_table = {
	.name = "map",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.rank = "mprotect",
};

/* ---- the picture ---- */

/* The kind of a state that is not known, behind those of enum ari_page_state. */
#define KIND_UNSEEN (ARI_PAGE_HUGETLB + 1)

// clang-format off
static const struct picture_kind kinds[] = {
	[ARI_PAGE_IN_USE] = { "in use", "mostly held by the application", "█", 'U', 0 },
	[ARI_PAGE_CACHED] = { "cached", "mostly in threads' caches", "▓", 'C', 36 },
	[ARI_PAGE_TRIMMABLE] = { "trimmable", "malloc_trim(0) would give it back", "░", 'T', 32 },
	[ARI_PAGE_RETAINED_TOP] = { "retained top", "mostly top, which malloc_trim leaves", "▔", 'R', 34 },
	[ARI_PAGE_PINNED_FREE] = { "pinned free", "mostly free, and would stay", "▒", 'P', 33 },
	[ARI_PAGE_METADATA] = { "metadata", "mostly malloc's own", "■", 'M', 35 },
	[ARI_PAGE_UNWALKED] = { "unwalked", "no chunks were found in it", "╳", 'X', 31 },
	[ARI_PAGE_FREE] = { "free", "mostly free; not known whether in memory", "░", 'F', 33 },
	[ARI_PAGE_ABSENT] = { "absent", "given back, or never written to", "·", '.', 0 },
	[ARI_PAGE_SWAPPED] = { "swapped", "in swap", "s", 's', 31 },
	[ARI_PAGE_ZERO] = { "zero", "only read so far: the kernel's page of zeros", "0", '0', 0 },
	[ARI_PAGE_HUGETLB] = { "hugetlb", "in a pool of huge pages, not in the RSS", "H", 'H', 35 },
	[KIND_UNSEEN] = { "unseen", "could not be looked at", "?", '?', 31 },
};
// clang-format on

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) <= PICTURE_KINDS_MOST,
	       "PICTURE_KINDS_MOST is too small");

static bool row_span(const void *data, size_t index, struct picture_span *ret)
{
	const struct map_row *row = data;
	const struct ari_page_run *run;

	if (row->page == 0 || index >= row->heap->runs.count)
		return false;
	run = &row->heap->runs.at[index];
	ret->kind = run->state == ARI_UNKNOWN ? KIND_UNSEEN : run->state;
	/* Of a file anybody may have written: too much is as good as all. */
	if (__builtin_mul_overflow(run->pages, row->page, &ret->bytes))
		ret->bytes = ARI_UNKNOWN;
	return true;
}

/* Nothing can be drawn of what has no size. */
static uint64_t row_bytes(const void *row)
{
	uint64_t bytes = heap_mprotect(row);

	return bytes == ARI_UNKNOWN ? 0 : bytes;
}

static const char *row_none(const void *row)
{
	const struct ari_arena *arena = ((const struct map_row *)row)->arena;

	return arena->state == ARI_STATE_TORN ? "not known: the arena is torn"
					      : "not known";
}

/* ---- the rows ---- */

static void add_run(struct map_row *row, const struct ari_page_run *run)
{
	uint64_t bytes;

	if (run->state != ARI_UNKNOWN &&
	    !__builtin_mul_overflow(run->pages, row->page, &bytes))
		row->bytes[run->state] += bytes;
}

/* Where it is free, and not known whether it would go back. */
static void forget_shares(struct map_row *row)
{
	if (row->bytes[ARI_PAGE_FREE] > 0)
		row->bytes[ARI_PAGE_TRIMMABLE] = row->bytes[ARI_PAGE_PINNED_FREE] =
			ARI_UNKNOWN;
}

static void fill_row(struct map_row *row, const struct ari_arena *arena, size_t number,
		     uint64_t page)
{
	const struct ari_heap *heap = &arena->heaps.at[number];

	*row = (struct map_row){ arena, heap, page, number, { 0 } };
	for (size_t i = 0; i < heap->runs.count; i++)
		add_run(row, &heap->runs.at[i]);
	for (size_t i = 0; (!heap->runs.known || page == 0) && i <= ARI_PAGE_HUGETLB; i++)
		row->bytes[i] = ARI_UNKNOWN;
	forget_shares(row);
}

static size_t count_heaps(const struct ari_model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->arenas.count; i++)
		count += model->arenas.at[i].heaps.count;
	return count;
}

/* Of a page; 0: not known, or no machine's, as a file may say. */
static uint64_t page_bytes(const struct ari_model *model)
{
	uint64_t page = model->process.page_bytes;

	return page <= PAGE_MOST && (page & (page - 1)) == 0 ? page : 0;
}

static struct map_row *build_rows(const struct ari_model *model,
				  struct document *document, size_t count)
{
	struct map_row *rows = document_memory(document, count, sizeof(*rows));
	struct map_row *row = rows;
	uint64_t page = page_bytes(model);

	for (size_t i = 0; rows != NULL && i < model->arenas.count; i++)
		for (size_t j = 0; j < model->arenas.at[i].heaps.count; j++)
			fill_row(row++, &model->arenas.at[i], j, page);
	return rows;
}

static bool build_map(const struct ari_model *model, const struct options *options,
		      struct document *document, struct ari_error *err)
{
	size_t count = count_heaps(model);
	struct map_row *rows = build_rows(model, document, count);
	struct picture *picture = document_memory(document, 1, sizeof(*picture));

	(void)options;
	if (rows == NULL || picture == NULL)
		return refuse_memory(err);
	*picture = (struct picture){
		.kinds = kinds,
		.kinds_count = sizeof(kinds) / sizeof(kinds[0]),
		.least = page_bytes(model) == 0 ? 1 : page_bytes(model),
		.bytes = row_bytes,
		.span = row_span,
		.none = row_none,
	};
	document_table(document, (struct table){
					 .kind = &map_table,
					 .rows = rows,
					 .row_size = sizeof(*rows),
					 .count = count,
					 .none = "malloc has no memory from the system "
						 "yet: there is no heap.",
					 .picture = picture,
				 });
	return true;
}

const struct command command_map = {
	.name = "map",
	.arguments = "PID",
	.help = "a picture of every heap: what its pages are",
	.table = &map_table,
	.least_depth = ARI_DEPTH_PAGES,
	.run = run_visit,
	.build = build_map,
};
