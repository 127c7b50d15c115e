// SPDX-License-Identifier: Apache-2.0
#include "layout/symbols.h"
#include "unit.h"

TEST(every_symbol_is_found_by_its_name)
{
	static const char *const names[] = { "main_arena", "mp_", "free_list",
					     "narenas_limit", "malloc_trim" };

	ck_assert_uint_eq(sizeof(names) / sizeof(*names), SYMBOLS);
	for (int id = 0; id < SYMBOLS; id++)
		ck_assert_int_eq(symbol_of(names[id]), id);
}

TEST(suffix_of_compiler_or_version_is_no_part_of_the_name)
{
	ck_assert_int_eq(symbol_of("narenas_limit.0"), SYM_NARENAS_LIMIT);
	ck_assert_int_eq(symbol_of("narenas_limit.11234"), SYM_NARENAS_LIMIT);
	ck_assert_int_eq(symbol_of("free_list.lto_priv.0"), SYM_FREE_LIST);
	ck_assert_int_eq(symbol_of("malloc_trim@@GLIBC_2.2.5"), SYM_MALLOC_TRIM);
	ck_assert_int_eq(symbol_of("malloc_trim@GLIBC_2.2.5"), SYM_MALLOC_TRIM);
}

TEST(name_that_only_begins_alike_is_another)
{
	static const char *const others[] = {
		"",	      "main_aren", "main_arena2",     "narenas_", "mp",
		"mp__",	      "_mp_",	   ".main_arena",     "@",	  "Main_arena",
		"free_lists", "malloc_",   "malloc_trim_all",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		ck_assert_msg(symbol_of(others[i]) == SYMBOLS, "\"%s\"", others[i]);
}

TEST(narenas_is_not_its_limit)
{
	ck_assert_int_eq(symbol_of("narenas"), SYMBOLS);
	ck_assert_int_eq(symbol_of("narenas.5"), SYMBOLS);
	ck_assert_int_eq(symbol_of("narenas_limit"), SYM_NARENAS_LIMIT);
}

TEST(variables_of_threads_are_the_first_of_their_names)
{
	struct symbols symbols = { 0 };

	symbols_take_tls(&symbols, "thread_arena_", 8);
	symbols_take_tls(&symbols, "errno", 16);
	ck_assert(!symbols.tls[TLS_THREAD_ARENA].found);
	symbols_take_tls(&symbols, "__libc_tsd_MALLOC", 0);
	symbols_take_tls(&symbols, "thread_arena", 24);
	ck_assert(symbols.tls[TLS_THREAD_ARENA].found);
	ck_assert_uint_eq(symbols.tls[TLS_THREAD_ARENA].offset, 0);
	ck_assert(!symbols.tls[TLS_TCACHE].found);
	symbols_take_tls(&symbols, "tcache", 0x48);
	ck_assert_uint_eq(symbols.tls[TLS_TCACHE].offset, 0x48);
}

UNIT_MAIN("layout/symbols", every_symbol_is_found_by_its_name,
	  suffix_of_compiler_or_version_is_no_part_of_the_name,
	  name_that_only_begins_alike_is_another, narenas_is_not_its_limit,
	  variables_of_threads_are_the_first_of_their_names)
