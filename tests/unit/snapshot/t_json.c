// SPDX-License-Identifier: Apache-2.0
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "snapshot/json.h"
#include "unit.h"

/* What was written, for free(). */
struct output {
	char *text;
	size_t length;
	struct json json;
};

static void begin(struct output *output)
{
	*output = (struct output){ 0 };
	output->json.out = open_memstream(&output->text, &output->length);
	ck_assert_ptr_nonnull(output->json.out);
}

static void expect(struct output *output, const char *text)
{
	fclose(output->json.out);
	ck_assert_str_eq(output->text, text);
	free(output->text);
}

static void expect_string(const char *text, const char *expected)
{
	struct output output;

	begin(&output);
	json_string(&output.json, NULL, text);
	expect(&output, expected);
}

TEST(objects_and_arrays_nest)
{
	struct output output;

	begin(&output);
	json_open(&output.json, NULL, '{');
	json_number(&output.json, "a", 1);
	json_open(&output.json, "b", '[');
	json_open(&output.json, NULL, '{');
	json_null(&output.json, "c");
	json_close(&output.json, '}');
	json_bool(&output.json, NULL, true);
	json_close(&output.json, ']');
	json_open(&output.json, "d", '{');
	json_close(&output.json, '}');
	json_open(&output.json, "e", '[');
	json_close(&output.json, ']');
	json_close(&output.json, '}');
	expect(&output, "{\n"
			" \"a\": 1,\n"
			" \"b\": [\n"
			"  {\n"
			"   \"c\": null\n"
			"  },\n"
			"  true\n"
			" ],\n"
			" \"d\": {},\n"
			" \"e\": []\n"
			"}\n");
}

TEST(rows_are_a_line_each)
{
	struct output output;

	begin(&output);
	json_open(&output.json, NULL, '[');
	for (uint64_t i = 1; i <= 2; i++) {
		json_open_line(&output.json, NULL);
		json_number(&output.json, NULL, i);
		json_string(&output.json, NULL, "word");
		json_close_line(&output.json);
	}
	json_number(&output.json, NULL, 3);
	json_close(&output.json, ']');
	expect(&output, "[\n"
			" [1, \"word\"],\n"
			" [2, \"word\"],\n"
			" 3\n"
			"]\n");
}

TEST(numbers_are_whole_at_both_ends)
{
	struct output output;

	begin(&output);
	json_open(&output.json, NULL, '[');
	json_number(&output.json, NULL, 0);
	json_number(&output.json, NULL, UINT64_MAX);
	json_signed(&output.json, NULL, INT64_MAX);
	json_signed(&output.json, NULL, INT64_MIN);
	json_signed(&output.json, NULL, -1);
	json_bool(&output.json, NULL, false);
	json_close(&output.json, ']');
	expect(&output, "[\n 0,\n 18446744073709551615,\n 9223372036854775807,\n"
			" -9223372036854775808,\n -1,\n false\n]\n");
}

TEST(address_is_a_string_of_hex_digits)
{
	struct output output;

	begin(&output);
	json_open(&output.json, NULL, '[');
	json_address(&output.json, NULL, 0);
	json_address(&output.json, NULL, 0x7F5C00001000);
	json_address(&output.json, NULL, UINT64_MAX);
	json_close(&output.json, ']');
	expect(&output,
	       "[\n \"0x0\",\n \"0x7f5c00001000\",\n \"0xffffffffffffffff\"\n]\n");
}

TEST(real_number_has_two_decimals)
{
	static const struct {
		double value;
		const char *text;
	} reals[] = { { 0, "0.00" },	  { 0.5, "0.50" },	 { 1, "1.00" },
		      { 1.234, "1.23" },  { 1.236, "1.24" },	 { 0.999, "1.00" },
		      { 12.05, "12.05" }, { 4096.75, "4096.75" } };

	for (size_t i = 0; i < sizeof(reals) / sizeof(*reals); i++) {
		struct output output;

		begin(&output);
		json_real(&output.json, NULL, reals[i].value);
		expect(&output, reals[i].text);
	}
}

