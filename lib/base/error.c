// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

static void fill(struct ari_error *err, enum ari_code code, uint64_t address,
		 const char *format, va_list ap)
{
	if (err == NULL)
		return;
	err->code = code;
	err->address = address;
	vsnprintf(err->message, sizeof(err->message), format, ap);
}

bool fail(struct ari_error *err, enum ari_code code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fill(err, code, ARI_UNKNOWN, format, ap);
	va_end(ap);
	return false;
}

bool fail_at(struct ari_error *err, enum ari_code code, uint64_t address,
	     const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fill(err, code, address, format, ap);
	va_end(ap);
	return false;
}

bool fail_memory(struct ari_error *err)
{
	return fail(err, ARI_NO_MEMORY, "out of memory");
}
