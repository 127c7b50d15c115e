// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "analyse/verdicts.h"
#include "base/list.h"
#include "model/model.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* A process at rest of which nothing is to be said: two arenas, and all is known. */
static struct ari_model *new_model(void)
{
	static const struct ari_resident none = { 0 };
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	for (int i = 0; i < 2; i++) {
		struct ari_arena *arena = model_add_arena(model, &err);

		ck_assert_ptr_nonnull(arena);
		ck_assert_ptr_nonnull(model_add_heap(arena, &err));
		arena->kind = i == 0 ? ARI_ARENA_MAIN : ARI_ARENA_THREAD;
		arena->index = (uint64_t)i;
		arena->state = ARI_STATE_STEADY;
		arena->idle = ARI_NO;
		arena->attached_threads = 1;
		arena->resident = none;
		arena->free_bytes = arena->fast.bytes = arena->tcache.bytes = 0;
		arena->top.bytes = arena->locked_free_bytes = 0;
		arena->trimmable_swapped_bytes = 0;
		arena->heaps.at[0].huge_page_bytes = arena->heaps.at[0].swapped_bytes = 0;
		arena->heaps.at[0].resident_bytes = 0;
	}
	for (uint64_t kind = 0; kind <= ARI_MEMORY_SHARED; kind++) {
		struct ari_memory *memory = list_add(&model->memory, &err);

		ck_assert_ptr_nonnull(memory);
		memory->kind = kind;
	}
	model->process.rss_bytes = 160 * MIB;
	model->process.swap_bytes = 160 * MIB;
	model->process.anon_bytes = 100 * MIB;
	model->process.tasks = 2;
	model->totals.arenas = 2;
	model->totals.idle_arenas = 0;
	model->totals.tcache_bytes = 0;
	model->totals.mmapped_chunks = model->totals.mmapped_bytes = 0;
	model->settings.mmaps_max = 65536;
	model->settings.trim_threshold_bytes = 128 << 10;
	model->settings.thresholds_dynamic = ARI_YES;
	return model;
}

static const struct ari_finding *find(const struct ari_model *model, const char *id)
{
	ck_assert_ptr_nonnull(verdict_find(id));
	ck_assert(model->findings.known);
	for (size_t i = 0; i < model->findings.count; i++)
		if (strcmp(model->findings.at[i].id, id) == 0)
			return &model->findings.at[i];
	return NULL;
}

/* The severity it is found with, or -1. */
static int judged(struct ari_model *model, const char *id)
{
	const struct ari_finding *finding;
	struct ari_error err;

	ck_works(ari_judge(model, &err), &err);
	finding = find(model, id);
	return finding == NULL ? -1 : (int)finding->severity;
}

TEST(process_at_rest_has_no_finding)
{
	struct ari_model *model = new_model();
	struct ari_error err;

	ck_works(ari_judge(model, &err), &err);
	ck_assert_uint_eq(model->findings.count, 0);
	ck_assert(model->findings.known);
	ari_model_free(model);
}

TEST(model_of_which_nothing_is_known_has_no_finding)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_works(ari_judge(model, &err), &err);
	ck_assert_uint_eq(model->findings.count, 0);
	ari_model_free(model);
}

/* ---- verdicts with a stake ---- */

#define ARENA(model) (&(model)->arenas.at[1])

#define SETTER(name, place)                                             \
	static void set_##name(struct ari_model *model, uint64_t value) \
	{                                                               \
		place = value;                                          \
	}

SETTER(rss, model->process.rss_bytes)
SETTER(swap, model->process.swap_bytes)
SETTER(max, model->process.cgroup.memory_max_bytes)
SETTER(trimmable, ARENA(model)->resident.trimmable_bytes)
SETTER(pinned, ARENA(model)->resident.pinned_free_bytes)
SETTER(top, ARENA(model)->resident.retained_top_bytes)
SETTER(below, ARENA(model)->heaps.at[0].last_chunk.below_bytes)
SETTER(swapped, ARENA(model)->trimmable_swapped_bytes)
SETTER(anonymous, model->memory.at[ARI_MEMORY_ANONYMOUS].resident_bytes)
SETTER(mmapped, model->memory.at[ARI_MEMORY_MALLOC_MMAPPED].resident_bytes)

