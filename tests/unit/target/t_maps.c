// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fake.h"
#include "unit.h"

static bool read_text(const char *text, size_t length, struct maps *ret,
		      struct ari_error *err)
{
	FILE *stream = fmemopen((void *)(uintptr_t)text, length, "r");
	bool done;

	must(stream != NULL);
	done = maps_read(stream, ret, err);
	fclose(stream);
	return done;
}

TEST(line_is_taken_apart)
{
	struct maps maps =
		fake_maps("7f5c00001000-7f5c00003000 r-xp 00002000 fd:01 131077"
			  "                     /usr/lib/libc.so.6\n");
	const struct map *map = &maps.list.at[0];

	ck_assert_uint_eq(maps.list.count, 1);
	ck_assert_uint_eq(map->start, 0x7f5c00001000);
	ck_assert_uint_eq(map->end, 0x7f5c00003000);
	ck_assert_uint_eq(map->offset, 0x2000);
	ck_assert_uint_eq(map->device, makedev(0xfd, 1));
	ck_assert_uint_eq(map->inode, 131077);
	ck_assert_uint_eq(map->flags, MAP_READ | MAP_EXEC);
	ck_assert_str_eq(map->path, "/usr/lib/libc.so.6");
	ck_assert(!map_is_anonymous(map));
	maps_done(&maps);
}

TEST(flags_are_those_of_the_line)
{
	struct maps maps =
		fake_maps("1000-2000 ---p 00000000 00:00 0 \n"
			  "2000-3000 rw-p 00000000 00:00 0 [heap]\n"
			  "3000-4000 rw-s 00000000 00:01 9 /dev/zero (deleted)\n");

	ck_assert_uint_eq(maps.list.at[0].flags, 0);
	ck_assert(map_is_anonymous(&maps.list.at[0]));
	ck_assert_str_eq(maps.list.at[0].path, "");
	ck_assert_uint_eq(maps.list.at[1].flags, MAP_READ | MAP_WRITE);
	ck_assert(map_is_anonymous(&maps.list.at[1]));
	ck_assert_uint_eq(maps.list.at[2].flags,
			  MAP_READ | MAP_WRITE | MAP_IS_SHARED | MAP_DELETED);
	ck_assert(!map_is_anonymous(&maps.list.at[2]));
	maps_done(&maps);
}

TEST(deleted_file_keeps_its_path_and_is_marked)
{
	struct maps maps = fake_maps("1000-2000 r--p 0 08:01 5 /opt/a b (deleted)\n"
				     "2000-3000 r--p 0 08:01 6 /opt/(deleted)\n"
				     "3000-4000 r--p 0 08:01 7 /opt/x (deleted) y\n");

	ck_assert_uint_eq(maps_path_length(maps.list.at[0].path), strlen("/opt/a b"));
	ck_assert_uint_eq(maps_path_length(maps.list.at[1].path),
			  strlen("/opt/(deleted)"));
	ck_assert_uint_eq(maps_path_length(maps.list.at[2].path),
			  strlen("/opt/x (deleted) y"));
	ck_assert_uint_eq(maps_path_length(" (deleted)"), strlen(" (deleted)"));
	ck_assert_str_eq(maps.list.at[0].path, "/opt/a b (deleted)");
	ck_assert_uint_eq(maps.list.at[0].flags, MAP_READ | MAP_DELETED);
	ck_assert_uint_eq(maps.list.at[1].flags, MAP_READ);
	ck_assert_uint_eq(maps.list.at[2].flags, MAP_READ);
	maps_done(&maps);
}

TEST(name_with_spaces_is_whole)
{
	struct maps maps =
		fake_maps("1000-2000 r--p 0 08:01 5   /opt/My  Program/a\\012b.so\n"
			  "2000-3000 rw-p 0 00:00 0   [anon: glibc: malloc arena]\n");

	ck_assert_str_eq(maps.list.at[0].path, "/opt/My  Program/a\\012b.so");
	ck_assert_str_eq(maps.list.at[1].path, "[anon: glibc: malloc arena]");
	ck_assert(map_is_anonymous(&maps.list.at[1]));
	maps_done(&maps);
}

