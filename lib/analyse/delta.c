// SPDX-License-Identifier: Apache-2.0
#include "analyse/delta.h"

int64_t ari_delta(uint64_t before, uint64_t after)
{
	int64_t delta;

	if (before == ARI_UNKNOWN || after == ARI_UNKNOWN ||
	    __builtin_sub_overflow(after, before, &delta))
		return INT64_MIN;
	return delta;
}

int64_t ari_delta_plus(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == INT64_MIN || b == INT64_MIN || __builtin_add_overflow(a, b, &sum))
		return INT64_MIN;
	return sum;
}

uint64_t delta_grown(int64_t delta)
{
	return delta > 0 ? (uint64_t)delta : 0;
}

static const void *member(const struct field *field, const void *at)
{
	return at == NULL ? NULL : (const char *)at + field->offset;
}

static uint64_t number_at(const struct field *field, const void *at)
{
	const struct ari_list *list = at;

	if (at == NULL)
		return 0;
	if (field->type != FIELD_LIST)
		return *(const uint64_t *)at;
	return list->known ? list->count : ARI_UNKNOWN;
}

void delta_fill(const struct record *delta, void *ret, const struct record *record,
		const void *before, const void *after)
{
	for (size_t i = 0; i < delta->count; i++) {
		const struct field *to = &delta->fields[i];
		const struct field *from = record_field(record, to->key);
		void *at = (char *)ret + to->offset;

		if (from == NULL)
			continue;
		if (to->type == FIELD_RECORD)
			delta_fill(to->record, at, from->record, member(from, before),
				   member(from, after));
		else if (to->type == FIELD_SIGNED)
			*(int64_t *)at = ari_delta(number_at(from, member(from, before)),
						   number_at(from, member(from, after)));
	}
}

void delta_sum(const struct record *delta, void *to, const void *from)
{
	for (size_t i = 0; i < delta->count; i++) {
		const struct field *field = &delta->fields[i];
		int64_t *sum = (void *)((char *)to + field->offset);

		if (field->type == FIELD_SIGNED)
			*sum = ari_delta_plus(*sum,
					      *(const int64_t *)member(field, from));
	}
}
