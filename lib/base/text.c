// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "base/text.h"

static bool make_room(struct text *text, size_t more)
{
	size_t room = text->room == 0 ? 128 : text->room;
	char *at;

	while (room - text->length <= more)
		room *= 2;
	if (room == text->room)
		return true;
	at = realloc(text->at, room);
	if (at == NULL) {
		text->failed = true;
		return false;
	}
	text->at = at;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list ap, again;
	int length;

	va_start(ap, format);
	va_copy(again, ap);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length >= 0 && make_room(text, (size_t)length))
		text->length += (size_t)vsnprintf(text->at + text->length,
						  text->room - text->length, format, ap);
	va_end(ap);
}

bool text_take(struct text *text, char **ret, struct ari_error *err)
{
	text_add(text, "%s", "");
	if (text->failed) {
		text_done(text);
		return fail_memory(err);
	}
	*ret = text->at;
	*text = (struct text){ 0 };
	return true;
}

void text_done(struct text *text)
{
	free(text->at);
	*text = (struct text){ 0 };
}

bool text_format(char **ret, struct ari_error *err, const char *format, va_list ap)
{
	char *text;

	if (vasprintf(&text, format, ap) < 0)
		return fail_memory(err);
	*ret = text;
	return true;
}

bool text_list_add(struct ari_list *list, struct ari_error *err, const char *format,
		   va_list ap)
{
	char *text = NULL, **slot;

	if (!text_format(&text, err, format, ap))
		return false;
	slot = list_grow(list, sizeof(*slot), err);
	if (slot == NULL) {
		free(text);
		return false;
	}
	*slot = text;
	return true;
}
