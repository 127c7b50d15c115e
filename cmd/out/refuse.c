// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <string.h>

#include "out/refuse.h"

bool refuse(struct ari_error *err, enum ari_code code, const char *format, ...)
{
	va_list arguments;

	err->code = code;
	err->address = ARI_UNKNOWN;
	va_start(arguments, format);
	vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	return false;
}

bool refuse_memory(struct ari_error *err)
{
	return refuse(err, ARI_NO_MEMORY, "out of memory");
}

void list_word(char *list, size_t room, const char *separator, const char *word)
{
	size_t used = strlen(list);

	snprintf(list + used, room - used, "%s%s", used == 0 ? "" : separator, word);
}
