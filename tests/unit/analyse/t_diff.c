// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "model/model.h"
#include "moments.h"
#include "unit.h"

static struct moments its;

static void expect_refused(const char *why)
{
	struct ari_error err;

	ck_fails(ari_diff(its.before, its.after, false, &its.diff, &err), &err,
		 ARI_USAGE);
	ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
	ck_assert_ptr_null(its.diff);
}

static void force(void)
{
	struct ari_error err;

	ck_works(ari_diff(its.before, its.after, true, &its.diff, &err), &err);
	ck_assert_uint_ge(its.diff->notes.count, 1);
}

TEST(two_moments_that_do_not_differ_have_no_deltas)
{
	moments_init(&its);
	moments_compare(&its);
	ck_assert_double_eq(its.diff->seconds, 60);
	ck_assert_int_eq(its.diff->totals.system_bytes, 0);
	ck_assert_int_eq(its.diff->totals.arenas, 0);
	ck_assert_int_eq(its.diff->totals.tcache_bytes, INT64_MIN);
	ck_assert_uint_eq(its.diff->arenas.count, 2);
	ck_assert_uint_eq(its.diff->arenas.at[1].change, ARI_ARENA_KEPT);
	ck_assert_uint_eq(its.diff->memory.count, 6);
	ck_assert_uint_eq(its.diff->findings.count, 0);
	ck_assert(its.diff->findings.known && its.diff->notes.known);
	ck_assert_uint_eq(its.diff->notes.count, 0);
	moments_done(&its);
}

TEST(moments_are_copied_and_own_their_strings)
{
	moments_init(&its);
	moments_compare(&its);
	ari_model_free(its.before);
	its.before = NULL;
	ck_assert_str_eq(its.diff->before.process.comm, "worker");
	ck_assert_ptr_ne(its.diff->after.process.comm, its.after->process.comm);
	ck_assert_uint_eq(its.diff->before.taken.begun_ns, UINT64_C(1000000000000));
	moments_done(&its);
}

TEST(other_pid_is_another_process)
{
	moments_init(&its);
	its.after->process.pid = 4712;
	expect_refused("pids differ");
	moments_done(&its);
}

TEST(other_start_time_is_another_process)
{
	moments_init(&its);
	its.after->process.start_time_ticks++;
	expect_refused("different times");
	moments_done(&its);
}

TEST(other_boot_is_another_process)
{
	struct ari_error err;

	moments_init(&its);
	ck_works(model_set_string(&its.after->process.boot_id, "another", &err), &err);
	expect_refused("booted");
	moments_done(&its);
}

TEST(what_is_not_known_proves_no_process)
{
	moments_init(&its);
	its.before->process.start_time_ticks = ARI_UNKNOWN;
	its.after->process.start_time_ticks = ARI_UNKNOWN;
	expect_refused("not known");
	moments_done(&its);
}

TEST(main_arena_elsewhere_is_another_program)
{
	moments_init(&its);
	its.after->arenas.at[0].address = 0x5000;
	expect_refused("another program");
	moments_done(&its);
}

TEST(moments_in_the_wrong_order_are_refused)
{
	moments_init(&its);
	its.after->taken.begun_ns = its.before->taken.begun_ns - 1;
	expect_refused("older one");
	force();
	ck_assert(isnan(its.diff->seconds));
	ck_assert(its.diff->arenas.known);
	ck_assert(!its.diff->findings.known);
	moments_done(&its);
}

TEST(two_processes_have_totals_and_sizes_but_no_arenas_and_no_growth)
{
	moments_init(&its);
	its.after->process.pid = 4712;
	moments_use(&its.before->arenas.at[0], 64, 3);
	moments_use(&its.after->arenas.at[1], 64, 5);
	its.before->totals.in_use_bytes = 100;
	its.after->totals.in_use_bytes = MUCH;
	force();
	ck_assert(isnan(its.diff->seconds));
	ck_assert_int_eq(its.diff->totals.in_use_bytes, (int64_t)MUCH - 100);
	ck_assert_uint_eq(its.diff->memory.count, 6);
	ck_assert_uint_eq(its.diff->sizes.count, 1);
	ck_assert_int_eq(its.diff->sizes.at[0].in_use_chunks, 2);
	ck_assert(!its.diff->arenas.known);
	ck_assert_uint_eq(its.diff->arenas.count, 0);
	ck_assert(!its.diff->findings.known);
	moments_done(&its);
}

