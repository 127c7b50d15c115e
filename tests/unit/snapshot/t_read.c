// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "model/model.h"
#include "random.h"
#include "scratch.h"
#include "snapshot/input.h"
#include "unit.h"

/* What a document must have, and room for more before and behind it. */
#define MINIMAL                                                                \
	"\"schema\": \"arenainspect/1\", \"taken\": {\"depth\": \"chunks\"}, " \
	"\"process\": {\"pid\": 4711}, \"arenas\": []"

static struct scratch scratch;
static char path[128];

static void setup(void)
{
	scratch_open(&scratch);
	snprintf(path, sizeof(path), "%s/snapshot", scratch.path);
}

static void file_is(const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	must(file != NULL && fwrite(bytes, 1, length, file) == length);
	must(fclose(file) == 0);
}

static struct ari_model *read_back(void)
{
	struct ari_model *model = NULL;
	struct ari_error err;

	ck_works(ari_model_read(path, &model, &err), &err);
	return model;
}

static struct ari_model *read_text(const char *text)
{
	file_is(text, strlen(text));
	return read_back();
}

/* The file is refused, in words that hold these. */
static void expect_refused(const char *words)
{
	struct ari_model *model = NULL;
	struct ari_error err;

	ck_fails(ari_model_read(path, &model, &err), &err, ARI_IO);
	ck_assert_ptr_null(model);
	ck_assert_msg(strstr(err.message, words) != NULL, "does not say '%s': %s", words,
		      err.message);
	ck_assert_msg(strstr(err.message, path) != NULL, "names no file: %s",
		      err.message);
}

static void text_is_refused(const char *text, const char *words)
{
	file_is(text, strlen(text));
	expect_refused(words);
}

/* Takes the model; *ret for free(). */
static size_t written(struct ari_model *model, char **ret)
{
	size_t length = 0;
	FILE *out = open_memstream(ret, &length);
	struct ari_error err;

	must(out != NULL);
	ck_works(ari_model_write(model, out, &err), &err);
	fclose(out);
	ari_model_free(model);
	return length;
}

/* ---- what is written reads back ---- */

static void comes_back(const char *text, size_t length)
{
	char *again = NULL;
	size_t again_length = written(read_back(), &again);

	must(again_length == length && memcmp(again, text, length) == 0);
	free(again);
}

TEST(random_models_come_back_byte_for_byte)
{
	setup();
	for (uint64_t seed = 1; seed <= 300; seed++) {
		char *text = NULL;
		size_t length = written(random_model(seed), &text);

		file_is(text, length);
		comes_back(text, length);
		free(text);
	}
	scratch_close(&scratch);
}

TEST(model_that_knows_nothing_comes_back_so)
{
	struct ari_error err;
	char *text = NULL;
	size_t length = written(model_new(&err), &text);

	setup();
	file_is(text, length);
	comes_back(text, length);
	free(text);
	scratch_close(&scratch);
}

TEST(packed_file_is_told_by_its_content)
{
	setup();
	for (uint64_t seed = 1; seed <= 20; seed++) {
		char *text = NULL;
		size_t length = written(random_model(seed), &text);
		size_t room = ZSTD_compressBound(length);
		char *packed = malloc(room);

		file_is(packed, ZSTD_compress(packed, room, text, length, 3));
		comes_back(text, length);
		free(packed);
		free(text);
	}
	scratch_close(&scratch);
}

/* However long it is: characters lie across the windows that are read at once. */
TEST(text_beyond_ascii_is_read_as_it_is)
{
	enum { CHARACTERS = 50000 };
	static char note[4 * CHARACTERS + 2], text[sizeof(note) + 200];
	struct ari_model *model;

	setup();
	note[0] = 'x';
	for (size_t i = 0; i < CHARACTERS; i++)
		memcpy(note + 1 + 4 * i, "\xf0\x9f\x98\x80", 4);
	snprintf(text, sizeof(text), "{" MINIMAL ", \"quality\": {\"notes\": [\"%s\"]}}",
		 note);
	model = read_text(text);
	ck_assert_str_eq(model->quality.notes.at[0], note);
	ari_model_free(model);
	scratch_close(&scratch);
}

