// SPDX-License-Identifier: Apache-2.0
#include "command.h"
#include "out/refuse.h"

struct heap_row {
	const struct ari_arena *arena;
	struct ari_heap heap; /* its lists still belong to the model */
	uint64_t number;
	enum ari_yesno has_top;
};

static uint64_t arena_index(const void *row)
{
	return ((const struct heap_row *)row)->arena->index;
}

static uint64_t arena_address(const void *row)
{
	return ((const struct heap_row *)row)->arena->address;
}

static uint64_t arena_kind(const void *row)
{
	return ((const struct heap_row *)row)->arena->kind;
}

static uint64_t arena_attached(const void *row)
{
	return ((const struct heap_row *)row)->arena->attached_threads;
}

#define AT(member) .offset = offsetof(struct heap_row, member)

// clang-format off
static const struct column columns[] = {
	{ "arena", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "index of its arena, 0 is main", .number = arena_index },
	{ "arena_address", "ARENA ADDRESS", UNIT_ADDRESS, ON_REQUEST,
	  "of its arena's malloc_state", .number = arena_address },
	{ "kind", "KIND", UNIT_WORD, ON_REQUEST,
	  "of its arena: main or thread", .number = arena_kind, .word = ari_arena_kind_name },
	{ "attached", "THREADS", UNIT_COUNT, ON_REQUEST,
	  "threads attached to its arena", .number = arena_attached },
	{ "number", "HEAP", UNIT_INDEX, ON_REQUEST,
	  "place among the arena's heaps, the oldest is 0", AT(number) },
	{ "address", "ADDRESS", UNIT_ADDRESS, BY_DEFAULT,
	  "of its heap_info; of main: where the segment starts", AT(heap.address) },
	{ "size", "SIZE", UNIT_BYTES, BY_DEFAULT,
	  "the arena may use right now", AT(heap.bytes) },
	{ "mprotect", "MPROTECT", UNIT_BYTES, BY_DEFAULT,
	  "was ever made writable", AT(heap.mprotect_bytes) },
	{ "span", "SPAN", UNIT_BYTES, BY_DEFAULT,
	  "address space reserved for it", AT(heap.span_bytes) },
	{ "resident", "RESIDENT", UNIT_BYTES, BY_DEFAULT,
	  "in memory", AT(heap.resident_bytes) },
	{ "swapped", "SWAPPED", UNIT_BYTES, IF_ANY,
	  "in swap", AT(heap.swapped_bytes) },
	{ "huge", "HUGE", UNIT_BYTES, IF_ANY,
	  "in huge pages", AT(heap.huge_page_bytes) },
	{ "top", "TOP", UNIT_YESNO, BY_DEFAULT,
	  "the arena's top chunk lies here", AT(has_top) },
};
// clang-format on

static const struct table_kind heaps_table = {
	.name = "heaps",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.rank = "size",
};

/* A live chunk, with --pins. */
struct pin_row {
	struct heap_row heap; /* first: the getters above serve both tables */
	struct ari_pin pin;
};

#define PIN(member) .offset = offsetof(struct pin_row, member)

// clang-format off
static const struct column pin_columns[] = {
	{ "arena", "ARENA", UNIT_INDEX, BY_DEFAULT,
	  "index of its arena, 0 is main", .number = arena_index },
	{ "arena_address", "ARENA ADDRESS", UNIT_ADDRESS, ON_REQUEST,
	  "of its arena's malloc_state", .number = arena_address },
	{ "heap", "HEAP", UNIT_INDEX, ON_REQUEST,
	  "place of its heap among the arena's, the oldest is 0", PIN(heap.number) },
	{ "heap_address", "HEAP ADDRESS", UNIT_ADDRESS, BY_DEFAULT,
	  "of its heap", PIN(heap.heap.address) },
	{ "heap_size", "HEAP SIZE", UNIT_BYTES, BY_DEFAULT,
	  "of its heap", PIN(heap.heap.bytes) },
	{ "address", "ADDRESS", UNIT_ADDRESS, BY_DEFAULT,
	  "of the chunk; the application's pointer is 16 further on", PIN(pin.address) },
	{ "size", "SIZE", UNIT_BYTES, BY_DEFAULT,
	  "of the chunk, its header included", PIN(pin.bytes) },
	{ "holds", "HOLDS", UNIT_BYTES, BY_DEFAULT,
	  "resident bytes that would go back besides, were it freed", PIN(pin.holds_bytes) },
	{ "cached", "CACHED", UNIT_YESNO, IF_ANY,
	  "the application has freed it, and a thread caches it", PIN(pin.cached) },
};
// clang-format on

