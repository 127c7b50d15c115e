/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "arenainspect.h"

/*
 * A text that grows.  Starts zeroed; adding never fails in the caller's hands: when
 * memory runs out the text stays as it is, and text_take() says so.
 */
struct text {
	char *at; /* NUL at its end; NULL: empty */
	size_t length, room;
	bool failed;
};

void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The text, which then is the caller's for free(); "" is one, too.  ARI_NO_MEMORY. */
bool text_take(struct text *text, char **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

void text_done(struct text *text);

/* A text that is made at once; *ret for free().  ARI_NO_MEMORY. */
bool text_format(char **ret, struct ari_error *err, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0), warn_unused_result));

/* The same, appended to a list of texts, which has to be freed with it. */
bool text_list_add(struct ari_list *list, struct ari_error *err, const char *format,
		   va_list ap) __attribute__((format(printf, 3, 0), warn_unused_result));

#endif