TEST(members_are_where_they_belong)
{
	struct ari_model *model;

	setup();
	model = read_text(
		"{" MINIMAL
		", \"quality\": {\"consistent\": false, \"rss_difference_bytes\": -4096,"
		" \"notes\": [\"one\", \"two\"]}, \"settings\": {\"environment\":"
		" {\"MALLOC_ARENA_MAX\": \"2\"}}, \"libc\": {\"symbol_source\":"
		" \"search\"}, \"mmapped\": {\"listed\": [{\"address\":"
		" \"0x7fff00000010\", \"bytes\": 18446744073709551614}]}}");
	ck_assert_uint_eq(model->process.pid, 4711);
	ck_assert_uint_eq(model->taken.depth, ARI_DEPTH_CHUNKS);
	ck_assert_uint_eq(model->taken.begun_ns, ARI_UNKNOWN);
	ck_assert(model->arenas.known);
	ck_assert_uint_eq(model->arenas.count, 0);
	ck_assert(!model->threads.known);
	ck_assert_int_eq(model->quality.consistent, ARI_NO);
	ck_assert_int_eq(model->quality.rss_difference_bytes, -4096);
	ck_assert_str_eq(model->quality.notes.at[1], "two");
	ck_assert_str_eq(model->settings.environment.at[0].name, "MALLOC_ARENA_MAX");
	ck_assert_uint_eq(model->libc.symbol_source, ARI_SYMBOLS_SEARCH);
	ck_assert_uint_eq(model->mmapped.listed.at[0].address, 0x7fff00000010);
	ck_assert_uint_eq(model->mmapped.listed.at[0].bytes, ARI_UNKNOWN - 1);
	ck_assert_int_eq(model->stopped.code, ARI_OK);
	ari_model_free(model);
	scratch_close(&scratch);
}

TEST(visit_that_was_stopped_stays_so)
{
	struct ari_model *model;

	setup();
	model = read_text("{" MINIMAL ", \"stopped\": {\"reason\": \"unstable\","
			  " \"message\": \"the ring is torn\"}}");
	ck_assert_int_eq(model->stopped.code, ARI_UNSTABLE);
	ck_assert_str_eq(model->stopped.message, "the ring is torn");
	ari_model_free(model);
	text_is_refused("{" MINIMAL ", \"stopped\": {\"reason\": \"unstable\"}}",
			"stopped");
	text_is_refused("{" MINIMAL ", \"stopped\": true}", "stopped");
	scratch_close(&scratch);
}

#define WITH_RUNS(runs)                                                                       \
	"{\"schema\": \"arenainspect/1\", \"taken\": {\"depth\": \"pages\"}, "                \
	"\"process\": {\"pid\": 1}, \"arenas\": [{\"index\": 0, \"heaps\": [{\"runs\": " runs \
	"}]}]}"

TEST(runs_of_pages_are_rows)
{
	struct ari_model *model;
	const struct ari_heap *heap;

	setup();
	model = read_text(WITH_RUNS("[[3, \"in-use\"], [1,null], [ 2, \"gilded\", 7 ]]"));
	heap = &model->arenas.at[0].heaps.at[0];
	ck_assert_uint_eq(model->taken.depth, ARI_DEPTH_PAGES);
	ck_assert(heap->runs.known);
	ck_assert_uint_eq(heap->runs.count, 3);
	ck_assert_uint_eq(heap->runs.at[0].pages, 3);
	ck_assert_uint_eq(heap->runs.at[0].state, ARI_PAGE_IN_USE);
	ck_assert_uint_eq(heap->runs.at[1].state, ARI_UNKNOWN);
	ck_assert_uint_eq(heap->runs.at[2].pages, 2);
	ck_assert_uint_eq(heap->runs.at[2].state, ARI_UNKNOWN);
	ari_model_free(model);
	model = read_text(WITH_RUNS("null"));
	ck_assert(!model->arenas.at[0].heaps.at[0].runs.known);
	ari_model_free(model);
	text_is_refused(WITH_RUNS("[[3]]"), "runs");
	text_is_refused(WITH_RUNS("[3]"), "runs");
	text_is_refused(WITH_RUNS("[{\"pages\": 3}]"), "runs");
	text_is_refused(WITH_RUNS("[[-1, \"zero\"]]"), "pages");
	scratch_close(&scratch);
}

/* ---- what others have written ---- */

TEST(order_and_space_do_not_matter)
{
	struct ari_model *model;

	setup();
	model = read_text("\n\t{\"arenas\":[ ],\"process\":{\"pid\":1},\r\n\"taken\":{},"
			  "\"schema\":\"arenainspect/1\" } \n\n");
	ck_assert_uint_eq(model->process.pid, 1);
	ari_model_free(model);
	scratch_close(&scratch);
}

