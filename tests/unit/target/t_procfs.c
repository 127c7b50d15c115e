// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "target/procfs.h"
#include "unit.h"

static const char status[] = "Name:\tx VmRSS: 7 kB\n"
			     "Umask:\t0022\n"
			     "\n"
			     "VmRSSX:\t1 kB\n"
			     "VmRSS:\t    1300 kB\n"
			     "SigCgt:\tffffffffffffffff\n"
			     "Empty:\n"
			     "Huge:\t99999999999999999999999\n"
			     "Much:\t18446744073709551615 kB\n"
			     "Last: 5";

TEST(line_is_found_at_its_start_only)
{
	ck_assert_int_eq(strncmp(procfs_line(status, "VmRSS:"), "\t    1300", 9), 0);
	ck_assert_ptr_eq(procfs_line(status, "Name:"), status + 5);
	ck_assert_str_eq(procfs_line(status, "Last:"), " 5");
	ck_assert_ptr_null(procfs_line(status, "RSS:"));
	ck_assert_ptr_null(procfs_line("", "RSS:"));
	ck_assert_ptr_null(procfs_line("\n\n", "RSS:"));
	ck_assert_str_eq(procfs_line("\n\nRSS:1", "RSS:"), "1");
}

TEST(number_is_that_of_its_line_in_its_base)
{
	ck_assert_uint_eq(procfs_number(status, "VmRSS:", 10), 1300);
	ck_assert_uint_eq(procfs_number(status, "Umask:", 8), 022);
	ck_assert_uint_eq(procfs_number(status, "SigCgt:", 16), UINT64_MAX);
	ck_assert_uint_eq(procfs_number(status, "Last:", 10), 5);
}

TEST(number_that_is_not_there_is_unknown)
{
	ck_assert_uint_eq(procfs_number(status, "Threads:", 10), ARI_UNKNOWN);
	ck_assert_uint_eq(procfs_number(status, "Name:", 10), ARI_UNKNOWN);
	ck_assert_uint_eq(procfs_number(status, "Empty:", 10), ARI_UNKNOWN);
	ck_assert_uint_eq(procfs_number(status, "Huge:", 10), ARI_UNKNOWN);
	ck_assert_uint_eq(procfs_number("", "Huge:", 10), ARI_UNKNOWN);
}

TEST(kilobytes_become_bytes)
{
	ck_assert_uint_eq(procfs_kb(status, "VmRSS:"), 1300 * 1024);
	ck_assert_uint_eq(procfs_kb(status, "VmSwap:"), ARI_UNKNOWN);
	ck_assert_uint_eq(procfs_kb(status, "Much:"), ARI_UNKNOWN);
}

TEST(file_is_read_whole_with_its_zeros)
{
	struct scratch scratch;
	struct ari_error err;
	char *text;
	size_t length;

	scratch_open(&scratch);
	scratch_file(&scratch, "environ", "A=1\0B=2\0", 8);
	scratch_text(&scratch, "empty", "");
	ck_works(procfs_read(scratch.dir, "environ", &text, &length, &err), &err);
	ck_assert_uint_eq(length, 8);
	ck_assert_mem_eq(text, "A=1\0B=2\0", 9); /* and one more behind them */
	free(text);
	ck_works(procfs_read(scratch.dir, "empty", &text, NULL, &err), &err);
	ck_assert_str_eq(text, "");
	free(text);
	scratch_close(&scratch);
}

TEST(file_of_any_length_up_to_the_limit_is_read)
{
	static const size_t lengths[] = { 1, 4094, 4095, 4096, 4097, 8191, 3 << 20 };
	struct scratch scratch;

	scratch_open(&scratch);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		char *bytes = malloc(lengths[i]), *text;
		struct ari_error err;
		size_t length;

		ck_assert_ptr_nonnull(bytes);
		memset(bytes, 'x', lengths[i]);
		scratch_file(&scratch, "maps", bytes, lengths[i]);
		ck_works(procfs_read(scratch.dir, "maps", &text, &length, &err), &err);
		ck_assert_uint_eq(length, lengths[i]);
		ck_assert_uint_eq(strlen(text), lengths[i]);
		free(text);
		free(bytes);
	}
	scratch_close(&scratch);
}

TEST(file_beyond_the_limit_is_refused)
{
	struct scratch scratch;
	struct ari_error err;
	char *bytes = calloc(1, 5 << 20), *text = NULL;

	ck_assert_ptr_nonnull(bytes);
	scratch_open(&scratch);
	scratch_file(&scratch, "environ", bytes, 5 << 20);
	ck_fails(procfs_read(scratch.dir, "environ", &text, NULL, &err), &err, ARI_IO);
	ck_assert_ptr_null(text);
	free(bytes);
	scratch_close(&scratch);
}

TEST(link_says_where_it_points)
{
	struct scratch scratch;
	struct ari_error err;
	char *text;

	scratch_open(&scratch);
	ck_assert_int_eq(symlinkat("/opt/a b (deleted)", scratch.dir, "exe"), 0);
	ck_works(procfs_link(scratch.dir, "exe", &text, &err), &err);
	ck_assert_str_eq(text, "/opt/a b (deleted)");
	free(text);
	ck_fails(procfs_link(scratch.dir, "cwd", &text, &err), &err, ARI_GONE);
	scratch_close(&scratch);
}

TEST(file_that_is_missing_means_the_process_went_away)
{
	struct scratch scratch;
	struct ari_error err;
	char *text;
	int fd = -1;

	scratch_open(&scratch);
	ck_fails(procfs_read(scratch.dir, "stat", &text, NULL, &err), &err, ARI_GONE);
	ck_fails(procfs_open(scratch.dir, "stat", &fd, &err), &err, ARI_GONE);
	ck_assert_int_eq(fd, -1);
	scratch_close(&scratch);
}

TEST(each_errno_is_told_apart)
{
	struct ari_error err;

	ck_fails(procfs_fail(&err, ESRCH, "maps"), &err, ARI_GONE);
	ck_fails(procfs_fail(&err, ENOENT, "maps"), &err, ARI_GONE);
	ck_fails(procfs_fail(&err, EACCES, "maps"), &err, ARI_DENIED);
	ck_fails(procfs_fail(&err, EPERM, "maps"), &err, ARI_DENIED);
	ck_assert_ptr_nonnull(strstr(err.message, "maps"));
	ck_fails(procfs_fail(&err, EMFILE, "maps"), &err, ARI_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "maps"));
}

UNIT_MAIN("target/procfs", line_is_found_at_its_start_only,
	  number_is_that_of_its_line_in_its_base, number_that_is_not_there_is_unknown,
	  kilobytes_become_bytes, file_is_read_whole_with_its_zeros,
	  file_of_any_length_up_to_the_limit_is_read, file_beyond_the_limit_is_refused,
	  link_says_where_it_points, file_that_is_missing_means_the_process_went_away,
	  each_errno_is_told_apart)