TEST(arena_is_new_and_its_deltas_are_all_it_has)
{
	moments_init(&its);
	moments_add_arena(its.after, 0x3000);
	moments_compare(&its);
	ck_assert_uint_eq(its.diff->arenas.at[2].change, ARI_ARENA_NEW);
	ck_assert_int_eq(its.diff->arenas.at[2].system_bytes, 100);
	ck_assert_int_eq(its.diff->arenas.at[2].heaps, 1);
	ck_assert_int_eq(its.diff->totals.arenas, 1);
	moments_done(&its);
}

TEST(arena_is_not_called_new_if_the_ring_was_not_read_whole)
{
	static const enum damage damages[] = { RING_LOOPS, RING_LEADS_ASTRAY,
					       RING_TOO_LONG };

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct ari_error err;

		moments_init(&its);
		moments_add_arena(its.after, 0x3000);
		ck_works(model_add_damage(its.before->arenas.at, damages[i], 0, &err),
			 &err);
		moments_compare(&its);
		ck_assert_uint_eq(its.diff->arenas.at[2].change, ARI_UNKNOWN);
		ck_assert_int_eq(its.diff->arenas.at[2].system_bytes, INT64_MIN);
		moments_done(&its);
	}
}

TEST(arena_is_not_called_new_if_the_first_visit_was_stopped)
{
	moments_init(&its);
	moments_add_arena(its.after, 0x3000);
	its.before->stopped.code = ARI_TIMED_OUT;
	moments_compare(&its);
	ck_assert_uint_eq(its.diff->arenas.at[2].change, ARI_UNKNOWN);
	ck_assert_uint_eq(its.diff->notes.count, 1);
	moments_done(&its);
}

TEST(arena_that_is_missing_has_no_deltas)
{
	moments_init(&its);
	moments_add_arena(its.before, 0x3000);
	moments_compare(&its);
	ck_assert_uint_eq(its.diff->arenas.count, 3);
	ck_assert_uint_eq(its.diff->arenas.at[2].change, ARI_ARENA_MISSING);
	ck_assert_uint_eq(its.diff->arenas.at[2].address, 0x3000);
	ck_assert_int_eq(its.diff->arenas.at[2].system_bytes, INT64_MIN);
	moments_done(&its);
}

TEST(arenas_are_left_by_threads_and_used_again)
{
	moments_init(&its);
	its.before->arenas.at[0].idle = ARI_YES;
	its.after->arenas.at[1].idle = ARI_YES;
	its.after->arenas.at[1].attached_threads = 0;
	moments_compare(&its);
	ck_assert_uint_eq(its.diff->arenas.at[0].change, ARI_ARENA_REUSED);
	ck_assert_uint_eq(its.diff->arenas.at[1].change, ARI_ARENA_GONE_IDLE);
	ck_assert_int_eq(its.diff->arenas.at[1].attached_threads, -1);
	ck_assert_int_eq(its.diff->totals.idle_arenas, 0);
	moments_done(&its);
}

TEST(what_is_in_use_is_not_compared_with_and_without_caches)
{
	moments_init(&its);
	its.after->arenas.at[1].tcache.bytes = 5;
	moments_compare(&its);
	ck_assert_int_eq(its.diff->arenas.at[0].in_use_bytes, 0);
	ck_assert_int_eq(its.diff->arenas.at[1].in_use_bytes, INT64_MIN);
	ck_assert_int_eq(its.diff->totals.in_use_bytes, INT64_MIN);
	ck_assert_uint_eq(its.diff->notes.count, 1);
	moments_done(&its);
}

TEST(other_depth_is_noted)
{
	moments_init(&its);
	its.before->taken.depth = ARI_DEPTH_ARENAS;
	moments_compare(&its);
	ck_assert_uint_eq(its.diff->notes.count, 1);
	moments_done(&its);
}