static void set_in_use(struct ari_model *model, uint64_t value)
{
	ARENA(model)->resident.in_use_bytes = value;
}

static void set_locked(struct ari_model *model, uint64_t value)
{
	ARENA(model)->resident.pinned_free_bytes = value;
	ARENA(model)->locked_free_bytes = value;
}

static void set_idle(struct ari_model *model, uint64_t value)
{
	ARENA(model)->idle = ARI_YES;
	ARENA(model)->resident.retained_top_bytes = value / 2;
	ARENA(model)->resident.trimmable_bytes =
		value == ARI_UNKNOWN ? value : value - value / 2;
}

/* 8 MiB of it are in use. */
static void set_huge(struct ari_model *model, uint64_t value)
{
	ARENA(model)->resident.in_use_bytes = 8 * MIB;
	ARENA(model)->heaps.at[0].huge_page_bytes =
		value == ARI_UNKNOWN ? value : value + 8 * MIB;
	ARENA(model)->heaps.at[0].resident_bytes = 600 * GIB;
}

static void set_needed(struct ari_model *model, uint64_t value)
{
	model->process.cgroup.memory_current_bytes =
		value == ARI_UNKNOWN ? value : value + 50 * MIB;
	model->process.cgroup.memory_inactive_file_bytes = 50 * MIB;
	if (value == ARI_UNKNOWN)
		model->process.anon_bytes = ARI_UNKNOWN;
}

static void set_not_resident(struct ari_model *model, uint64_t value)
{
	ARENA(model)->free_bytes = value;
}

/* ALREADY-RETURNED is a share of what is free: the rest of that is resident. */
static void set_free(struct ari_model *model, uint64_t value)
{
	struct ari_arena *main_arena = &model->arenas.at[0];

	main_arena->free_bytes =
		value == ARI_UNKNOWN ? value : value - ARENA(model)->free_bytes;
	main_arena->resident.pinned_free_bytes = main_arena->free_bytes;
}

// clang-format off
static const struct stake {
	const char *id;
	void (*set)(struct ari_model *model, uint64_t value);
	void (*set_whole)(struct ari_model *model, uint64_t value);
	uint64_t least, percent;
	bool graver, much;
	enum ari_severity severity;
} stakes[] = {
	{ "TRIMMABLE", set_trimmable, set_rss, 16 * MIB, 10, true, true, ARI_SEVERITY_NOTICE },
	{ "PINNED-FREE", set_pinned, set_rss, 16 * MIB, 10, true, true, ARI_SEVERITY_NOTICE },
	{ "RETAINED-TOP", set_top, set_rss, 16 * MIB, 10, true, true, ARI_SEVERITY_NOTICE },
	{ "PINNED-BY-ONE", set_below, set_rss, 16 * MIB, 10, false, true, ARI_SEVERITY_NOTICE },
	{ "LOCKED", set_locked, set_rss, 16 * MIB, 10, false, true, ARI_SEVERITY_NOTICE },
	{ "IDLE-ARENAS", set_idle, set_rss, 16 * MIB, 10, false, true, ARI_SEVERITY_NOTICE },
	{ "THP-INFLATED", set_huge, set_rss, 16 * MIB, 10, false, true, ARI_SEVERITY_NOTICE },
	{ "SWAPPED-FREE", set_swapped, set_swap, 16 * MIB, 10, false, false, ARI_SEVERITY_NOTICE },
	{ "APPLICATION-HOLDS-IT", set_in_use, set_rss, 16 * MIB, 50, false, false, ARI_SEVERITY_INFO },
	{ "APPLICATION-HOLDS-IT", set_mmapped, set_rss, 16 * MIB, 50, false, false, ARI_SEVERITY_INFO },
	{ "OUTSIDE-MALLOC", set_anonymous, set_rss, 16 * MIB, 50, false, false, ARI_SEVERITY_INFO },
	{ "ALREADY-RETURNED", set_not_resident, set_free, 64 * MIB, 50, false, false, ARI_SEVERITY_INFO },
	{ "NEAR-LIMIT", set_needed, set_max, 90 * MIB, 90, false, false, ARI_SEVERITY_WARNING },
};
// clang-format on

