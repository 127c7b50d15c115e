// SPDX-License-Identifier: Apache-2.0
/* The scan with processes that are made up: what it makes of those that spoil. */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"
#include "model/fields.h"
#include "model/model.h"
#include "unit.h"
#include "visit/scan.h"

#define MIB ((uint64_t)1 << 20)

/* A pid is what happens to it: its hundreds say which kind, the rest its size in MiB. */
enum {
	FINE = 100,
	ENDS = 200,	   /* while it is visited */
	DENIES = 300,	   /* its memory */
	HIDES = 400,	   /* its mappings */
	STATIC = 500,	   /* without a libc */
	OTHER = 600,	   /* with another */
	SLOW = 700,	   /* read in part */
	HANGS = 800,	   /* when it is visited */
	HANGS_EARLY = 900, /* when it is looked at */
	KERNEL = 1000,
	UNPROVEN = 1100,
	NO_MEMORY = 1200,
};

static atomic_bool let_go;
static atomic_int visits, looks_into_static;

static pid_t kind_of(pid_t pid)
{
	return pid / 100 * 100;
}

static void hang(void)
{
	while (!atomic_load(&let_go))
		poll(NULL, 0, 1);
}

static bool fake_look(pid_t pid, struct look *ret, struct ari_error *err)
{
	struct ari_scanned *row = &ret->row;

	*ret = (struct look){ 0 };
	record_clear(&scanned_record, row);
	row->pid = (uint64_t)pid;
	if (kind_of(pid) == HANGS_EARLY)
		hang();
	if (kind_of(pid) == KERNEL) {
		look_skip(row, ARI_SKIP_KERNEL_THREAD, NULL);
		return true;
	}
	row->depth = ARI_SEEN_PROCESS;
	row->anon_bytes = (uint64_t)(pid % 100) * MIB;
	if (kind_of(pid) == HIDES) {
		look_skip(row, ARI_SKIP_DENIED, "no");
		return true;
	}
	row->depth = ARI_SEEN_MAPPINGS;
	ret->no_libc = kind_of(pid) == STATIC;
	ret->program = (struct program_id){ 1, (uint64_t)kind_of(pid) };
	if (kind_of(pid) == OTHER)
		look_skip(row, ARI_SKIP_OTHER_LIBC, "musl");
	return model_set_string(&row->comm, "fake", err) &&
	       model_set_string(&row->user, "4294967200", err);
}

static bool fails_as(pid_t pid, struct ari_error *err)
{
	static const struct {
		pid_t kind;
		enum ari_code code;
	} ends[] = {
		{ ENDS, ARI_GONE },	      { DENIES, ARI_DENIED },
		{ STATIC, ARI_NOT_GLIBC },    { UNPROVEN, ARI_BAD_LAYOUT },
		{ NO_MEMORY, ARI_NO_MEMORY },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends[i].kind == kind_of(pid))
			return !fail(err, ends[i].code, "kind %d", (int)ends[i].kind);
	return false;
}

static bool fake_visit(pid_t pid, const struct ari_options *options,
		       struct resolve_cache *cache, struct ari_model **ret,
		       struct ari_error *err)
{
	struct ari_model *model;

	ck_assert_ptr_nonnull(cache);
	ck_assert_uint_eq(options->jobs, 1);
	atomic_fetch_add(&visits, 1);
	if (kind_of(pid) == HANGS)
		hang();
	if (kind_of(pid) == STATIC)
		atomic_fetch_add(&looks_into_static, 1);
	if (fails_as(pid, err))
		return false;
	model = model_new(err);
	must(model != NULL);
	model->taken.depth = ARI_DEPTH_CHUNKS;
	model->totals.arenas = 1;
	model->totals.trimmable_bytes = (uint64_t)(pid % 100) * MIB;
	if (kind_of(pid) == SLOW) {
		model->taken.depth = ARI_DEPTH_ARENAS;
		model->totals.trimmable_bytes = ARI_UNKNOWN;
		fail(&model->stopped, ARI_TIMED_OUT, "late");
	}
	*ret = model;
	return true;
}

static const struct scan_ways ways = { fake_look, fake_visit };

static struct ari_scan *scan_of(const pid_t *pids, size_t count, size_t limit)
{
	struct ari_scan_options options = {
		.visit = { .depth = ARI_DEPTH_CHUNKS,
			   .jobs = 2,
			   .timeout_ns = 200000000 },
		.limit = limit,
	};
	struct ari_scan *scan;
	struct ari_error err;

	ck_works(scan_with(&ways, &options, pids, count, &scan, &err), &err);
	return scan;
}

static const struct ari_scanned *row_of(const struct ari_scan *scan, pid_t pid)
{
	for (size_t i = 0; i < scan->processes.count; i++)
		if (scan->processes.at[i].pid == (uint64_t)pid)
			return &scan->processes.at[i];
	return NULL;
}