TEST(memory_that_one_does_not_know_is_not_known)
{
	moments_init(&its);
	its.before->memory.known = false;
	moments_compare(&its);
	ck_assert(!its.diff->memory.known);
	ck_assert_uint_eq(its.diff->memory.count, 0);
	moments_done(&its);
}

TEST(models_that_know_nothing_but_their_process_can_be_compared)
{
	moments_init(&its);
	for (int i = 0; i < 2; i++) {
		struct ari_model *model = i == 0 ? its.before : its.after;

		list_done(&model->memory);
		for (size_t n = 0; n < model->arenas.count; n++)
			model_clear_arena(&model->arenas.at[n]);
		list_done(&model->arenas);
	}
	moments_compare(&its);
	ck_assert(!its.diff->arenas.known && !its.diff->sizes.known);
	ck_assert_str_eq(moments_verdict(&its), "");
	moments_done(&its);
}

TEST(no_diff_can_be_freed)
{
	ari_diff_free(NULL);
}

TEST(document_has_the_schema_and_null_for_what_is_not_known)
{
	struct ari_error err;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	moments_init(&its);
	moments_add_arena(its.after, 0x3000);
	moments_compare(&its);
	ck_works(ari_diff_write(its.diff, out, &err), &err);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "\"schema\": \"arenainspect-diff/1\""));
	ck_assert_ptr_nonnull(strstr(text, "\"seconds\": 60.00"));
	ck_assert_ptr_nonnull(strstr(text, "\"change\": \"new\""));
	ck_assert_ptr_nonnull(strstr(text, "\"tcache_bytes\": null"));
	free(text);
	moments_done(&its);
}

TEST(every_change_of_an_arena_has_its_word_and_others_none)
{
	ck_assert_str_eq(ari_arena_change_name(ARI_ARENA_KEPT), "kept");
	ck_assert_str_eq(ari_arena_change_name(ARI_ARENA_MISSING), "missing");
	ck_assert_ptr_null(ari_arena_change_name(ARI_ARENA_MISSING + 1));
}

TEST(a_rate_is_of_a_second_or_more_and_of_what_is_known)
{
	struct ari_diff diff = { .seconds = 60 };

	ck_assert_int_eq(ari_diff_per_hour(&diff, 10), 600);
	ck_assert_int_eq(ari_diff_per_hour(&diff, -10), -600);
	ck_assert_int_eq(ari_diff_per_hour(&diff, INT64_MIN), INT64_MIN);
	ck_assert_int_eq(ari_diff_per_hour(&diff, INT64_MAX), INT64_MIN);
	diff.seconds = 0.5;
	ck_assert_int_eq(ari_diff_per_hour(&diff, 10), INT64_MIN);
	diff.seconds = 0;
	ck_assert_int_eq(ari_diff_per_hour(&diff, 10), INT64_MIN);
	diff.seconds = NAN;
	ck_assert_int_eq(ari_diff_per_hour(&diff, 10), INT64_MIN);
}

UNIT_MAIN("analyse/diff", two_moments_that_do_not_differ_have_no_deltas,
	  moments_are_copied_and_own_their_strings, other_pid_is_another_process,
	  other_start_time_is_another_process, other_boot_is_another_process,
	  what_is_not_known_proves_no_process, main_arena_elsewhere_is_another_program,
	  moments_in_the_wrong_order_are_refused,
	  two_processes_have_totals_and_sizes_but_no_arenas_and_no_growth,
	  arena_is_new_and_its_deltas_are_all_it_has,
	  arena_is_not_called_new_if_the_ring_was_not_read_whole,
	  arena_is_not_called_new_if_the_first_visit_was_stopped,
	  arena_that_is_missing_has_no_deltas, arenas_are_left_by_threads_and_used_again,
	  what_is_in_use_is_not_compared_with_and_without_caches, other_depth_is_noted,
	  memory_that_one_does_not_know_is_not_known,
	  models_that_know_nothing_but_their_process_can_be_compared,
	  no_diff_can_be_freed, document_has_the_schema_and_null_for_what_is_not_known,
	  every_change_of_an_arena_has_its_word_and_others_none,
	  a_rate_is_of_a_second_or_more_and_of_what_is_known)