TEST(string_is_quoted)
{
	expect_string("", "\"\"");
	expect_string("libc.so.6", "\"libc.so.6\"");
	expect_string("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	expect_string(NULL, "null");
}

TEST(control_characters_are_escaped)
{
	expect_string("\x01\t\n\r\x1b[31m\x1f\x7f",
		      "\"\\u0001\\u0009\\u000a\\u000d\\u001b[31m\\u001f\\u007f\"");
}

TEST(utf8_stays_as_it_is)
{
	expect_string("\xc2\x80 \xc3\xa4 \xdf\xbf", "\"\xc2\x80 \xc3\xa4 \xdf\xbf\"");
	expect_string(
		"\xe0\xa0\x80 \xe2\x82\xac \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
		"\"\xe0\xa0\x80 \xe2\x82\xac \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\"");
	expect_string("\xf0\x90\x80\x80 \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf",
		      "\"\xf0\x90\x80\x80 \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf\"");
}

TEST(byte_that_is_no_utf8_is_replaced)
{
	expect_string("a\x80z", "\"a\\ufffdz\"");
	expect_string("a\xffz", "\"a\\ufffdz\"");
	expect_string("a\xf5\x80\x80\x80z", "\"a\\ufffd\\ufffd\\ufffd\\ufffdz\"");
	expect_string("a\xf4\x90\x80\x80z", "\"a\\ufffd\\ufffd\\ufffd\\ufffdz\"");
}

TEST(overlong_form_is_replaced)
{
	expect_string("\xc0\x80", "\"\\ufffd\\ufffd\"");
	expect_string("\xc1\xbf", "\"\\ufffd\\ufffd\"");
	expect_string("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");
	expect_string("\xf0\x80\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

TEST(surrogate_is_replaced)
{
	expect_string("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
	expect_string("\xed\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\"");
}

/* Each is an allocation of its own, so that a checker sees a byte too many. */
TEST(sequence_that_is_cut_by_the_end_is_replaced)
{
	static const struct {
		const char *bytes, *text;
	} cut[] = {
		{ "\xc3", "\"\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
		{ "\xe2", "\"\\ufffd\"" },
		{ "\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf0\x9f", "\"\\ufffd\\ufffd\"" },
		{ "\xc3\"", "\"\\ufffd\\\"\"" },
		{ "\xf0\x9f\n", "\"\\ufffd\\ufffd\\u000a\"" },
	};

	for (size_t i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
		char *copy = strdup(cut[i].bytes);

		ck_assert_ptr_nonnull(copy);
		expect_string(copy, cut[i].text);
		free(copy);
	}
}

TEST(keys_are_escaped_like_other_strings)
{
	struct output output;

	begin(&output);
	json_open(&output.json, NULL, '{');
	json_string(&output.json, "MALLOC_\"X\n", "\xff");
	json_close(&output.json, '}');
	expect(&output, "{\n \"MALLOC_\\\"X\\u000a\": \"\\ufffd\"\n}\n");
}

/*
 * The LC_NUMERIC of a locale with a decimal comma, as the C library keeps it:
 * a number for the category, how many items, where each is, the items.
 */
static void make_comma_locale(struct scratch *scratch)
{
	struct {
		uint32_t magic, count, at[6];
		char decimal_point[2], thousands_sep[1], grouping[1];
		uint32_t wide_decimal_point, wide_thousands_sep;
		char codeset[8];
	} file = { 0x20031115 ^ LC_NUMERIC,
		   6,
		   { 32, 34, 35, 36, 40, 44 },
		   ",",
		   "",
		   "\x7f",
		   ',',
		   0,
		   "UTF-8" };

	scratch_file(scratch, "comma/LC_NUMERIC", &file, sizeof(file));
}

TEST(decimal_comma_of_a_locale_does_not_get_in)
{
	struct scratch scratch;
	struct output output;
	char comma[8];

	scratch_open(&scratch);
	make_comma_locale(&scratch);
	setenv("LOCPATH", scratch.path, 1);
	ck_assert_ptr_nonnull(setlocale(LC_NUMERIC, "comma"));
	snprintf(comma, sizeof(comma), "%.1f", 1.5);
	ck_assert_str_eq(comma, "1,5");
	begin(&output);
	json_open(&output.json, NULL, '[');
	json_real(&output.json, NULL, 1.5);
	json_number(&output.json, NULL, 1234567);
	json_close(&output.json, ']');
	expect(&output, "[\n 1.50,\n 1234567\n]\n");
	scratch_close(&scratch);
}

UNIT_MAIN("snapshot/json", objects_and_arrays_nest, rows_are_a_line_each,
	  numbers_are_whole_at_both_ends, address_is_a_string_of_hex_digits,
	  real_number_has_two_decimals, string_is_quoted, control_characters_are_escaped,
	  utf8_stays_as_it_is, byte_that_is_no_utf8_is_replaced,
	  overlong_form_is_replaced, surrogate_is_replaced,
	  sequence_that_is_cut_by_the_end_is_replaced,
	  keys_are_escaped_like_other_strings, decimal_comma_of_a_locale_does_not_get_in)