TEST(name_as_long_as_paths_can_be_is_whole)
{
	char text[5000] = "1000-2000 r--p 0 08:01 5 ";
	size_t length = strlen(text);
	struct maps maps;

	memset(text + length, 'x', 4096);
	text[length] = '/';
	text[length + 4096] = '\n';
	text[length + 4097] = '\0';
	maps = fake_maps(text);
	ck_assert_uint_eq(strlen(maps.list.at[0].path), 4096);
	maps_done(&maps);
}

TEST(last_line_needs_no_newline)
{
	struct maps maps = fake_maps("1000-2000 rw-p 0 00:00 0\n"
				     "2000-3000 rw-p 0 00:00 0 [stack]");

	ck_assert_uint_eq(maps.list.count, 2);
	ck_assert_str_eq(maps.list.at[1].path, "[stack]");
	maps_done(&maps);
}

TEST(empty_text_is_no_mapping)
{
	struct maps maps = fake_maps("");

	ck_assert_uint_eq(maps.list.count, 0);
	ck_assert_ptr_null(maps_find(&maps, 0));
	ck_assert_uint_eq(maps_bytes(&maps), 0);
	ck_assert_uint_eq(maps_spans(&maps, 4096), 0);
	ck_assert(!maps_covers(&maps, 0, 1, 0));
	maps_done(&maps);
}

TEST(line_that_is_no_mapping_is_an_error)
{
	static const char *const bad[] = {
		"hello\n",
		"\n",
		"1000-2000\n",
		"1000-2000 rw-p 0 00:00\n",
		"2000-1000 rw-p 0 00:00 0\n",
		"1000-1000 rw-p 0 00:00 0\n",
		"1000 2000 rw-p 0 00:00 0\n",
		"1000-2000 rw-p 0 00:00 0\nVmFlags: rd wr\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct maps maps = { .list = { .count = 99 } };
		struct ari_error err;

		ck_fails(read_text(bad[i], strlen(bad[i]), &maps, &err), &err, ARI_IO);
		ck_assert_uint_eq(maps.list.count, 99); /* untouched */
	}
}

/* Mappings merge while the kernel hands the file out a page at a time. */
TEST(mapping_seen_twice_is_counted_once)
{
	struct maps maps = fake_maps("1000-3000 rw-p 0 00:00 0\n"
				     "1000-5000 rw-p 0 00:00 0\n"
				     "2000-4000 rw-p 0 00:00 0\n"
				     "5000-6000 rw-p 0 00:00 0\n");

	ck_assert_uint_eq(maps.list.count, 3);
	ck_assert_uint_eq(maps.list.at[1].start, 0x3000);
	ck_assert_uint_eq(maps.list.at[1].end, 0x5000);
	ck_assert_uint_eq(maps.list.at[2].start, 0x5000);
	ck_assert_uint_eq(maps_bytes(&maps), 0x5000);
	maps_done(&maps);
}

TEST(file_mapping_cut_at_its_front_shows_what_it_did_there)
{
	struct maps maps = fake_maps("1000-3000 r--p 00010000 08:01 5 /a\n"
				     "1000-5000 r--p 00010000 08:01 5 /a\n");
	const struct map *map = &maps.list.at[1];

	ck_assert_uint_eq(map->start, 0x3000);
	ck_assert_uint_eq(map->offset, 0x12000);
	maps_done(&maps);
}

