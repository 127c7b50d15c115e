// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "facts.h"
#include "out/cell.h"

static const char *word_or_unknown(const char *word)
{
	return word == NULL ? "unknown" : word;
}

void facts_libc(struct document *document, const struct ari_model *model)
{
	const struct ari_libc *libc = &model->libc;
	const char *debug = "";

	if (libc->kind == NULL)
		return;
	document_fact(document, "libc",
		      document_format(document, "%s %s, %s", libc->kind,
				      word_or_unknown(libc->version),
				      word_or_unknown(libc->path)));
	if (libc->debug_file != NULL)
		debug = document_format(document, " (%s)", libc->debug_file);
	document_fact(
		document, "layout",
		document_format(
			document, "symbols from %s, structs from %s%s",
			word_or_unknown(ari_symbol_source_name(libc->symbol_source)),
			word_or_unknown(ari_layout_source_name(libc->layout_source)),
			debug));
}

void facts_proof(struct document *document, const struct ari_model *model)
{
	const struct ari_libc *libc = &model->libc;

	for (size_t i = 0; i < libc->proof.count; i++)
		document_fact(document, "proof", libc->proof.at[i]);
}

/* ---- who provides malloc ---- */

/* What glibc has of the anonymous memory, where both can be told. */
static const char *glibc_share(struct document *document, const struct ari_model *model)
{
	uint64_t anonymous = model->process.anon_bytes;
	uint64_t ours = ari_malloc_resident(model);

	if (ours == ARI_UNKNOWN || anonymous == ARI_UNKNOWN || anonymous == 0)
		return "";
	return document_format(
		document, "; glibc's part is %s of %s of anonymous memory, %.0f %%",
		document_bytes(document, ours), document_bytes(document, anonymous),
		100.0 * (double)ours / (double)anonymous);
}

static const char *provider(struct document *document,
			    const struct ari_allocator *allocator)
{
	const char *path = word_or_unknown(allocator->provider_path);
	const char *word = allocator->malloc_provider;

	if (word == NULL)
		return "who provides malloc is not known";
	if (strcmp(word, "glibc") == 0)
		return "glibc provides malloc";
	if (strcmp(word, "own") == 0)
		return document_format(document,
				       "%s has a malloc of its own, asked before glibc's",
				       path);
	return document_format(document, "%s provides malloc (%s)", word, path);
}

void facts_allocator(struct document *document, const struct ari_model *model)
{
	const struct ari_allocator *allocator = &model->allocator;

	if (allocator->others.known || allocator->malloc_provider != NULL)
		document_fact(document, "allocator",
			      document_format(document, "%s%s",
					      provider(document, allocator),
					      glibc_share(document, model)));
	for (size_t i = 0; i < allocator->others.count; i++) {
		const struct ari_other_allocator *other = &allocator->others.at[i];

		document_fact(document, "allocator",
			      document_format(document, "%s is loaded, too (%s)",
					      other->name, other->path));
	}
}

/* ---- where it runs ---- */

void facts_cgroup(struct document *document, const struct ari_model *model)
{
	const struct ari_cgroup *cgroup = &model->process.cgroup;
	const char *unit = "", *container = "";
	char room[CELL_ROOM];

	if (cgroup->unit == NULL && cgroup->container == NULL)
		return;
	if (cgroup->unit != NULL)
		unit = document_format(document, "unit %s%s", cgroup->unit,
				       cgroup->container == NULL ? "" : ", ");
	if (cgroup->container != NULL)
		container = document_format(document, "container %s",
					    id_text(cgroup->container, room));
	document_fact(document, "runs in",
		      document_format(document, "%s%s (%s)", unit, container,
				      word_or_unknown(cgroup->path)));
}

void facts_namespace(struct document *document, const struct ari_model *model)
{
	const struct ari_process *process = &model->process;

	if (process->ns_pid == ARI_UNKNOWN || process->ns_pid == process->pid)
		return;
	document_fact(document, "namespace",
		      document_format(document,
				      "process %" PRIu64 " is %" PRIu64
				      " in a pid namespace of its own",
				      process->pid, process->ns_pid));
}

/* ---- settings ---- */

