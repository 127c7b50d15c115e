// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "layout/symbols.h"

// clang-format off
static const char *const names[SYMBOLS] = {
	[SYM_MAIN_ARENA] = "main_arena",
	[SYM_MP] = "mp_",
	[SYM_FREE_LIST] = "free_list",
	[SYM_NARENAS] = "narenas",
	[SYM_NARENAS_LIMIT] = "narenas_limit",
	[SYM_GLOBAL_MAX_FAST] = "global_max_fast",
	[SYM_MALLOC_TRIM] = "malloc_trim",
};
// clang-format on

enum symbol symbol_of(const char *name)
{
	size_t length = strcspn(name, ".@");

	for (int i = 0; i < SYMBOLS; i++)
		if (strncmp(name, names[i], length) == 0 && names[i][length] == '\0')
			return (enum symbol)i;
	return SYMBOLS;
}

const char *symbol_name(enum symbol id)
{
	return names[id];
}