static const struct table_kind pins_table = {
	.name = "heaps --pins",
	.columns = pin_columns,
	.count = sizeof(pin_columns) / sizeof(pin_columns[0]),
	.rank = "holds",
};

static enum ari_yesno holds_top(const struct ari_heap *heap,
				const struct ari_arena *arena)
{
	uint64_t top = arena->top.address;

	if (top == ARI_UNKNOWN || heap->address == ARI_UNKNOWN ||
	    heap->bytes == ARI_UNKNOWN)
		return ARI_MAYBE;
	return top >= heap->address && top - heap->address < heap->bytes;
}

static struct heap_row heap_row(const struct ari_arena *arena, size_t number)
{
	const struct ari_heap *heap = &arena->heaps.at[number];

	return (struct heap_row){ arena, *heap, number, holds_top(heap, arena) };
}

static size_t count_heaps(const struct ari_model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->arenas.count; i++)
		count += model->arenas.at[i].heaps.count;
	return count;
}

/* *ret_known: of every heap. */
static size_t count_pins(const struct ari_model *model, bool *ret_known)
{
	size_t count = 0;

	*ret_known = true;
	for (size_t i = 0; i < model->arenas.count; i++) {
		for (size_t j = 0; j < model->arenas.at[i].heaps.count; j++) {
			const struct ari_heap *heap = &model->arenas.at[i].heaps.at[j];

			count += heap->pins.count;
			*ret_known &= heap->pins.known;
		}
	}
	return count;
}

static bool build_rows(const struct ari_model *model, struct document *document,
		       struct ari_error *err)
{
	size_t count = count_heaps(model);
	struct heap_row *rows = document_memory(document, count, sizeof(*rows));
	struct heap_row *row = rows;

	if (rows == NULL)
		return refuse_memory(err);
	for (size_t i = 0; i < model->arenas.count; i++)
		for (size_t j = 0; j < model->arenas.at[i].heaps.count; j++)
			*row++ = heap_row(&model->arenas.at[i], j);
	document_table(document, (struct table){
					 .kind = &heaps_table,
					 .rows = rows,
					 .row_size = sizeof(*rows),
					 .count = count,
					 .none = "malloc has no memory from the system "
						 "yet: there is no heap.",
				 });
	return true;
}

static struct pin_row *add_pins(struct pin_row *row, const struct ari_arena *arena,
				size_t number)
{
	const struct ari_heap *heap = &arena->heaps.at[number];

	for (size_t i = 0; i < heap->pins.count; i++)
		*row++ = (struct pin_row){ heap_row(arena, number), heap->pins.at[i] };
	return row;
}

static bool build_pins(const struct ari_model *model, struct document *document,
		       struct ari_error *err)
{
	bool known;
	size_t count = count_pins(model, &known);
	struct pin_row *rows = document_memory(document, count, sizeof(*rows));
	struct pin_row *row = rows;

	if (rows == NULL)
		return refuse_memory(err);
	for (size_t i = 0; i < model->arenas.count; i++)
		for (size_t j = 0; j < model->arenas.at[i].heaps.count; j++)
			row = add_pins(row, &model->arenas.at[i], j);
	document_table(document, (struct table){
					 .kind = &pins_table,
					 .rows = rows,
					 .row_size = sizeof(*rows),
					 .count = count,
					 .none = known ? "No single live chunk keeps "
							 "memory from going back."
						       : "It is not known what keeps "
							 "memory from going back.",
				 });
	return true;
}

static bool build_heaps(const struct ari_model *model, const struct options *options,
			struct document *document, struct ari_error *err)
{
	return options->pins ? build_pins(model, document, err)
			     : build_rows(model, document, err);
}

const struct command command_heaps = {
	.name = "heaps",
	.arguments = "PID",
	.help = "one row per heap of each arena, and per segment of the main one",
	.table = &heaps_table,
	.own = OWN_PINS,
	.own_table = &pins_table,
	.own_table_for = OWN_PINS,
	.own_least_depth = ARI_DEPTH_CHUNKS,
	.run = run_visit,
	.build = build_heaps,
};
