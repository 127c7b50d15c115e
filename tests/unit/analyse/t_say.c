// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "analyse/say.h"
#include "analyse/verdicts.h"
#include "model/model.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)

static struct ari_model *new_model(const char *version)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	model->process.pid = 4711;
	model->process.rss_bytes = 200 * MIB;
	model->totals.idle_arenas = 1;
	model->totals.arenas = 12;
	ck_works(model_set_string(&model->libc.version, version, &err), &err);
	return model;
}

static char *said(const struct ari_model *model, const char *template)
{
	struct ari_error err;
	char *text;

	ck_works(say(template, model, &text, &err), &err);
	return text;
}

static void expect(const struct ari_model *model, const char *template,
		   const char *expected)
{
	char *text = said(model, template);

	ck_assert_str_eq(text, expected);
	free(text);
}

/* Whether the template says so of the model. */
static bool says(const struct ari_model *model, const char *template, const char *part)
{
	char *text = said(model, template);
	bool found = strstr(text, part) != NULL;

	free(text);
	return found;
}

TEST(numbers_shares_and_nouns_are_put_in)
{
	struct ari_model *model = new_model("2.36");

	expect(model, "", "");
	expect(model, "no number", "no number");
	expect(model, "RSS {rss_bytes}.", "RSS 200.0 MiB.");
	expect(model, "{idle_arenas} of {arenas}", "1 of 12");
	expect(model, "{idle_arenas:arena has|arenas have}, {arenas:arena|arenas}",
	       "1 arena has, 12 arenas");
	model->process.swap_bytes = 50 * MIB;
	expect(model, "{swap_bytes%rss_bytes}", "25 %");
	ari_model_free(model);
}

TEST(what_is_not_known_is_never_a_number)
{
	struct ari_model *model = new_model(NULL);

	model->totals.arenas = ARI_UNKNOWN;
	expect(model, "{anon_bytes}, {anon_bytes%rss_bytes}, {arenas:arena|arenas}",
	       "unknown, an unknown share, an unknown number of arenas");
	model->process.rss_bytes = 0;
	model->process.anon_bytes = 1;
	expect(model, "{anon_bytes%rss_bytes}", "an unknown share");
	ari_model_free(model);
}

TEST(tunables_are_named_where_the_release_has_them)
{
	static const struct {
		const char *version;
		bool tunables;
	} releases[] = { { NULL, false },     { "2.17", false }, { "2.25", false },
			 { "2.26", true },    { "2.36", true },	 { "2.42.9000", true },
			 { "strange", false } };

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
		struct ari_model *model = new_model(releases[i].version);

		ck_assert(says(model, "{set_arena_max}", "MALLOC_ARENA_MAX=N"));
		ck_assert(says(model, "{set_arena_max}",
			       "GLIBC_TUNABLES=glibc.malloc.arena_max=N") ==
			  releases[i].tunables);
		ari_model_free(model);
	}
}

TEST(way_to_trim_is_that_of_what_runs_there)
{
	static const struct {
		const char *runtime, *trim, *holder, *outside;
	} runtimes[] = {
		{ "jvm", "jcmd 4711 System.trim_native_heap",
		  "jcmd 4711 VM.native_memory", "jcmd 4711 GC.heap_info" },
		{ "cpython", "ctypes.CDLL(None).malloc_trim(0)", "tracemalloc",
		  "sys._debugmallocstats()" },
		{ "ruby", "Process.warmup", "ObjectSpace", "GC.stat" },
		{ "postgresql", "session's backend ends",
		  "pg_log_backend_memory_contexts(4711)", "shared_buffers" },
		{ "nodejs", "addon", "process.memoryUsage()", "--max-old-space-size" },
		{ NULL, "the program itself", "heap profiler", "pmap -X 4711" },
		{ "of-a-later-version", "the program itself", "heap profiler", "pmap" },
	};

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++) {
		struct ari_model *model = new_model("2.36");
		struct ari_error err;

		ck_works(model_set_string(&model->process.runtime, runtimes[i].runtime,
					  &err),
			 &err);
		ck_assert(says(model, "{trim}", runtimes[i].trim));
		ck_assert(says(model, "{holder}", runtimes[i].holder));
		ck_assert(says(model, "{outside}", runtimes[i].outside));
		ari_model_free(model);
	}
}

TEST(process_whose_id_is_not_known_has_a_placeholder)
{
	struct ari_model *model = new_model("2.36");

	model->process.pid = ARI_UNKNOWN;
	expect(model, "{pid}", "PID");
	ck_assert(says(model, "{outside}", "pmap -X PID"));
	ari_model_free(model);
}

TEST(threshold_that_is_fixed_is_not_to_be_fixed)
{
	struct ari_model *model = new_model("2.36");
	const char *advice = verdict_find("RETAINED-TOP")->advice;

	model->settings.thresholds_dynamic = ARI_YES;
	ck_assert(says(model, advice, "MALLOC_TRIM_THRESHOLD_=131072"));
	ck_assert(says(model, advice, "MALLOC_ARENA_MAX=N"));
	model->settings.thresholds_dynamic = ARI_NO;
	model->settings.trim_threshold_bytes = 64 * MIB;
	ck_assert(!says(model, advice, "MALLOC_TRIM_THRESHOLD_="));
	ck_assert(says(model, advice, "fixed already, at 64.0 MiB"));
	ck_assert(says(model, advice, "MALLOC_ARENA_MAX=N"));
	ari_model_free(model);
}

TEST(opposite_situations_get_opposite_advice)
{
	static const struct {
		const char *id;
		bool trim_helps;
	} rows[] = {
		{ "TRIMMABLE", true },	       { "PINNED-BY-ONE", true },
		{ "SWAPPED-FREE", true },      { "RETAINED-TOP", false },
		{ "PINNED-FREE", false },      { "LOCKED", false },
		{ "ALREADY-RETURNED", false }, { "APPLICATION-HOLDS-IT", false },
		{ "OUTSIDE-MALLOC", false },
	};
	struct ari_model *model = new_model("2.36");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct verdict *verdict = verdict_find(rows[i].id);
		bool advised = says(model, verdict->advice, "malloc_trim(0)");
		bool useless = strstr(verdict->no_help, "malloc_trim(0)") != NULL;

		ck_assert_msg(advised == rows[i].trim_helps, "%s", rows[i].id);
		ck_assert_msg(useless != rows[i].trim_helps, "%s", rows[i].id);
	}
	ari_model_free(model);
}

TEST(every_template_can_be_said)
{
	struct ari_model *model = new_model("2.36");
	const struct verdict *verdict;

	for (size_t i = 0; (verdict = verdict_at(i)) != NULL; i++) {
		char *text;

		if (verdict->of_diff)
			continue;
		text = said(model, verdict->message);
		ck_assert_msg(strpbrk(text, "{}|") == NULL, "%s", text);
		free(text);
		text = said(model, verdict->advice);
		ck_assert_msg(strpbrk(text, "{}|") == NULL, "%s", text);
		free(text);
	}
	ari_model_free(model);
}

UNIT_MAIN("analyse/say", numbers_shares_and_nouns_are_put_in,
	  what_is_not_known_is_never_a_number,
	  tunables_are_named_where_the_release_has_them,
	  way_to_trim_is_that_of_what_runs_there,
	  process_whose_id_is_not_known_has_a_placeholder,
	  threshold_that_is_fixed_is_not_to_be_fixed,
	  opposite_situations_get_opposite_advice, every_template_can_be_said)