static int judge_stake(const struct stake *stake, uint64_t value, uint64_t whole)
{
	struct ari_model *model = new_model();
	int severity;

	stake->set(model, value);
	stake->set_whole(model, whole);
	severity = judged(model, stake->id);
	ari_model_free(model);
	return severity;
}

static void expect(const struct stake *stake, uint64_t value, uint64_t whole,
		   int severity)
{
	int found = judge_stake(stake, value, whole);

	ck_assert_msg(found == severity, "%s with %llu of %llu: %d instead of %d",
		      stake->id, (unsigned long long)value, (unsigned long long)whole,
		      found, severity);
}

#define EACH_STAKE(stake)                        \
	for (const struct stake *stake = stakes; \
	     stake < stakes + sizeof(stakes) / sizeof(*stakes); stake++)

TEST(stake_counts_from_its_least_bytes_and_share_on)
{
	EACH_STAKE(stake)
	{
		uint64_t whole = stake->least * 100 / stake->percent;

		expect(stake, stake->least, whole, (int)stake->severity);
		expect(stake, stake->least, whole + 100, -1);
		expect(stake, 0, whole, -1);
		if (strcmp(stake->id, "NEAR-LIMIT") != 0) /* whatever the bytes are */
			expect(stake, stake->least - 1, stake->least, -1);
		expect(stake, 4 * stake->least - 1, 4 * whole, -1);
		expect(stake, 4 * stake->least, 4 * whole, (int)stake->severity);
	}
}

TEST(stake_or_whole_that_is_not_known_is_never_found)
{
	EACH_STAKE(stake)
	{
		expect(stake, ARI_UNKNOWN, stake->least * 2, -1);
		expect(stake, stake->least * 2, ARI_UNKNOWN, -1);
	}
}

TEST(much_memory_is_worth_a_word_whatever_its_share)
{
	EACH_STAKE(stake)
	{
		expect(stake, GIB, 500 * GIB, stake->much ? (int)stake->severity : -1);
		expect(stake, GIB - 1, 500 * GIB, -1);
	}
}

TEST(quarter_of_the_rss_is_a_warning)
{
	EACH_STAKE(stake)
	{
		if (!stake->graver)
			continue;
		expect(stake, 64 * MIB, 256 * MIB, ARI_SEVERITY_WARNING);
		expect(stake, 64 * MIB - 1, 240 * MIB, ARI_SEVERITY_NOTICE);
		expect(stake, 64 * MIB, 256 * MIB + 100, ARI_SEVERITY_NOTICE);
		expect(stake, 2 * GIB, 500 * GIB, ARI_SEVERITY_NOTICE);
	}
}

/* ---- opposite situations ---- */

TEST(what_is_only_locked_is_not_pinned_by_its_neighbours)
{
	struct ari_model *model = new_model();

	set_locked(model, 40 * MIB);
	ck_assert_int_eq(judged(model, "PINNED-FREE"), -1);
	ck_assert_int_eq(judged(model, "LOCKED"), ARI_SEVERITY_NOTICE);
	ARENA(model)->resident.pinned_free_bytes = 80 * MIB;
	ck_assert_int_eq(judged(model, "PINNED-FREE"), ARI_SEVERITY_NOTICE);
	ari_model_free(model);
}

TEST(swap_and_pages_that_are_there_were_not_given_back)
{
	struct ari_model *model = new_model();

	ARENA(model)->free_bytes = 100 * MIB;
	ck_assert_int_eq(judged(model, "ALREADY-RETURNED"), ARI_SEVERITY_INFO);
	ARENA(model)->heaps.at[0].swapped_bytes = 60 * MIB;
	ck_assert_int_eq(judged(model, "ALREADY-RETURNED"), -1);
	ARENA(model)->heaps.at[0].swapped_bytes = 0;
	ARENA(model)->resident.trimmable_bytes = 60 * MIB;
	ck_assert_int_eq(judged(model, "ALREADY-RETURNED"), -1);
	ari_model_free(model);
}