static const char *limit_origin(uint64_t source)
{
	static const char *const origins[] = {
		[ARI_LIMIT_READ] = "read from the process",
		[ARI_LIMIT_ARENA_MAX] = "the setting arena_max",
		[ARI_LIMIT_ESTIMATED] = "estimated from the processors",
		[ARI_LIMIT_NOT_COMPUTED] = "none computed yet: there were too few arenas",
	};

	return source < sizeof(origins) / sizeof(origins[0]) ? origins[source] : NULL;
}

/*
 * glibc counts processors for the limit; a container sees those of its host, however
 * little of them it may use.
 */
static const char *quota_clause(struct document *document, const struct ari_model *model)
{
	uint64_t processors = model->settings.arena_limit_processors;
	double quota = model->process.cgroup.cpu_quota;

	if (processors == ARI_UNKNOWN || isnan(quota) || quota >= (double)processors)
		return "";
	return document_format(
		document, " from %s; the container may use %.1f",
		document_count(document, processors, "processor", "processors"), quota);
}

void facts_arena_limit(struct document *document, const struct ari_model *model)
{
	uint64_t limit = model->settings.arena_limit;
	const char *origin = limit_origin(model->settings.arena_limit_source);
	const char *text = origin == NULL ? "unknown" : origin;

	if (limit != ARI_UNKNOWN && origin != NULL)
		text = document_format(document, "%" PRIu64 " (%s)%s", limit, origin,
				       quota_clause(document, model));
	else if (limit != ARI_UNKNOWN)
		text = document_format(document, "%" PRIu64, limit);
	document_fact(document, "arena limit", text);
}

#define AT(member) offsetof(struct ari_settings, member)

// clang-format off
static const struct setting {
	const char *label;
	enum unit unit;
	size_t offset;
	const char *zero; /* what 0 stands for, where it is no amount */
} numbers[] = {
	{ "mmap threshold", UNIT_BYTES, AT(mmap_threshold_bytes), NULL },
	{ "trim threshold", UNIT_BYTES, AT(trim_threshold_bytes), NULL },
	{ "top pad", UNIT_BYTES, AT(top_pad_bytes), NULL },
	{ "mmaps max", UNIT_COUNT, AT(mmaps_max), NULL },
	{ "arena test", UNIT_COUNT, AT(arena_test), "not set" },
	{ "arena max", UNIT_COUNT, AT(arena_max), "not set" },
	{ "tcache max", UNIT_BYTES, AT(tcache_max_bytes), NULL },
	{ "tcache count", UNIT_COUNT, AT(tcache_count), NULL },
	{ "THP page", UNIT_BYTES, AT(thp_page_bytes), "not used" },
	{ "huge page", UNIT_BYTES, AT(huge_page_bytes), "not used" },
};
// clang-format on

static const char *setting_text(struct document *document, const struct setting *setting,
				const struct ari_settings *settings)
{
	const char *at = (const char *)settings + setting->offset;
	uint64_t number = *(const uint64_t *)(const void *)at;

	if (number == ARI_UNKNOWN)
		return "unknown";
	if (number == 0 && setting->zero != NULL)
		return setting->zero;
	return setting->unit == UNIT_BYTES
		       ? document_bytes(document, number)
		       : document_format(document, "%" PRIu64, number);
}

static const char *threshold_kind(enum ari_yesno dynamic)
{
	if (dynamic == ARI_MAYBE)
		return "unknown whether dynamic or fixed";
	return dynamic == ARI_YES
		       ? "dynamic: both grow when a larger mmapped chunk is freed"
		       : "fixed: set by the process or its environment";
}

void facts_settings(struct document *document, const struct ari_model *model)
{
	const struct ari_settings *settings = &model->settings;

	document_fact(document, "thresholds",
		      threshold_kind(settings->thresholds_dynamic));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		document_fact(document, numbers[i].label,
			      setting_text(document, &numbers[i], settings));
	for (size_t i = 0; i < settings->environment.count; i++) {
		const struct ari_variable *variable = &settings->environment.at[i];

		document_fact(document, "environment",
			      document_format(document, "%s=%s", variable->name,
					      variable->value));
	}
}