TEST(find_takes_the_start_in_and_the_end_not)
{
	struct maps maps = fake_maps("1000-2000 rw-p 0 00:00 0\n"
				     "3000-4000 rw-p 0 00:00 0\n"
				     "4000-5000 r--p 0 00:00 0\n");

	ck_assert_ptr_null(maps_find(&maps, 0));
	ck_assert_ptr_null(maps_find(&maps, 0xfff));
	ck_assert_ptr_eq(maps_find(&maps, 0x1000), &maps.list.at[0]);
	ck_assert_ptr_eq(maps_find(&maps, 0x1fff), &maps.list.at[0]);
	ck_assert_ptr_null(maps_find(&maps, 0x2000));
	ck_assert_ptr_eq(maps_find(&maps, 0x3fff), &maps.list.at[1]);
	ck_assert_ptr_eq(maps_find(&maps, 0x4000), &maps.list.at[2]);
	ck_assert_ptr_null(maps_find(&maps, 0x5000));
	ck_assert_ptr_null(maps_find(&maps, UINT64_MAX));
	maps_done(&maps);
}

TEST(covers_asks_for_every_byte)
{
	struct maps maps = fake_maps("1000-2000 rw-p 0 00:00 0\n"
				     "2000-3000 rw-p 0 00:00 0 [heap]\n"
				     "3000-4000 r--p 0 00:00 0\n");

	ck_assert(maps_covers(&maps, 0x1000, 0x2000, MAP_READ | MAP_WRITE));
	ck_assert(maps_covers(&maps, 0x1000, 0x3000, MAP_READ));
	ck_assert(!maps_covers(&maps, 0x1000, 0x2001, MAP_READ | MAP_WRITE));
	ck_assert(!maps_covers(&maps, 0x1000, 0x3001, MAP_READ));
	ck_assert(!maps_covers(&maps, 0x0fff, 2, 0));
	ck_assert(!maps_covers(&maps, 0x1000, UINT64_MAX, 0));
	ck_assert(!maps_covers(&maps, UINT64_MAX, 2, 0));
	ck_assert(!maps_covers(&maps, UINT64_MAX, UINT64_MAX, 0));
	maps_done(&maps);
}

TEST(plain_memory_is_nobody_elses)
{
	struct maps maps = fake_maps("1000-2000 rw-p 0 00:00 0\n"
				     "2000-3000 ---p 0 00:00 0 [anon:malloc]\n"
				     "3000-4000 rw-p 0 00:00 0 [heap]\n"
				     "4000-5000 rw-p 0 00:00 0 [stack]\n"
				     "6000-7000 rw-s 0 00:01 7 /dev/zero\n"
				     "7000-8000 rw-p 0 08:01 7 /a/file\n"
				     "8000-9000 r--p 0 00:00 0 [vvar]\n");

	ck_assert(maps_is_plain(&maps, 0x1000, 0x3000));
	ck_assert(maps_is_plain(&maps, 0x1800, 1));
	ck_assert(!maps_is_plain(&maps, 0x1000, 0x3001));
	ck_assert(!maps_is_plain(&maps, 0x0fff, 2));
	for (uint64_t at = 0x4000; at < 0x9000; at += 0x1000)
		ck_assert(!maps_is_plain(&maps, at, 0x1000));
	ck_assert(!maps_is_plain(&maps, 0x1000, UINT64_MAX));
	maps_done(&maps);
}

TEST(ends_of_the_address_space_are_addresses_like_others)
{
	struct maps maps =
		fake_maps("0-1000 rw-p 0 00:00 0\n"
			  "ffffffffffffe000-ffffffffffffffff rw-p 0 00:00 0\n");

	ck_assert_ptr_eq(maps_find(&maps, 0), &maps.list.at[0]);
	ck_assert_ptr_eq(maps_find(&maps, UINT64_MAX - 1), &maps.list.at[1]);
	ck_assert_ptr_null(maps_find(&maps, UINT64_MAX));
	ck_assert(maps_covers(&maps, 0, 0x1000, MAP_READ));
	ck_assert(maps_covers(&maps, UINT64_MAX - 9, 9, MAP_READ));
	ck_assert(!maps_covers(&maps, UINT64_MAX - 9, 10, MAP_READ));
	ck_assert_uint_eq(maps_spans(&maps, 4096), 3);
	ck_assert_uint_eq(maps_spans(&maps, (uint64_t)1 << 63), 2);
	maps_done(&maps);
}

