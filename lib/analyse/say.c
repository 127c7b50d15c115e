// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "analyse/numbers.h"
#include "analyse/say.h"
#include "analyse/words.h"
#include "base/text.h"

/* Part of a template. */
struct part {
	const char *at;
	size_t length;
};

static struct part up_to(struct part *rest, char end)
{
	const char *found = memchr(rest->at, end, rest->length);
	struct part first = *rest;

	if (found == NULL) {
		rest->at += rest->length;
		rest->length = 0;
		return first;
	}
	first.length = (size_t)(found - first.at);
	rest->length -= first.length + 1;
	rest->at = found + 1;
	return first;
}

static void say_bytes(struct text *to, const struct amount *amount)
{
	char room[ARI_BYTES_ROOM];

	text_add(to, "%s%s", amount->at_least ? "at least " : "",
		 ari_bytes_text(amount->value, room));
}

static void say_count(struct text *to, const struct amount *amount)
{
	if (amount->value == ARI_UNKNOWN)
		text_add(to, "an unknown number of");
	else
		text_add(to, "%s%" PRIu64, amount->at_least ? "at least " : "",
			 amount->value);
}

static void say_number(struct text *to, const struct ari_model *model, enum number number)
{
	struct amount amount = number_of(model, number);

	if (number_is_bytes(number))
		say_bytes(to, &amount);
	else
		say_count(to, &amount);
}

static void say_share(struct text *to, const struct ari_model *model, enum number part,
		      enum number whole)
{
	uint64_t a = number_of(model, part).value, b = number_of(model, whole).value;

	if (a == ARI_UNKNOWN || b == ARI_UNKNOWN || b == 0)
		text_add(to, "an unknown share");
	else /* counted at two moments: no part is more than all of it */
		text_add(to, "%.0f %%", 100.0 * (double)(a < b ? a : b) / (double)b);
}

static enum number number_in(struct part name)
{
	enum number number = number_find(name.at, name.length);

	assert(number != NO_NUMBER);
	return number;
}

static void say_noun(struct text *to, const struct ari_model *model, enum number number,
		     struct part nouns)
{
	struct part one = up_to(&nouns, '|');
	struct part noun = number_of(model, number).value == 1 ? one : nouns;

	say_number(to, model, number);
	text_add(to, " %.*s", (int)noun.length, noun.at);
}

/* What stands between braces. */
static void say_field(struct text *to, const struct ari_model *model, struct part field)
{
	struct part rest = field;

	if (memchr(field.at, '%', field.length) != NULL) {
		enum number part = number_in(up_to(&rest, '%'));

		say_share(to, model, part, number_in(rest));
	} else if (memchr(field.at, ':', field.length) != NULL) {
		enum number number = number_in(up_to(&rest, ':'));

		say_noun(to, model, number, rest);
	} else if (!word_say(to, model, field.at, field.length)) {
		say_number(to, model, number_in(field));
	}
}

bool say(const char *template, const struct ari_model *model, char **ret,
	 struct ari_error *err)
{
	struct part rest = { template, strlen(template) };
	struct text text = { 0 };

	while (rest.length > 0) {
		struct part plain = up_to(&rest, '{');

		text_add(&text, "%.*s", (int)plain.length, plain.at);
		if (rest.length > 0)
			say_field(&text, model, up_to(&rest, '}'));
	}
	return text_take(&text, ret, err);
}
