// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "analyse/numbers.h"

/* `value` NaN: not known. */
struct estimate {
	double value, least, most;
};

typedef struct estimate arena_fn(const struct ari_arena *arena);
typedef struct estimate process_fn(const struct ari_model *model);

/* Of a process: its own, or else the sum over its arenas.  Both NULL: there is none. */
struct source {
	arena_fn *arena;
	process_fn *process;
};

struct row {
	struct ari_metric is;
	struct source part;
	struct source whole; /* of a share */
};

static struct estimate exactly(double value)
{
	return (struct estimate){ value, value, value };
}

static struct estimate within(double least, double most)
{
	return (struct estimate){ NAN, least, most };
}

/* A number of the model that nothing bounds while it is not known. */
static struct estimate known(uint64_t number)
{
	return number == ARI_UNKNOWN ? within(0, INFINITY) : exactly((double)number);
}

static double most_of(uint64_t number)
{
	return number == ARI_UNKNOWN ? INFINITY : (double)number;
}

static struct estimate plus(struct estimate a, struct estimate b)
{
	return (struct estimate){ a.value + b.value, a.least + b.least, a.most + b.most };
}

/* ---- of arenas ---- */

/*
 * A class of an arena's bytes.  What was not looked at may be of any class; a torn
 * arena's numbers are such that its bytes were not all seen at one time.
 *
 * open  bytes of no class yet
 * all   what the arena has
 */
static struct estimate class_of(const struct ari_arena *arena, uint64_t bytes,
				uint64_t open, uint64_t all)
{
	bool torn = arena->state == ARI_STATE_TORN;
	double value = (double)bytes;

	if (bytes == ARI_UNKNOWN)
		return within(0, most_of(all));
	if (open == ARI_UNKNOWN)
		return within(value, value > most_of(all) ? value : most_of(all));
	return (struct estimate){ torn ? NAN : value, value, value + (double)open };
}

static uint64_t open_bytes(const struct ari_arena *arena)
{
	return ari_plus(arena->unread_bytes, arena->unwalked_bytes);
}

/* glibc's view: a class of the bytes the arena has from the system. */
#define BYTES_OF(name, member)                                           \
	static struct estimate name(const struct ari_arena *arena)       \
	{                                                                \
		return class_of(arena, arena->member, open_bytes(arena), \
				arena->system_bytes);                    \
	}

/* The kernel's view: a class of its resident bytes. */
#define RESIDENT_OF(name, member)                                  \
	static struct estimate name(const struct ari_arena *arena) \
	{                                                          \
		return class_of(arena, arena->resident.member,     \
				arena->resident.unwalked_bytes,    \
				arena->resident.total_bytes);      \
	}

/* What is read as it is, not counted chunk by chunk. */
#define NUMBER_OF(name, member)                                    \
	static struct estimate name(const struct ari_arena *arena) \
	{                                                          \
		return known(arena->member);                       \
	}

BYTES_OF(in_use, in_use_bytes)
BYTES_OF(overhead, overhead_bytes)
RESIDENT_OF(trimmable, trimmable_bytes)
RESIDENT_OF(retained_top, retained_top_bytes)
RESIDENT_OF(pinned_free, pinned_free_bytes)
NUMBER_OF(resident, resident.total_bytes)
NUMBER_OF(system_has, system_bytes)
NUMBER_OF(unread, unread_bytes)
NUMBER_OF(unwalked, unwalked_bytes)
NUMBER_OF(attached_threads, attached_threads)

static struct estimate free_inside(const struct ari_arena *arena)
{
	return class_of(arena, number_free_of(arena), open_bytes(arena),
			arena->system_bytes);
}

static struct estimate one(const struct ari_arena *arena)
{
	(void)arena;
	return exactly(1);
}

static struct estimate idle(const struct ari_arena *arena)
{
	return arena->idle == ARI_MAYBE ? within(0, 1) : exactly(arena->idle == ARI_YES);
}

/* ---- of processes ---- */

#define PROCESS_HAS(name, member)                                  \
	static struct estimate name(const struct ari_model *model) \
	{                                                          \
		return known(model->member);                       \
	}

PROCESS_HAS(arena_limit, settings.arena_limit)
PROCESS_HAS(mmapped, totals.mmapped_bytes)
PROCESS_HAS(rss, process.rss_bytes)
PROCESS_HAS(limit_used, process.cgroup.memory_current_bytes)
PROCESS_HAS(limit, process.cgroup.memory_max_bytes)

/* ---- the metrics ---- */

#define ARENAS(function)            \
	{                           \
		.arena = (function) \
	}
#define PROCESS(function)             \
	{                             \
		.process = (function) \
	}
#define BYTES ARI_UNIT_BYTES
#define COUNT ARI_UNIT_COUNT
#define SHARE ARI_UNIT_SHARE