TEST(arena_with_a_thread_is_not_idle_whatever_is_free_in_it)
{
	struct ari_model *model = new_model();

	set_idle(model, 100 * MIB);
	ARENA(model)->idle = ARI_NO;
	ck_assert_int_eq(judged(model, "IDLE-ARENAS"), -1);
	ARENA(model)->idle = ARI_MAYBE;
	ck_assert_int_eq(judged(model, "IDLE-ARENAS"), -1);
	/* Nor is what an idle one has in use of this verdict. */
	ARENA(model)->idle = ARI_YES;
	ARENA(model)->resident.in_use_bytes = 100 * MIB;
	ARENA(model)->resident.retained_top_bytes = 0;
	ARENA(model)->resident.trimmable_bytes = 0;
	ck_assert_int_eq(judged(model, "IDLE-ARENAS"), -1);
	ari_model_free(model);
}

TEST(huge_pages_that_what_is_in_use_may_fill_are_not_free)
{
	struct ari_model *model = new_model();

	ARENA(model)->heaps.at[0].huge_page_bytes = 80 * MIB;
	ARENA(model)->heaps.at[0].resident_bytes = 100 * MIB;
	ARENA(model)->resident.in_use_bytes = 60 * MIB;
	ARENA(model)->resident.metadata_bytes = 4 * MIB;
	ck_assert_int_eq(judged(model, "THP-INFLATED"), ARI_SEVERITY_NOTICE);
	/* Those of the kernel's pool are no resident memory. */
	model->settings.huge_page_bytes = 2 * MIB;
	ck_assert_int_eq(judged(model, "THP-INFLATED"), -1);
	model->settings.huge_page_bytes = 0;
	ARENA(model)->heaps.at[0].resident_bytes = 70 * MIB;
	ck_assert_int_eq(judged(model, "THP-INFLATED"), -1);
	ARENA(model)->heaps.at[0].resident_bytes = 100 * MIB;
	ARENA(model)->resident.tcache_bytes = 1;
	ck_assert_int_eq(judged(model, "THP-INFLATED"), -1);
	ari_model_free(model);
}

TEST(cached_chunks_are_not_taken_for_the_applications)
{
	struct ari_model *model = new_model();
	const struct ari_finding *finding;

	model->process.rss_bytes = 40 * MIB;
	model->totals.tcache_bytes = ARI_UNKNOWN; /* among those in use */
	model->settings.tcache_max_bytes = 1032;
	model->settings.tcache_count = 7;
	model->process.tasks = 10;
	ARENA(model)->resident.in_use_bytes = 20 * MIB;
	ck_assert_int_eq(judged(model, "APPLICATION-HOLDS-IT"), -1);
	ARENA(model)->resident.in_use_bytes = 30 * MIB;
	ck_assert_int_eq(judged(model, "APPLICATION-HOLDS-IT"), ARI_SEVERITY_INFO);
	finding = find(model, "APPLICATION-HOLDS-IT");
	ck_assert_ptr_nonnull(strstr(finding->message, "holds at least 2"));
	/* A cache without bounds may hold it all. */
	model->settings.tcache_count = 1 << 30;
	ck_assert_int_eq(judged(model, "APPLICATION-HOLDS-IT"), -1);
	/* Before 2.26 there is none. */
	model->settings.tcache_max_bytes = model->settings.tcache_count = ARI_UNKNOWN;
	ck_assert_int_eq(judged(model, "APPLICATION-HOLDS-IT"), ARI_SEVERITY_INFO);
	finding = find(model, "APPLICATION-HOLDS-IT");
	ck_assert_ptr_nonnull(strstr(finding->message, "holds 30.0 MiB"));
	ari_model_free(model);
}

