// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/log.h"
#include "unit.h"

struct seen {
	int lines;
	char line[1024];
};

static void keep(void *data, const char *line)
{
	struct seen *seen = data;

	seen->lines++;
	snprintf(seen->line, sizeof(seen->line), "%s", line);
}

TEST(line_goes_to_the_callers_callback)
{
	struct seen seen = { 0 };
	struct ari_options options = { .log = keep, .log_data = &seen };

	log_line(&options, "%d arenas", 3);
	ck_assert_int_eq(seen.lines, 1);
	ck_assert_str_eq(seen.line, "3 arenas");
}

TEST(without_a_callback_nothing_happens)
{
	struct ari_options options = { 0 };

	log_line(&options, "nobody listens");
	log_line(NULL, "nobody listens");
}

TEST(long_line_is_cut)
{
	struct seen seen = { 0 };
	struct ari_options options = { .log = keep, .log_data = &seen };

	log_line(&options, "%2000d", 1);
	ck_assert_uint_lt(strlen(seen.line), 1000);
}

UNIT_MAIN("base/log", line_goes_to_the_callers_callback,
	  without_a_callback_nothing_happens, long_line_is_cut)