TEST(later_versions_members_are_passed_over_and_their_words_unknown)
{
	struct ari_model *model;

	setup();
	model = read_text(
		"{\"future\": {\"a\": [[1, {\"b\": null}], \"x\"]}, " MINIMAL
		", \"memory\": [{\"kind\": \"gpu\", \"mappings\": 3, \"heat\": [1.5]}],"
		" \"findings\": [{\"id\": \"NEW-ONE\", \"severity\": \"fatal\","
		" \"message\": \"m\", \"evidence\": {\"new_bytes\": 7, \"old\": null}}],"
		" \"stopped\": {\"reason\": \"bored\", \"message\": \"m\"}}");
	ck_assert_uint_eq(model->memory.at[0].kind, ARI_UNKNOWN);
	ck_assert_uint_eq(model->memory.at[0].mappings, 3);
	ck_assert_str_eq(model->findings.at[0].id, "NEW-ONE");
	ck_assert_uint_eq(model->findings.at[0].severity, ARI_UNKNOWN);
	ck_assert_str_eq(model->findings.at[0].evidence.at[0].name, "new_bytes");
	ck_assert_uint_eq(model->findings.at[0].evidence.at[0].value, 7);
	ck_assert_uint_eq(model->findings.at[0].evidence.at[1].value, ARI_UNKNOWN);
	ck_assert_int_eq(model->stopped.code, ARI_UNSTABLE);
	ari_model_free(model);
	scratch_close(&scratch);
}

TEST(ids_that_are_the_same_have_one_owner)
{
	struct ari_model *model;

	setup();
	model = read_text("{" MINIMAL ", \"findings\": [{\"id\": \"A\"}, {\"id\": \"B\"},"
			  " {\"id\": \"A\"}]}");
	ck_assert_uint_eq(model->words.count, 2);
	ck_assert_ptr_eq(model->findings.at[0].id, model->findings.at[2].id);
	ari_model_free(model);
	scratch_close(&scratch);
}

TEST(times_are_those_of_rfc_3339)
{
	static const char *const bad[] = { "2023-02-30T00:00:00Z",
					   "2023-13-01T00:00:00Z",
					   "2023-11-14T22:13:20",
					   "2023-11-14 22:13:20Z",
					   "2023-11-14T24:00:00Z",
					   "9999-01-01T00:00:00Z",
					   "1969-12-31T23:59:59Z",
					   "+123-11-14T22:13:20Z",
					   "2023-11-14T22:13:20.0000000001Z",
					   "" };
	struct ari_model *model;

	setup();
	model = read_text("{" MINIMAL ", \"process\": {}, \"taken\": {\"begun\": "
			  "\"2023-11-14T22:13:20.5Z\", \"ended\": "
			  "\"1970-01-01T00:00:00Z\"}}");
	ck_assert_uint_eq(model->taken.begun_ns, UINT64_C(1700000000500000000));
	ck_assert_uint_eq(model->taken.ended_ns, 0);
	ari_model_free(model);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			 "{" MINIMAL ", \"taken\": {\"begun\": \"%s\"}}", bad[i]);
		text_is_refused(text, "\"begun\" is not a time");
	}
	scratch_close(&scratch);
}

/* ---- what is refused ---- */

TEST(what_is_no_snapshot_is_refused_in_clear_words)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "ends in its midst" },
		{ " \n", "ends in its midst" },
		{ "[]", "not a snapshot" },
		{ "hello", "not a snapshot" },
		{ "{}", "no \"schema\"" },
		{ "{\"schema\": \"arenainspect/1\"}", "no \"taken\"" },
		{ "{\"schema\": \"arenainspect/2\"}", "its schema is 'arenainspect/2'" },
		{ "{\"schema\": \"arenainspect-diff/1\"}", "arenainspect-diff/1" },
		{ "{\"schema\": 1}", "no schema" },
		{ "{\"schema\": null}", "no schema" },
		{ "{" MINIMAL "} {}", "more behind" },
		{ "{" MINIMAL, "ends in its midst" },
		{ "{" MINIMAL ",}", "not JSON" },
		{ "{" MINIMAL " \"a\": 1}", "not JSON" },
		{ "{" MINIMAL ", a: 1}", "not JSON" },
		{ "{" MINIMAL ", \"a\" 1}", "not JSON" },
		{ "{" MINIMAL ", \"a\": [1 2]}", "not JSON" },
		{ "{" MINIMAL ", \"a\": nul}", "not JSON" },
		{ "{" MINIMAL ", 'a': 1}", "not JSON" },
		{ "{" MINIMAL ", \"a\": \"\xff\"}", "not JSON" },
		{ "{" MINIMAL ", \"a\": \"\xc3\"}", "not JSON" },
		{ "{" MINIMAL ", \"a\": /* */ 1}", "not JSON" },
		{ "{" MINIMAL ", \"arenas\": []}", "twice" },
		{ "{\"arenas\": [{}], \"arenas\": [{}]}", "twice" },
	};

	setup();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		text_is_refused(bad[i].text, bad[i].words);
	scratch_close(&scratch);
}