TEST(limit_is_near_by_what_cannot_be_dropped)
{
	struct ari_model *model = new_model();
	struct ari_cgroup *cgroup = &model->process.cgroup;

	cgroup->memory_max_bytes = 200 * MIB;
	cgroup->memory_current_bytes = 199 * MIB;
	cgroup->memory_inactive_file_bytes = 30 * MIB;
	ck_assert_int_eq(judged(model, "NEAR-LIMIT"), -1);
	cgroup->memory_inactive_file_bytes = 10 * MIB;
	ck_assert_int_eq(judged(model, "NEAR-LIMIT"), ARI_SEVERITY_WARNING);
	/* Where that is not told, by what is surely the process's own. */
	cgroup->memory_inactive_file_bytes = ARI_UNKNOWN;
	ck_assert_int_eq(judged(model, "NEAR-LIMIT"), -1);
	model->process.anon_bytes = 185 * MIB;
	ck_assert_int_eq(judged(model, "NEAR-LIMIT"), ARI_SEVERITY_WARNING);
	ari_model_free(model);
}

/* ---- torn arenas ---- */

TEST(torn_arena_is_left_out_and_the_rest_is_at_least)
{
	struct ari_model *model = new_model();

	model->arenas.at[0].state = ARI_STATE_TORN;
	model->arenas.at[0].resident.trimmable_bytes = 100 * GIB;
	ck_assert_int_eq(judged(model, "TRIMMABLE"), -1);
	ck_assert_int_eq(judged(model, "UNSTABLE"), ARI_SEVERITY_NOTICE);
	ARENA(model)->resident.trimmable_bytes = 20 * MIB;
	ck_assert_int_eq(judged(model, "TRIMMABLE"), ARI_SEVERITY_NOTICE);
	ck_assert_ptr_nonnull(
		strstr(find(model, "TRIMMABLE")->message, "at least 20.0 MiB"));
	ck_assert_uint_eq(find(model, "TRIMMABLE")->evidence.at[0].value, 20 * MIB);
	ARENA(model)->state = ARI_STATE_TORN;
	ck_assert_int_eq(judged(model, "TRIMMABLE"), -1);
	ari_model_free(model);
}

TEST(busy_arenas_and_damage_are_not_unstable_but_an_early_end_is)
{
	struct ari_model *model = new_model();

	ARENA(model)->state = ARI_STATE_BUSY;
	model->quality.consistent = ARI_NO;
	ck_assert_int_eq(judged(model, "UNSTABLE"), -1);
	model->stopped.code = ARI_TIMED_OUT;
	ck_assert_int_eq(judged(model, "UNSTABLE"), ARI_SEVERITY_NOTICE);
	ck_assert_str_eq(find(model, "UNSTABLE")->message,
			 "Time ran out before all was read: what is said of all is "
			 "incomplete.");
	ari_model_free(model);
}

/* Looking again helps where an arena moved, and does not where it is damaged. */
TEST(damage_is_told_from_an_arena_that_moved)
{
	struct ari_model *model = new_model();
	const struct ari_finding *finding;
	struct ari_error err;

	ARENA(model)->state = ARI_STATE_TORN;
	ck_assert_int_eq(judged(model, "UNSTABLE"), ARI_SEVERITY_NOTICE);
	finding = find(model, "UNSTABLE");
	ck_assert_ptr_nonnull(strstr(finding->message, " did not come to rest while it"));
	ck_assert_ptr_null(strstr(finding->message, "damaged"));
	ck_assert_ptr_nonnull(strstr(finding->advice, "Look again"));
	ck_works(model_add_damage(ARENA(model), CHUNK_TOO_SMALL, 0x1000, &err), &err);
	ck_assert_int_eq(judged(model, "UNSTABLE"), ARI_SEVERITY_NOTICE);
	finding = find(model, "UNSTABLE");
	ck_assert_ptr_nonnull(strstr(finding->message, "a chunk's size is smaller"));
	ck_assert_ptr_null(strstr(finding->message, "rest"));
	ck_assert_ptr_null(strstr(finding->advice, "Look again"));
	ari_model_free(model);
}