// clang-format off
static const struct row rows[] = {
	{ { "trimmable", BYTES, true,
	    "resident bytes that malloc_trim(0) would give back" },
	  ARENAS(trimmable), { 0 } },
	{ { "retained_top", BYTES, true,
	    "resident bytes of tops that malloc_trim(0) would not give back" },
	  ARENAS(retained_top), { 0 } },
	{ { "pinned_free", BYTES, true,
	    "resident bytes of free chunks on pages that hold something else, too" },
	  ARENAS(pinned_free), { 0 } },
	{ { "free_ratio", SHARE, true,
	    "share of the arenas' bytes that is free inside malloc" },
	  ARENAS(free_inside), ARENAS(system_has) },
	{ { "arenas", COUNT, false,
	    "arenas" },
	  ARENAS(one), { 0 } },
	{ { "idle_arenas", COUNT, false,
	    "arenas that no thread is attached to" },
	  ARENAS(idle), { 0 } },
	{ { "arena_limit", COUNT, false,
	    "arenas that there may be" },
	  PROCESS(arena_limit), { 0 } },
	{ { "limit_ratio", SHARE, false,
	    "share of its limit that the memory of the control group takes" },
	  PROCESS(limit_used), PROCESS(limit) },
	{ { "in_use", BYTES, true,
	    "bytes of the arenas that the application holds" },
	  ARENAS(in_use), { 0 } },
	{ { "free", BYTES, true,
	    "bytes free inside malloc: in bins, fastbins, threads' caches and tops" },
	  ARENAS(free_inside), { 0 } },
	{ { "overhead", BYTES, true,
	    "bytes of malloc's own structures, alignment and fenceposts" },
	  ARENAS(overhead), { 0 } },
	{ { "unread", BYTES, true,
	    "bytes of the arenas that are in swap or could not be read" },
	  ARENAS(unread), { 0 } },
	{ { "unwalked", BYTES, true,
	    "bytes of the arenas that no chunk was found for" },
	  ARENAS(unwalked), { 0 } },
	{ { "system", BYTES, true,
	    "bytes that the arenas have from the system" },
	  ARENAS(system_has), { 0 } },
	{ { "mmapped", BYTES, false,
	    "bytes of chunks that malloc gave a mapping of their own" },
	  PROCESS(mmapped), { 0 } },
	{ { "resident", BYTES, true,
	    "resident bytes of the arenas" },
	  ARENAS(resident), { 0 } },
	{ { "rss", BYTES, false,
	    "resident bytes of the process" },
	  PROCESS(rss), { 0 } },
	{ { "attached_threads", COUNT, true,
	    "threads attached to the arenas" },
	  ARENAS(attached_threads), { 0 } },
};
// clang-format on

#define ROWS (sizeof(rows) / sizeof(*rows))

bool ari_metric_describe(size_t index, struct ari_metric *ret)
{
	if (index >= ROWS)
		return false;
	*ret = rows[index].is;
	return true;
}

static struct ari_value value_of_number(struct estimate number)
{
	return (struct ari_value){ number.value, number.least, number.most, 1 };
}

/* Nothing of nothing is no share that is known. */
static struct ari_value value_of_share(struct estimate part, struct estimate whole)
{
	if (isnan(whole.value) || !(whole.value > 0))
		return (struct ari_value){ NAN, 0, INFINITY, NAN };
	return (struct ari_value){ part.value / whole.value, part.least / whole.value,
				   part.most / whole.value, whole.value };
}

static struct ari_value value_of(const struct row *row, struct estimate part,
				 struct estimate whole)
{
	return row->is.unit == ARI_UNIT_SHARE ? value_of_share(part, whole)
					      : value_of_number(part);
}

static struct estimate of_process(const struct source *source,
				  const struct ari_model *model)
{
	struct estimate sum = exactly(0);

	if (source->process != NULL)
		return source->process(model);
	if (source->arena == NULL)
		return sum;
	if (!model->arenas.known)
		return within(0, INFINITY);
	for (size_t i = 0; i < model->arenas.count; i++)
		sum = plus(sum, source->arena(&model->arenas.at[i]));
	return sum;
}

static struct estimate of_arena(const struct source *source,
				const struct ari_arena *arena)
{
	return source->arena == NULL ? exactly(0) : source->arena(arena);
}

struct ari_value ari_metric_value(size_t index, const struct ari_model *model)
{
	const struct row *row = &rows[index];

	return value_of(row, of_process(&row->part, model),
			of_process(&row->whole, model));
}

struct ari_value ari_metric_value_of_arena(size_t index, const struct ari_arena *arena)
{
	const struct row *row = &rows[index];

	return value_of(row, of_arena(&row->part, arena), of_arena(&row->whole, arena));
}

struct ari_value ari_metric_add(size_t index, const struct ari_value *a,
				const struct ari_value *b)
{
	double weight = a->weight + b->weight;

	if (rows[index].is.unit != ARI_UNIT_SHARE)
		return (struct ari_value){ a->value + b->value, a->least + b->least,
					   a->most + b->most, 1 };
	if (isnan(weight))
		return (struct ari_value){ NAN, 0, INFINITY, NAN };
	return (struct ari_value){
		(a->value * a->weight + b->value * b->weight) / weight,
		(a->least * a->weight + b->least * b->weight) / weight,
		(a->most * a->weight + b->most * b->weight) / weight,
		weight,
	};
}
