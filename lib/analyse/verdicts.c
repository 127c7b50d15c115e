// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <string.h>

#include "analyse/say.h"
#include "analyse/verdicts.h"
#include "model/model.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/*
 * Less than 16 MiB nobody looks for, whatever the share; a tenth is where people begin
 * to ask.  1 GiB is worth a word in any process.
 */
#define AMOUNT .least_bytes = 16 * MIB, .least_percent = 10

/* A quarter, and enough to matter to its machine: that is to be acted upon. */
#define GRAVE_AMOUNT .grave_bytes = 64 * MIB, .grave_percent = 25

/* More than all the rest together. */
#define HALF .least_bytes = 16 * MIB, .least_percent = 50

/*
 * Close to the limit the kernel begins to take back what it can, and a process slows
 * down; some ten per cent are what a peak may need.
 */
#define NEAR_LIMIT_PERCENT 90

/* So many of the mmapped chunks there may be: near enough to see it coming. */
#define NEAR_MMAPS_PERCENT 90

/* ---- what no stake says ---- */

static bool malloc_is_other(const struct ari_model *model)
{
	const char *provider = model->allocator.malloc_provider;

	return provider != NULL && strcmp(provider, "glibc") != 0;
}

static bool has_other_allocator(const struct ari_model *model)
{
	return malloc_is_other(model) || model->allocator.others.count > 0;
}

/* Where malloc takes huge pages from the kernel's pool, those are among the counted. */
static bool has_no_pool_of_huge_pages(const struct ari_model *model)
{
	uint64_t bytes = model->settings.huge_page_bytes;

	return bytes == 0 || bytes == ARI_UNKNOWN;
}

static bool is_near_mmaps_max(const struct ari_model *model)
{
	uint64_t chunks = model->totals.mmapped_chunks;
	uint64_t most = model->settings.mmaps_max;

	return chunks <= INT32_MAX && most <= INT32_MAX && most != 0 &&
	       chunks * 100 >= most * NEAR_MMAPS_PERCENT;
}

/* An estimate alone is not certain; arenas that threads share prove it. */
static bool is_at_arena_limit(const struct ari_model *model)
{
	uint64_t limit = model->settings.arena_limit;
	uint64_t source = model->settings.arena_limit_source;
	uint64_t shared = number_of(model, SHARED_ARENAS).value;

	if (limit == ARI_UNKNOWN || limit == 0 || model->totals.arenas == ARI_UNKNOWN ||
	    model->totals.arenas < limit)
		return false;
	return source == ARI_LIMIT_READ || source == ARI_LIMIT_ARENA_MAX ||
	       (source == ARI_LIMIT_ESTIMATED && shared != ARI_UNKNOWN && shared > 0);
}

static bool is_unstable(const struct ari_model *model)
{
	return model->stopped.code != ARI_OK || number_of(model, TORN_ARENAS).value > 0;
}

/* ---- the table ---- */

static const struct verdict verdicts[] = {
#define VERDICT(id_is, severity_is, says_it, ...) \
	{ .id = id_is,                            \
	  .severity = ARI_SEVERITY_##severity_is, \
	  .says = says_it,                        \
	  __VA_ARGS__ },
#include "analyse/verdicts.def"
#undef VERDICT
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const struct verdict *verdict_at(size_t index)
{
	return index < COUNT(verdicts) ? &verdicts[index] : NULL;
}

const struct verdict *verdict_find(const char *id)
{
	for (size_t i = 0; i < COUNT(verdicts); i++)
		if (strcmp(verdicts[i].id, id) == 0)
			return &verdicts[i];
	return NULL;
}

static const struct {
	const char *id, *text;
} texts[] = {
#define TEXT(id, text) { id, text },
#include "analyse/texts.def"
#undef TEXT
};

static const char *text_of(const char *id)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(texts[i].id, id) == 0)
			return texts[i].text;
	return NULL;
}

bool ari_verdict_describe(size_t index, struct ari_verdict *ret)
{
	const struct verdict *verdict = verdict_at(index);

	if (verdict == NULL)
		return false;
	*ret = (struct ari_verdict){
		.id = verdict->id,
		.severity = verdict->severity,
		.of_diff = verdict->of_diff,
		.says = verdict->says,
		.no_help = verdict->no_help,
		.against = verdict->against,
		.text = text_of(verdict->id),
	};
	return true;
}

bool ari_verdict_advice(size_t index, char **ret, struct ari_error *err)
{
	struct ari_model *nobody = model_new(err);
	const struct verdict *verdict = verdict_at(index);
	bool done;

	if (nobody == NULL)
		return false;
	assert(verdict != NULL);
	done = say(verdict->advice, nobody, ret, err);
	ari_model_free(nobody);
	return done;
}