/* ---- verdicts with a condition ---- */

TEST(limit_of_arenas_is_reached_when_that_is_certain)
{
	struct ari_model *model = new_model();
	struct ari_settings *settings = &model->settings;

	settings->arena_limit = 2;
	settings->arena_limit_source = ARI_LIMIT_READ;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), ARI_SEVERITY_INFO);
	settings->arena_limit_source = ARI_LIMIT_ARENA_MAX;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), ARI_SEVERITY_INFO);
	settings->arena_limit = 3;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), -1);
	/* An estimate alone is none; shared arenas prove it, and main is no proof. */
	settings->arena_limit = 2;
	settings->arena_limit_source = ARI_LIMIT_ESTIMATED;
	model->arenas.at[0].attached_threads = 5;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), -1);
	ARENA(model)->attached_threads = 2;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), ARI_SEVERITY_INFO);
	ARENA(model)->attached_threads = ARI_UNKNOWN;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), -1);
	/* Releases before 2.23 do not count them; there the setting is enough. */
	settings->arena_limit_source = ARI_LIMIT_ARENA_MAX;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), ARI_SEVERITY_INFO);
	ARENA(model)->attached_threads = 2;
	settings->arena_limit = ARI_UNKNOWN;
	settings->arena_limit_source = ARI_LIMIT_NOT_COMPUTED;
	ck_assert_int_eq(judged(model, "ARENA-LIMIT"), -1);
	ari_model_free(model);
}

TEST(limit_of_mmapped_chunks_is_told_a_little_early)
{
	struct ari_model *model = new_model();

	model->totals.mmapped_chunks = 58983;
	ck_assert_int_eq(judged(model, "MMAP-LIMIT"), ARI_SEVERITY_NOTICE);
	model->totals.mmapped_chunks = 58982;
	ck_assert_int_eq(judged(model, "MMAP-LIMIT"), -1);
	model->totals.mmapped_chunks = 10;
	model->settings.mmaps_max = 11;
	ck_assert_int_eq(judged(model, "MMAP-LIMIT"), ARI_SEVERITY_NOTICE);
	model->settings.mmaps_max = 0; /* mmap is off */
	model->totals.mmapped_chunks = 0;
	ck_assert_int_eq(judged(model, "MMAP-LIMIT"), -1);
	model->settings.mmaps_max = 11;
	model->totals.mmapped_chunks = ARI_UNKNOWN;
	ck_assert_int_eq(judged(model, "MMAP-LIMIT"), -1);
	model->totals.mmapped_chunks = 11;
	model->settings.mmaps_max = ARI_UNKNOWN;
	ck_assert_int_eq(judged(model, "MMAP-LIMIT"), -1);
	ari_model_free(model);
}

TEST(other_allocators_are_told_and_more_so_when_malloc_is_theirs)
{
	struct ari_model *model = new_model();
	struct ari_other_allocator *other;
	struct ari_error err;

	ck_works(model_set_string(&model->allocator.malloc_provider, "glibc", &err),
		 &err);
	ck_assert_int_eq(judged(model, "OTHER-ALLOCATOR"), -1);
	other = list_add(&model->allocator.others, &err);
	ck_works(model_set_string(&other->name, "tcmalloc", &err), &err);
	ck_assert_int_eq(judged(model, "OTHER-ALLOCATOR"), ARI_SEVERITY_INFO);
	ck_assert_ptr_nonnull(strstr(find(model, "OTHER-ALLOCATOR")->message,
				     "malloc is glibc's, with tcmalloc loaded, too"));
	ck_works(model_set_string(&model->allocator.malloc_provider, "jemalloc", &err),
		 &err);
	ck_assert_int_eq(judged(model, "OTHER-ALLOCATOR"), ARI_SEVERITY_NOTICE);
	ck_assert_ptr_nonnull(strstr(find(model, "OTHER-ALLOCATOR")->message,
				     "malloc is jemalloc's, with tcmalloc"));
	ck_works(model_set_string(&model->allocator.malloc_provider, "own", &err), &err);
	ck_works(model_set_string(&model->allocator.provider_path, "/opt/server", &err),
		 &err);
	ck_assert_int_eq(judged(model, "OTHER-ALLOCATOR"), ARI_SEVERITY_NOTICE);
	ck_assert_ptr_nonnull(strstr(find(model, "OTHER-ALLOCATOR")->message,
				     "malloc is that of server, with tcmalloc"));
	ari_model_free(model);
}