static uint64_t skipped(const struct ari_scan *scan, enum ari_skip reason)
{
	for (size_t i = 0; i < scan->skipped.count; i++)
		if (scan->skipped.at[i].reason == reason)
			return scan->skipped.at[i].processes;
	return 0;
}

static void expect_row(const struct ari_scan *scan, pid_t pid, uint64_t skip,
		       enum ari_seen depth)
{
	const struct ari_scanned *row = row_of(scan, pid);

	ck_assert_msg(row != NULL, "process %d has no row", (int)pid);
	ck_assert_msg(row->skipped == skip, "process %d is skipped for %d", (int)pid,
		      (int)row->skipped);
	ck_assert_msg(row->depth == depth, "process %d is seen to %d", (int)pid,
		      (int)row->depth);
}

TEST(none_that_spoils_keeps_the_others_from_being_read)
{
	static const pid_t pids[] = {
		KERNEL + 1, ENDS + 1,	  DENIES + 1, HIDES + 1, STATIC + 1,
		OTHER + 1,  SLOW + 1,	  HANGS + 1,  FINE + 1,	 HANGS_EARLY + 1,
		FINE + 2,   UNPROVEN + 1, FINE + 3,   HANGS + 2, NO_MEMORY + 1,
	};
	size_t count = sizeof(pids) / sizeof(*pids);
	struct ari_scan *scan = scan_of(pids, count, 0);

	for (pid_t i = 1; i <= 3; i++) {
		expect_row(scan, FINE + i, ARI_UNKNOWN, ARI_SEEN_CHUNKS);
		ck_assert_uint_eq(row_of(scan, FINE + i)->trimmable_bytes,
				  (uint64_t)i * MIB);
		ck_assert_str_eq(row_of(scan, FINE + i)->libc, "glibc");
	}
	expect_row(scan, DENIES + 1, ARI_SKIP_DENIED, ARI_SEEN_MAPPINGS);
	expect_row(scan, HIDES + 1, ARI_SKIP_DENIED, ARI_SEEN_PROCESS);
	expect_row(scan, STATIC + 1, ARI_SKIP_NO_LIBC, ARI_SEEN_MAPPINGS);
	expect_row(scan, OTHER + 1, ARI_SKIP_OTHER_LIBC, ARI_SEEN_MAPPINGS);
	expect_row(scan, SLOW + 1, ARI_SKIP_TIMEOUT, ARI_SEEN_ARENAS);
	expect_row(scan, HANGS + 1, ARI_SKIP_TIMEOUT, ARI_SEEN_MAPPINGS);
	expect_row(scan, UNPROVEN + 1, ARI_SKIP_NO_LAYOUT, ARI_SEEN_MAPPINGS);
	expect_row(scan, NO_MEMORY + 1, ARI_SKIP_FAILED, ARI_SEEN_MAPPINGS);
	ck_assert_ptr_nonnull(row_of(scan, HANGS_EARLY + 1));
	ck_assert_uint_eq(row_of(scan, HANGS_EARLY + 1)->rss_bytes, ARI_UNKNOWN);
	ck_assert_ptr_null(row_of(scan, KERNEL + 1));
	ck_assert_ptr_null(row_of(scan, ENDS + 1));
	ck_assert_uint_eq(skipped(scan, ARI_SKIP_KERNEL_THREAD), 1);
	ck_assert_uint_eq(skipped(scan, ARI_SKIP_GONE), 1);
	ck_assert_uint_eq(skipped(scan, ARI_SKIP_DENIED), 2);
	ck_assert_uint_eq(skipped(scan, ARI_SKIP_TIMEOUT), 4);
	ari_scan_free(scan);
	atomic_store(&let_go, true);
}

