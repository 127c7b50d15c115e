// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/text.h"
#include "unit.h"

TEST(text_grows_by_what_is_added)
{
	struct text text = { 0 };
	struct ari_error err;
	char *all;

	for (int i = 0; i < 1000; i++)
		text_add(&text, "%d,", i % 10);
	ck_works(text_take(&text, &all, &err), &err);
	ck_assert_uint_eq(strlen(all), 2000);
	ck_assert_int_eq(strncmp(all + 18, "9,0,1,", 6), 0);
	free(all);
}

TEST(what_is_longer_than_any_room_fits)
{
	struct text text = { 0 };
	struct ari_error err;
	char *all;

	text_add(&text, "%0*d", 5000, 7);
	text_add(&text, "!");
	ck_works(text_take(&text, &all, &err), &err);
	ck_assert_uint_eq(strlen(all), 5001);
	ck_assert_str_eq(all + 4998, "07!");
	free(all);
}

TEST(nothing_added_is_an_empty_text)
{
	struct text text = { 0 };
	struct ari_error err;
	char *all;

	ck_works(text_take(&text, &all, &err), &err);
	ck_assert_str_eq(all, "");
	ck_assert_ptr_null(text.at);
	free(all);
}

TEST(text_that_is_given_up_can_be_begun_anew)
{
	struct text text = { 0 };

	text_add(&text, "one");
	text_done(&text);
	text_add(&text, "two");
	ck_assert_str_eq(text.at, "two");
	text_done(&text);
}

static bool add_to(struct ari_list *list, struct ari_error *err, const char *format, ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = text_list_add(list, err, format, ap);
	va_end(ap);
	return done;
}

TEST(list_owns_each_text_that_it_is_given)
{
	ARI_LIST(char *) list = { 0 };
	struct ari_error err;

	for (int i = 0; i < 20; i++)
		ck_works(add_to(&list.raw, &err, "%d of %s", i, "them"), &err);
	ck_assert_uint_eq(list.count, 20);
	ck_assert_str_eq(list.at[0], "0 of them");
	ck_assert_str_eq(list.at[19], "19 of them");
	for (size_t i = 0; i < list.count; i++)
		free(list.at[i]);
	list_done(&list);
}

UNIT_MAIN("base/text", text_grows_by_what_is_added, what_is_longer_than_any_room_fits,
	  nothing_added_is_an_empty_text, text_that_is_given_up_can_be_begun_anew,
	  list_owns_each_text_that_it_is_given)
