// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "layout/symbols.h"

// clang-format off
static const char *const names[SYMBOLS] = {
	[SYM_MAIN_ARENA] = "main_arena",
	[SYM_MP] = "mp_",
	[SYM_FREE_LIST] = "free_list",
	[SYM_NARENAS_LIMIT] = "narenas_limit",
	[SYM_MALLOC_TRIM] = "malloc_trim",
};
// clang-format on

// clang-format off
static const struct tls_name {
	const char *name;
	enum tls_symbol id;
} tls_names[] = {
	{ "thread_arena", TLS_THREAD_ARENA },
	{ "__libc_tsd_MALLOC", TLS_THREAD_ARENA },
	{ "tcache", TLS_TCACHE },
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

void symbols_take_tls(struct symbols *symbols, const char *name, uint64_t offset)
{
	for (size_t i = 0; i < sizeof(tls_names) / sizeof(*tls_names); i++) {
		struct tls_place *place = &symbols->tls[tls_names[i].id];

		if (strcmp(name, tls_names[i].name) == 0 && !place->found)
			*place = (struct tls_place){ true, offset };
	}
}