TEST(rows_stand_by_what_could_be_given_back_and_the_unknown_last)
{
	static const pid_t pids[] = { DENIES + 50, FINE + 3, SLOW + 40,
				      FINE + 9,	   FINE + 1, HIDES + 99 };
	static const pid_t order[] = { FINE + 9,   FINE + 3,	FINE + 1,
				       HIDES + 99, DENIES + 50, SLOW + 40 };
	struct ari_scan *scan = scan_of(pids, 6, 0);

	ck_assert_uint_eq(scan->processes.count, 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(scan->processes.at[i].pid, (uint64_t)order[i]);
	ari_scan_free(scan);
}

TEST(limit_leaves_the_largest)
{
	static const pid_t pids[] = { FINE + 3, FINE + 9, FINE + 1, FINE + 7,
				      OTHER + 99 };
	struct ari_scan *scan = scan_of(pids, 5, 2);

	ck_assert_int_eq(atomic_load(&visits), 2);
	expect_row(scan, FINE + 9, ARI_UNKNOWN, ARI_SEEN_CHUNKS);
	expect_row(scan, FINE + 7, ARI_UNKNOWN, ARI_SEEN_CHUNKS);
	expect_row(scan, FINE + 3, ARI_SKIP_LIMIT, ARI_SEEN_MAPPINGS);
	ck_assert_uint_eq(row_of(scan, FINE + 3)->trimmable_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(skipped(scan, ARI_SKIP_LIMIT), 2);
	ari_scan_free(scan);
}

TEST(program_without_a_libc_is_looked_into_once)
{
	struct ari_scan *scan;
	pid_t pids[40];

	for (int i = 0; i < 40; i++)
		pids[i] = STATIC + i;
	scan = scan_of(pids, 40, 0);
	ck_assert_uint_eq(skipped(scan, ARI_SKIP_NO_LIBC), 40);
	/* Two threads may meet it at the same time. */
	ck_assert_int_le(atomic_load(&looks_into_static), 2);
	for (int i = 0; i < 40; i++)
		ck_assert_str_eq(row_of(scan, STATIC + i)->reason, "kind 500");
	ari_scan_free(scan);
}

TEST(user_without_a_name_is_a_number)
{
	static const pid_t pids[] = { FINE + 1 };
	struct ari_scan *scan = scan_of(pids, 1, 0);

	ck_assert_str_eq(row_of(scan, FINE + 1)->user, "4294967200");
	ari_scan_free(scan);
}

TEST(no_process_is_an_empty_scan)
{
	struct ari_scan *scan = scan_of(NULL, 0, 0);

	ck_assert(scan->processes.known && scan->skipped.known);
	ck_assert_uint_eq(scan->processes.count, 0);
	ari_scan_free(scan);
}

/* The numbers of a row are those of the model, and malloc's share is the two kinds'. */
TEST(row_has_the_numbers_of_the_model)
{
	struct ari_scanned row;
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	must(model != NULL);
	unit_fill(model);
	model->memory.at[0].kind = ARI_MEMORY_MALLOC_HEAPS;
	model->memory.at[1].kind = ARI_MEMORY_FILES;
	record_clear(&scanned_record, &row);
	scan_fill_row(&row, model);
	ck_assert_uint_eq(row.rss_bytes, model->process.rss_bytes);
	ck_assert_uint_eq(row.arenas, model->totals.arenas);
	ck_assert_uint_eq(row.idle_arenas, model->totals.idle_arenas);
	ck_assert_uint_eq(row.in_use_bytes, model->totals.in_use_bytes);
	ck_assert_uint_eq(row.free_bytes, model->totals.free_bytes);
	ck_assert_uint_eq(row.trimmable_bytes, model->totals.trimmable_bytes);
	ck_assert_uint_eq(row.retained_top_bytes,
			  model->totals.resident.retained_top_bytes);
	ck_assert_uint_eq(row.pinned_free_bytes,
			  model->totals.resident.pinned_free_bytes);
	ck_assert_uint_eq(row.malloc_bytes, model->memory.at[0].resident_bytes);
	ck_assert_str_eq(row.finding, "id");
	model->memory.at[1].kind = ARI_MEMORY_MALLOC_MMAPPED;
	scan_fill_row(&row, model);
	ck_assert_uint_eq(row.malloc_bytes, model->memory.at[0].resident_bytes +
						    model->memory.at[1].resident_bytes);
	model->memory.at[1].resident_bytes = ARI_UNKNOWN;
	scan_fill_row(&row, model);
	ck_assert_uint_eq(row.malloc_bytes, ARI_UNKNOWN);
	ari_model_free(model);
}

static void expect_keys(const char *text, const struct record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		char key[64];

		snprintf(key, sizeof(key), "\"%s\": ", record->fields[i].key);
		ck_assert_msg(strstr(text, key) != NULL, "no key %s in: %s", key, text);
	}
}

TEST(document_has_every_key_and_null_for_what_is_not_known)
{
	static const pid_t pids[] = { FINE + 1, DENIES + 1 };
	struct ari_scan *scan = scan_of(pids, 2, 0);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct ari_error err;

	must(out != NULL);
	ck_works(ari_scan_write(scan, out, &err), &err);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "\"schema\": \"arenainspect-scan/1\""));
	expect_keys(text, &scan_record);
	expect_keys(text, &scanned_record);
	expect_keys(text, &skipped_record);
	ck_assert_ptr_nonnull(strstr(text, "\"trimmable_bytes\": 1048576"));
	ck_assert_ptr_nonnull(strstr(text, "\"trimmable_bytes\": null"));
	ck_assert_ptr_nonnull(strstr(text, "\"skipped\": \"denied\""));
	ck_assert_ptr_nonnull(strstr(text, "\"skipped\": null"));
	ck_assert_ptr_nonnull(strstr(text, "\"depth\": \"mappings\""));
	ck_assert_ptr_null(strstr(text, "18446744073709551615"));
	free(text);
	ari_scan_free(scan);
}

UNIT_MAIN("visit/scan", none_that_spoils_keeps_the_others_from_being_read,
	  rows_stand_by_what_could_be_given_back_and_the_unknown_last,
	  limit_leaves_the_largest, program_without_a_libc_is_looked_into_once,
	  user_without_a_name_is_a_number, no_process_is_an_empty_scan,
	  row_has_the_numbers_of_the_model,
	  document_has_every_key_and_null_for_what_is_not_known)