TEST(values_of_another_kind_are_refused)
{
	static const struct {
		const char *member, *words;
	} bad[] = {
		{ "\"arenas\": {}", "not JSON" },
		{ "\"totals\": []", "\"totals\" is not an object" },
		{ "\"totals\": {\"heaps\": -1}", "\"heaps\" is not a number" },
		{ "\"totals\": {\"heaps\": 1.5}", "\"heaps\" is not a number" },
		{ "\"totals\": {\"heaps\": \"1\"}", "\"heaps\" is not a number" },
		{ "\"totals\": {\"heaps\": true}", "\"heaps\" is not a number" },
		{ "\"totals\": {\"heaps\": 18446744073709551615}", "" },
		{ "\"totals\": {\"heaps\": 99999999999999999999999}", "" },
		{ "\"totals\": {\"heaps\": 1e5}", "\"heaps\" is not a number" },
		{ "\"totals\": {\"resident\": 7}", "\"resident\" is not an object" },
		{ "\"quality\": {\"rss_difference_bytes\": -9223372036854775808}", "" },
		{ "\"quality\": {\"consistent\": 1}", "true or false" },
		{ "\"quality\": {\"notes\": [null, 1]}", "\"notes\"" },
		{ "\"quality\": {\"notes\": {}}", "\"notes\" is not an array" },
		{ "\"libc\": {\"path\": 1}", "\"path\" is not a string" },
		{ "\"libc\": {\"path\": \"a\\u0000b\"}", "\"path\" is not a string" },
		{ "\"libc\": {\"symbol_source\": 1}", "\"symbol_source\"" },
		{ "\"settings\": {\"environment\": []}", "not an object" },
		{ "\"settings\": {\"environment\": {\"A\": 1}}", "not a string" },
		{ "\"process\": {\"cgroup\": {\"cpu_quota\": -1}}", "\"cpu_quota\"" },
		{ "\"process\": {\"cgroup\": {\"cpu_quota\": 1e300}}", "\"cpu_quota\"" },
		{ "\"process\": {\"cgroup\": {\"cpu_quota\": NaN}}", "" },
		{ "\"mmapped\": {\"listed\": [{\"address\": 1}]}", "\"address\"" },
		{ "\"mmapped\": {\"listed\": [{\"address\": \"1\"}]}", "an address" },
		{ "\"mmapped\": {\"listed\": [{\"address\": \"0x\"}]}", "an address" },
		{ "\"mmapped\": {\"listed\": [{\"address\": \"0xffffffffffffffff\"}]}",
		  "an address" },
		{ "\"mmapped\": {\"listed\": [{\"address\": \"0x10000000000000000\"}]}",
		  "an address" },
		{ "\"mmapped\": {\"listed\": [7]}", "not an object" },
		{ "\"findings\": [{\"message\": \"m\"}]", "without \"id\"" },
		{ "\"findings\": [{\"id\": null}]", "without \"id\"" },
		{ "\"findings\": [{\"id\": \"A\", \"evidence\": {\"n\": \"1\"}}]",
		  "\"evidence\"" },
	};

	setup();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 "{\"schema\": \"arenainspect/1\", \"taken\": {}, %s}",
			 bad[i].member);
		text_is_refused(text, bad[i].words);
	}
	scratch_close(&scratch);
}

/* A document of `unit` so often, between what begins and what ends it. */
static void repeated_is_refused(const char *begin, const char *unit, size_t times,
				const char *words)
{
	size_t length = strlen(unit);
	char *text = malloc(strlen(begin) + length * times);

	must(text != NULL);
	memcpy(text, begin, strlen(begin));
	for (size_t i = 0; i < times; i++)
		memcpy(text + strlen(begin) + i * length, unit, length);
	file_is(text, strlen(begin) + length * times);
	free(text);
	expect_refused(words);
}

TEST(hostile_documents_have_bounds)
{
	setup();
	repeated_is_refused("{\"deep\": ", "[", 1000000, "nested more than");
	repeated_is_refused("{\"deep\": ", "{\"a\":", 100000, "nested more than");
	repeated_is_refused("{\"taken\": ", "{\"a\":", 100000, "not JSON");
	repeated_is_refused("{\"long\": \"", "aaaaaaaa", 1 << 18, "more than 1 MiB");
	repeated_is_refused("{\"", "aaaaaaaa", 1 << 18, "more than 1 MiB");
	repeated_is_refused("{\"n\": ", "99999999", 1 << 18, "");
	repeated_is_refused("{\"arenas\": [{}", ",{}", 1 << 20,
			    "more than a model may hold");
	repeated_is_refused("{", " \n  ", 1 << 20, "ends in its midst");
	scratch_close(&scratch);
}