static void expect_malloc(const char *provider, const char *path, const char *other,
			  const char *expected)
{
	struct ari_model *model = new_model();
	struct ari_allocator *allocator = &model->allocator;
	struct ari_other_allocator *more;
	struct ari_error err;
	const char *message;

	ck_works(model_set_string(&allocator->malloc_provider, provider, &err), &err);
	ck_works(model_set_string(&allocator->provider_path, path, &err), &err);
	if (other != NULL) {
		more = list_add(&allocator->others, &err);
		ck_works(model_set_string(&more->name, other, &err), &err);
		ck_works(model_set_string(&more->path, "/opt/libmore.so", &err), &err);
	}
	ck_assert_int_ne(judged(model, "OTHER-ALLOCATOR"), -1);
	message = find(model, "OTHER-ALLOCATOR")->message;
	ck_assert_msg(strncmp(message, expected, strlen(expected)) == 0 &&
			      message[strlen(expected)] == ';',
		      "%s", message);
	ari_model_free(model);
}

TEST(whose_malloc_it_is_is_a_sentence_and_no_guess)
{
	expect_malloc("own", "/opt/app/libown.so", NULL, "malloc is that of libown.so");
	expect_malloc("own", NULL, NULL, "malloc is that of ?");
	expect_malloc("glibc", "/usr/lib/libc.so.6", "glibc",
		      "malloc is glibc's, with a second glibc loaded, too");
	expect_malloc("glibc", "/usr/lib/libc.so.6", "own",
		      "malloc is glibc's, with that of libmore.so loaded, too");
	expect_malloc(NULL, NULL, "Go",
		      "malloc is not known to be glibc's, with Go loaded, too");
}

TEST(last_chunk_that_keeps_most_is_the_one_that_is_named)
{
	struct ari_model *model = new_model();
	const struct ari_finding *finding;

	model->arenas.at[0].heaps.at[0].last_chunk =
		(struct ari_last_chunk){ 0x1000, 48, 20 * MIB };
	ARENA(model)->heaps.at[0].last_chunk =
		(struct ari_last_chunk){ 0x7f0000002000, 3008, 30 * MIB };
	ck_assert_int_eq(judged(model, "PINNED-BY-ONE"), ARI_SEVERITY_NOTICE);
	finding = find(model, "PINNED-BY-ONE");
	ck_assert_ptr_nonnull(strstr(finding->message, "of 2.9 KiB at 0x7f0000002000"));
	ck_assert_ptr_nonnull(strstr(finding->message, "arena 1"));
	ck_assert_ptr_nonnull(strstr(finding->message, "30.0 MiB"));
	/* Not one in an arena whose numbers are not certain. */
	ARENA(model)->state = ARI_STATE_TORN;
	ck_assert_int_eq(judged(model, "PINNED-BY-ONE"), ARI_SEVERITY_NOTICE);
	ck_assert_ptr_nonnull(strstr(find(model, "PINNED-BY-ONE")->message, "at 0x1000"));
	ari_model_free(model);
}

/* ---- all of them ---- */

