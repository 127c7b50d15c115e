// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "meanings.h"
#include "rss.h"

static const char *percent(struct document *document, uint64_t part, uint64_t whole)
{
	if (part == ARI_UNKNOWN || whole == ARI_UNKNOWN || whole == 0)
		return "unknown";
	return document_format(document, "%.0f %%", 100.0 * (double)part / (double)whole);
}

/* What is known of the arenas without their chunks. */
static void headers_answer(struct document *document, const struct ari_model *model)
{
	const struct ari_totals *totals = &model->totals;

	document_paragraph(
		document,
		document_format(
			document, "%s %s from the system.",
			document_count(document, totals->arenas, "arena holds",
				       "arenas hold"),
			totals->system_bytes == ARI_UNKNOWN
				? "an unknown amount"
				: document_bytes(document, totals->system_bytes)));
}

/* malloc's part of the RSS that is no arena's. */
static const char *mmapped_clause(struct document *document,
				  const struct ari_model *model)
{
	const struct ari_memory *mmapped =
		ari_memory_of(model, ARI_MEMORY_MALLOC_MMAPPED);

	if (mmapped == NULL || mmapped->resident_bytes == ARI_UNKNOWN ||
	    mmapped->resident_bytes == 0)
		return "";
	return document_format(document, " and %s in mmapped chunks",
			       document_bytes(document, mmapped->resident_bytes));
}

/* Free, in memory, and not to be had by malloc_trim. */
static uint64_t kept_of(const struct ari_resident *resident)
{
	uint64_t tcache =
		resident->tcache_bytes == ARI_UNKNOWN ? 0 : resident->tcache_bytes;

	return resident->retained_top_bytes + resident->pinned_free_bytes + tcache;
}

/* Neither the application's by malloc nor free in it. */
static const char *outside_clause(struct document *document,
				  const struct ari_model *model)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < model->memory.count; i++) {
		const struct ari_memory *memory = &model->memory.at[i];

		if (memory->kind == ARI_MEMORY_MALLOC_HEAPS ||
		    memory->kind == ARI_MEMORY_MALLOC_MMAPPED)
			continue;
		if (memory->resident_bytes == ARI_UNKNOWN ||
		    __builtin_add_overflow(sum, memory->resident_bytes, &sum))
			return "";
	}
	if (model->memory.count == 0)
		return "";
	return document_format(document, "; %s is not malloc's",
			       document_bytes(document, sum));
}

void rss_answer(struct document *document, const struct ari_model *model)
{
	const struct ari_resident *resident = &model->totals.resident;

	if (resident->trimmable_bytes == ARI_UNKNOWN) {
		headers_answer(document, model);
		return;
	}
	document_paragraph(
		document,
		document_format(
			document,
			"Of %s RSS the application holds %s in malloc's arenas%s; "
			"malloc_trim(0) would give back %s, and %s more is free but "
			"would stay%s.",
			document_bytes(document, model->process.rss_bytes),
			document_bytes(document, resident->in_use_bytes),
			mmapped_clause(document, model),
			document_bytes(document, resident->trimmable_bytes),
			document_bytes(document, kept_of(resident)),
			outside_clause(document, model)));
}

/* ---- by kind ---- */

// clang-format off
static const struct {
	enum ari_memory_kind kind;
	const char *what;
} kinds[] = {
	{ ARI_MEMORY_MALLOC_HEAPS, "malloc's arenas" },
	{ ARI_MEMORY_MALLOC_MMAPPED, "malloc's mmapped chunks" },
	{ ARI_MEMORY_STACKS, "threads' stacks" },
	{ ARI_MEMORY_ANONYMOUS, "anonymous, not malloc's" },
	{ ARI_MEMORY_FILES, "files, private copies included" },
	{ ARI_MEMORY_SHARED, "shared memory and shared files" },
};
// clang-format on

static void add_kind(struct document *document, const struct ari_model *model, size_t i)
{
	const struct ari_memory *memory = ari_memory_of(model, kinds[i].kind);
	const char *swap = "";

	if (memory == NULL || (memory->resident_bytes == 0 && memory->swapped_bytes == 0))
		return;
	if (memory->swapped_bytes != 0 && memory->swapped_bytes != ARI_UNKNOWN)
		swap = document_format(document, ", and %s in swap",
				       document_bytes(document, memory->swapped_bytes));
	if (memory->resident_bytes == ARI_UNKNOWN) {
		document_fact(document, ari_memory_kind_name(memory->kind),
			      document_format(document, "unknown: %s", kinds[i].what));
		return;
	}
	document_fact(document, ari_memory_kind_name(memory->kind),
		      document_format(document, "%s, %s of the RSS%s: %s",
				      document_bytes(document, memory->resident_bytes),
				      percent(document, memory->resident_bytes,
					      model->process.rss_bytes),
				      swap, kinds[i].what));
}