TEST(ids_without_number_are_refused)
{
	size_t length = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);

	setup();
	fputs("{\"findings\": [{\"id\": \"first\"}", out);
	for (int i = 0; i < 1000; i++)
		fprintf(out, ", {\"id\": \"%d\"}", i);
	fclose(out);
	file_is(text, length);
	expect_refused("different ids");
	free(text);
	scratch_close(&scratch);
}

TEST(nul_is_refused_wherever_it_is)
{
	static const char text[] = "{" MINIMAL ", \"a\": \"";

	setup();
	file_is(text, sizeof(text)); /* with its NUL */
	expect_refused("NUL");
	file_is("\0", 1);
	expect_refused("NUL");
	scratch_close(&scratch);
}

TEST(document_that_is_cut_is_refused_at_every_length)
{
	char *text = NULL;
	size_t length = written(random_model(7), &text);

	setup();
	/* Without its newline it is whole. */
	for (size_t cut = 0; cut < length - 1; cut++) {
		struct ari_model *model;
		struct ari_error err;

		file_is(text, cut);
		ck_fails(ari_model_read(path, &model, &err), &err, ARI_IO);
	}
	file_is(text, length - 1);
	ari_model_free(read_back());
	free(text);
	scratch_close(&scratch);
}

TEST(packed_file_that_is_cut_or_spoiled_is_refused)
{
	char *text = NULL;
	size_t length = written(random_model(7), &text);
	size_t room = ZSTD_compressBound(length), packed_length;
	char *packed = malloc(room);

	setup();
	packed_length = ZSTD_compress(packed, room, text, length, 3);
	for (size_t cut = 0; cut < packed_length; cut++) {
		struct ari_model *model;
		struct ari_error err;

		file_is(packed, cut);
		ck_fails(ari_model_read(path, &model, &err), &err, ARI_IO);
	}
	memset(packed + packed_length / 2, 0x55, 16);
	file_is(packed, packed_length);
	expect_refused("");
	free(packed);
	free(text);
	scratch_close(&scratch);
}

/* What unpacks to far more than it is. */
TEST(bomb_is_refused)
{
	static char space[1 << 20];
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	ZSTD_outBuffer out = { malloc(4 << 20), 4 << 20, 0 };
	struct input input;
	struct ari_error err;
	bool more;

	setup();
	memset(space, ' ', sizeof(space));
	for (int i = 0; i < 1025; i++) {
		ZSTD_inBuffer in = { space, sizeof(space), 0 };

		ZSTD_compressStream2(zstd, &out, &in,
				     i == 1024 ? ZSTD_e_end : ZSTD_e_continue);
		must(in.pos == in.size);
	}
	must(out.pos < 1 << 20);
	file_is(out.dst, out.pos);
	ck_works(input_open(&input, path, &err), &err);
	do
		more = input_more(&input, &err);
	while (more && input.count > 0);
	ck_assert(!more);
	ck_assert_ptr_nonnull(strstr(err.message, "more than 1 GiB"));
	ck_assert_uint_le(input.passed, INPUT_MOST);
	input_close(&input);
	free(out.dst);
	ZSTD_freeCCtx(zstd);
	scratch_close(&scratch);
}

TEST(file_that_cannot_be_read_is_named)
{
	struct ari_model *model;
	struct ari_error err;

	setup();
	expect_refused("No such file");
	ck_fails(ari_model_read(scratch.path, &model, &err), &err, ARI_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "directory"));
	scratch_close(&scratch);
}

UNIT_MAIN("snapshot/read", random_models_come_back_byte_for_byte,
	  model_that_knows_nothing_comes_back_so, packed_file_is_told_by_its_content,
	  text_beyond_ascii_is_read_as_it_is, members_are_where_they_belong,
	  visit_that_was_stopped_stays_so, runs_of_pages_are_rows,
	  order_and_space_do_not_matter,
	  later_versions_members_are_passed_over_and_their_words_unknown,
	  ids_that_are_the_same_have_one_owner, times_are_those_of_rfc_3339,
	  what_is_no_snapshot_is_refused_in_clear_words,
	  values_of_another_kind_are_refused, hostile_documents_have_bounds,
	  ids_without_number_are_refused, nul_is_refused_wherever_it_is,
	  document_that_is_cut_is_refused_at_every_length,
	  packed_file_that_is_cut_or_spoiled_is_refused, bomb_is_refused,
	  file_that_cannot_be_read_is_named)