TEST(most_severe_comes_first_and_then_what_more_memory_is_about)
{
	static const char *const expected[] = { "RETAINED-TOP",	  "PINNED-FREE",
						"TRIMMABLE",	  "SWAPPED-FREE",
						"OUTSIDE-MALLOC", "ARENA-LIMIT" };
	struct ari_model *model = new_model();
	struct ari_error err;

	set_rss(model, 240 * MIB);
	set_top(model, 64 * MIB);
	set_pinned(model, 40 * MIB);
	set_trimmable(model, 30 * MIB);
	set_swapped(model, 160 * MIB);
	set_anonymous(model, 120 * MIB);
	model->settings.arena_limit = 2;
	model->settings.arena_limit_source = ARI_LIMIT_READ;
	ck_works(ari_judge(model, &err), &err);
	ck_assert_uint_eq(model->findings.count, 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert_str_eq(model->findings.at[i].id, expected[i]);
	/* Anew, and no more than anew. */
	ck_works(ari_judge(model, &err), &err);
	ck_assert_uint_eq(model->findings.count, 6);
	ari_model_free(model);
}

/* Words that promise, accuse, or say what cannot be known. */
static void expect_honest(const char *id, const char *text)
{
	static const char *const words[] = { "leak,",	  "leaks",  "leaking",
					     "leaked",	  "guilty", "fault of",
					     "will save", "saves",  "free of cost",
					     "culprit" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		ck_assert_msg(strstr(text, words[i]) == NULL, "%s says '%s': %s", id,
			      words[i], text);
}

TEST(every_verdict_has_its_texts_and_none_promises)
{
	struct ari_verdict verdict;
	size_t count = 0;

	for (; ari_verdict_describe(count, &verdict); count++) {
		const struct verdict *row = verdict_at(count);

		ck_assert_ptr_nonnull(verdict.id);
		ck_assert_ptr_nonnull(verdict.says);
		ck_assert_ptr_nonnull(verdict.no_help);
		ck_assert_ptr_nonnull(verdict.against);
		ck_assert_msg(verdict.text != NULL, "%s has no long text", verdict.id);
		ck_assert_msg(strlen(verdict.text) > 300, "%s", verdict.id);
		expect_honest(verdict.id, verdict.text);
		expect_honest(verdict.id, verdict.no_help);
		expect_honest(verdict.id, verdict.against);
		ck_assert_ptr_eq(row, verdict_find(verdict.id));
		if (verdict.of_diff)
			continue;
		ck_assert_ptr_nonnull(row->message);
		ck_assert_ptr_nonnull(row->advice);
		ck_assert(row->stake != NO_NUMBER || row->holds != NULL);
		ck_assert(row->evidence[0] != NO_NUMBER);
		ck_assert(row->stake == NO_NUMBER || row->evidence[0] == row->stake);
	}
	ck_assert_uint_eq(count, 21);
	ck_assert(!ari_verdict_describe(count, &verdict));
}

UNIT_MAIN("analyse/judge", process_at_rest_has_no_finding,
	  model_of_which_nothing_is_known_has_no_finding,
	  stake_counts_from_its_least_bytes_and_share_on,
	  stake_or_whole_that_is_not_known_is_never_found,
	  much_memory_is_worth_a_word_whatever_its_share, quarter_of_the_rss_is_a_warning,
	  what_is_only_locked_is_not_pinned_by_its_neighbours,
	  swap_and_pages_that_are_there_were_not_given_back,
	  arena_with_a_thread_is_not_idle_whatever_is_free_in_it,
	  huge_pages_that_what_is_in_use_may_fill_are_not_free,
	  cached_chunks_are_not_taken_for_the_applications,
	  limit_is_near_by_what_cannot_be_dropped,
	  torn_arena_is_left_out_and_the_rest_is_at_least,
	  busy_arenas_and_damage_are_not_unstable_but_an_early_end_is,
	  damage_is_told_from_an_arena_that_moved,
	  limit_of_arenas_is_reached_when_that_is_certain,
	  limit_of_mmapped_chunks_is_told_a_little_early,
	  other_allocators_are_told_and_more_so_when_malloc_is_theirs,
	  whose_malloc_it_is_is_a_sentence_and_no_guess,
	  last_chunk_that_keeps_most_is_the_one_that_is_named,
	  most_severe_comes_first_and_then_what_more_memory_is_about,
	  every_verdict_has_its_texts_and_none_promises)