static void add_difference(struct document *document, const struct ari_model *model)
{
	int64_t difference = model->quality.rss_difference_bytes;

	if (difference == INT64_MIN || difference == 0)
		return;
	document_fact(
		document, "difference",
		document_format(document, "%s %s than the kernel's own count of the RSS",
				document_bytes(document, difference < 0
								 ? -(uint64_t)difference
								 : (uint64_t)difference),
				difference < 0 ? "less" : "more"));
}

/* ---- the container ---- */

static void add_container(struct document *document, const struct ari_model *model)
{
	const struct ari_cgroup *cgroup = &model->process.cgroup;
	const char *back = "";

	if (cgroup->memory_max_bytes == ARI_UNKNOWN)
		return;
	if (model->totals.trimmable_bytes != ARI_UNKNOWN)
		back = document_format(
			document,
			"; what malloc_trim(0) would give back is %s of the use",
			percent(document, model->totals.trimmable_bytes,
				cgroup->memory_current_bytes));
	document_fact(
		document, "container",
		document_format(document, "memory %s of at most %s (%s)%s",
				document_bytes(document, cgroup->memory_current_bytes),
				document_bytes(document, cgroup->memory_max_bytes),
				percent(document, cgroup->memory_current_bytes,
					cgroup->memory_max_bytes),
				back));
}

/* ---- malloc's resident bytes ---- */

#define AT(member) offsetof(struct ari_resident, member)

// clang-format off
static const struct class {
	const char *label;
	size_t offset;
	const char *what;
} classes[] = {
	{ "  in use", AT(in_use_bytes), MEANS_IN_USE },
	{ "  cached", AT(tcache_bytes),
	  "free, in threads' caches (tcache), which malloc_trim never touches" },
	{ "  trimmable", AT(trimmable_bytes), MEANS_TRIMMABLE },
	{ "  retained top", AT(retained_top_bytes),
	  "of tops; malloc_trim never touches those of threads' arenas" },
	{ "  pinned free", AT(pinned_free_bytes),
	  "free, " MEANS_PINNED_FREE },
	{ "  metadata", AT(metadata_bytes), MEANS_METADATA " structures" },
	{ "  not walked", AT(unwalked_bytes), "of arenas that could not be walked whole" },
};
// clang-format on

static void add_class(struct document *document, const struct ari_totals *totals,
		      const struct class *class)
{
	const char *at = (const char *)&totals->resident + class->offset;
	uint64_t bytes = *(const uint64_t *)(const void *)at;
	const char *note = "";

	if (bytes == ARI_UNKNOWN || bytes == 0)
		return;
	if (class->offset == AT(in_use_bytes) && totals->tcache_bytes == ARI_UNKNOWN)
		note = ", chunks cached by threads (tcache) included";
	document_fact(document, class->label,
		      document_format(document, "%s: %s%s",
				      document_bytes(document, bytes), class->what,
				      note));
}

static void add_swapped(struct document *document, const struct ari_totals *totals)
{
	if (totals->trimmable_swapped_bytes == ARI_UNKNOWN ||
	    totals->trimmable_swapped_bytes == 0)
		return;
	document_fact(document, "  in swap",
		      document_format(
			      document, "%s: free, malloc_trim(0) would drop it, too",
			      document_bytes(document, totals->trimmable_swapped_bytes)));
}

void rss_facts(struct document *document, const struct ari_model *model)
{
	const struct ari_totals *totals = &model->totals;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		add_kind(document, model, i);
	add_difference(document, model);
	add_container(document, model);
	if (totals->resident.trimmable_bytes == ARI_UNKNOWN ||
	    totals->resident.total_bytes == 0)
		return;
	document_fact(
		document, "of the arenas",
		document_format(document, "%s resident, of which are",
				document_bytes(document, totals->resident.total_bytes)));
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		add_class(document, totals, &classes[i]);
	add_swapped(document, totals);
}