TEST(spans_count_every_piece_that_is_touched)
{
	struct maps maps = fake_maps("3ff000-401000 rw-p 0 00:00 0\n"
				     "800000-c00000 r--p 0 00:00 0\n"
				     "1000000-1400000 rw-p 0 00:00 0\n");

	ck_assert_uint_eq(maps_spans(&maps, 0x400000), 3);
	ck_assert_uint_eq(maps_spans(&maps, 0x4000000), 2);
	maps_done(&maps);
}

TEST(own_memory_is_private_and_no_files)
{
	static const struct {
		const char *line;
		bool own;
	} rows[] = {
		{ "1000-2000 rw-p 0 00:00 0\n", true },
		{ "1000-2000 ---p 0 00:00 0\n", true },
		{ "1000-2000 rw-p 0 00:00 0 [heap]\n", true },
		{ "1000-2000 rw-p 0 00:01 5 /dev/zero\n", true },
		{ "1000-2000 rw-p 0 00:0f 77 /anon_hugepage (deleted)\n", true },
		{ "1000-2000 rw-s 0 00:01 5 /dev/zero (deleted)\n", false },
		{ "1000-2000 rw-s 0 00:0f 77 /anon_hugepage (deleted)\n", false },
		{ "1000-2000 rw-s 0 00:01 0\n", false },
		{ "1000-2000 rw-p 0 08:01 9 /tmp/dev/zero\n", false },
		{ "1000-2000 rw-p 0 00:01 9 /memfd:x (deleted)\n", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct maps maps = fake_maps(rows[i].line);

		ck_assert_msg(map_is_own_memory(&maps.list.at[0]) == rows[i].own, "%s",
			      rows[i].line);
		maps_done(&maps);
	}
}

/* Whatever the text, what is read is in order, and not overlapping. */
TEST(garbled_text_is_an_error_or_in_order)
{
	static const char good[] =
		"1000-3000 rw-p 00000000 00:00 0 [heap]\n"
		"7f0000000000-7f0000021000 rw-p 00000000 00:00 0\n"
		"7f0000021000-7f0004000000 ---p 00000000 00:00 0\n"
		"7fff00000000-7fff00021000 r-xp 00001000 08:01 9 /a b\n";
	static const char letters[] = "0123456789abcdef- \n:/rwxp-s[]()%\t\r";
	uint64_t seed = 1;

	for (int turn = 0; turn < 3000; turn++) {
		char text[sizeof(good)];
		struct maps maps = { 0 };
		struct ari_error err;

		memcpy(text, good, sizeof(text));
		for (uint64_t i = unit_random(&seed) % 6 + 1; i > 0; i--)
			text[unit_random(&seed) % (sizeof(text) - 1)] =
				letters[unit_random(&seed) % sizeof(letters)];
		if (!read_text(text, sizeof(text) - 1, &maps, &err)) {
			must(err.code == ARI_IO);
			continue;
		}
		for (size_t i = 0; i < maps.list.count; i++) {
			const struct map *map = &maps.list.at[i];

			must(map->start < map->end);
			must(i == 0 || map[-1].end <= map->start);
		}
		maps_done(&maps);
	}
}

UNIT_MAIN("target/maps", line_is_taken_apart, flags_are_those_of_the_line,
	  deleted_file_keeps_its_path_and_is_marked, name_with_spaces_is_whole,
	  name_as_long_as_paths_can_be_is_whole, last_line_needs_no_newline,
	  empty_text_is_no_mapping, line_that_is_no_mapping_is_an_error,
	  mapping_seen_twice_is_counted_once,
	  file_mapping_cut_at_its_front_shows_what_it_did_there,
	  find_takes_the_start_in_and_the_end_not, covers_asks_for_every_byte,
	  plain_memory_is_nobody_elses,
	  ends_of_the_address_space_are_addresses_like_others,
	  spans_count_every_piece_that_is_touched, own_memory_is_private_and_no_files,
	  garbled_text_is_an_error_or_in_order)
