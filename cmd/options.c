// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "options.h"
#include "out/refuse.h"

struct row;
typedef bool take_fn(struct options *options, const struct row *row, const char *argument,
		     struct ari_error *err);

/* An option: what the help says of it, and what it does to struct options. */
struct row {
	struct option_help is;
	take_fn *take;
	size_t offset;			   /* of the member it sets */
	const char *(*word)(uint64_t);	   /* take_word: the words, from 0 up */
	const struct format *const format; /* take_format */
	bool of_visit;			   /* says nothing to a snapshot */
	enum option_about about;
};

static void *member(struct options *options, const struct row *row)
{
	return (char *)options + row->offset;
}

/* ---- kinds of options ---- */

static bool take_flag(struct options *options, const struct row *row,
		      const char *argument, struct ari_error *err)
{
	(void)argument, (void)err;
	*(bool *)member(options, row) = true;
	return true;
}

static bool take_more(struct options *options, const struct row *row,
		      const char *argument, struct ari_error *err)
{
	(void)argument, (void)err;
	++*(uint64_t *)member(options, row);
	return true;
}

static bool take_text(struct options *options, const struct row *row,
		      const char *argument, struct ari_error *err)
{
	if (*argument == '\0')
		return refuse(err, ARI_USAGE, "--%s: %s is empty", row->is.name,
			      row->is.argument);
	*(const char **)member(options, row) = argument;
	return true;
}

static bool take_format(struct options *options, const struct row *row,
			const char *argument, struct ari_error *err)
{
	(void)argument;
	if (options->format != &format_text && options->format != row->format)
		return refuse(err, ARI_USAGE, "--%s and --%s exclude each other",
			      options->format->name, row->format->name);
	options->format = row->format;
	return true;
}

bool number_parse(const char *text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text)) /* strtoull() takes blanks and a sign */
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool take_number(struct options *options, const struct row *row,
			const char *argument, struct ari_error *err)
{
	uint64_t number;

	if (!number_parse(argument, &number) || number < 1 || number > UINT_MAX)
		return refuse(err, ARI_USAGE, "--%s: '%s' is not a number of 1 or more",
			      row->is.name, argument);
	*(uint64_t *)member(options, row) = number;
	return true;
}

static bool take_arena(struct options *options, const struct row *row,
		       const char *argument, struct ari_error *err)
{
	uint64_t *index = member(options, row);

	if (strcmp(argument, "all") == 0)
		*index = ARENA_ALL;
	else if (!number_parse(argument, index) || *index >= ARENA_ALL)
		return refuse(
			err, ARI_USAGE,
			"--%s: '%s' is neither an arena's index (0 is main) nor 'all'",
			row->is.name, argument);
	return true;
}

/* "90", "90s", "10m", "1.5h" */
static bool take_time(struct options *options, const struct row *row,
		      const char *argument, struct ari_error *err)
{
	if (duration_parse(argument, member(options, row)))
		return true;
	return refuse(err, ARI_USAGE,
		      "--%s: '%s' is not a time above 0, as 90s, 10m or 1h", row->is.name,
		      argument);
}

static const char *symbols_word(uint64_t value)
{
	static const char *const words[] = {
		[ARI_FIND_AUTO] = "auto",
		[ARI_FIND_DEBUGINFO] = "debuginfo",
		[ARI_FIND_SEARCH] = "search",
	};

	return value < sizeof(words) / sizeof(words[0]) ? words[value] : NULL;
}

static const char *color_word(uint64_t value)
{
	static const char *const words[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	return value < sizeof(words) / sizeof(words[0]) ? words[value] : NULL;
}

static bool take_word(struct options *options, const struct row *row,
		      const char *argument, struct ari_error *err)
{
	char words[128] = "";

	for (uint64_t i = 0; row->word(i) != NULL; i++) {
		if (strcmp(row->word(i), argument) == 0) {
			*(uint64_t *)member(options, row) = i;
			return true;
		}
		list_word(words, sizeof(words), ", ", row->word(i));
	}
	return refuse(err, ARI_USAGE, "--%s: '%s' is none of %s", row->is.name, argument,
		      words);
}

/* -m begins a group, -w and -c belong to the last one. */
static bool take_metric(struct options *options, const struct row *row,
			const char *argument, struct ari_error *err)
{
	(void)row;
	if (options->watched_count == WATCHED_MOST)
		return refuse(err, ARI_USAGE, "no more than %d metrics at a time",
			      WATCHED_MOST);
	options->watched[options->watched_count++].metric = argument;
	return true;
}

static bool take_range(struct options *options, const struct row *row,
		       const char *argument, struct ari_error *err)
{
	struct watched *last;
	const char **range;

	if (options->watched_count == 0)
		return refuse(err, ARI_USAGE, "--%s: of which metric? -m METRIC first",
			      row->is.name);
	last = &options->watched[options->watched_count - 1];
	range = row->is.letter == 'w' ? &last->warning : &last->critical;
	if (*range != NULL)
		return refuse(err, ARI_USAGE, "--%s: metric %s has one already",
			      row->is.name, last->metric);
	*range = argument;
	return true;
}

/* ---- the options ---- */

#define AT(name) .offset = offsetof(struct options, name)

// clang-format off
static const struct row rows[] = {
#define FORMAT(name, letter, help) \
	{ { letter, #name, NULL, help, OWN_NONE }, take_format, .format = &format_##name, \
	  .about = ABOUT_TABLES },
#include "out/formats.def"
#undef FORMAT
	{ { 'n', "noheadings", NULL, "no line of headings", 0 },
	  take_flag, AT(style.no_headings), .about = ABOUT_TABLES },
	{ { 'o', "output", "COL[,COL]", "these columns; +COL[,COL] adds to the default ones", 0 },
	  take_text, AT(output), .about = ABOUT_TABLES },
	{ { 'b', "bytes", NULL, "bytes as they are, not rounded to KiB, MiB, ...", 0 },
	  take_flag, AT(style.plain_bytes) },
	{ { 0, "sort", "COL",
	    "rows by COL: bytes and counts largest first, others ascending; -COL reverses", 0 },
	  take_text, AT(sort), .about = ABOUT_SORTING },
	{ { 0, "top", "N", "the first N rows; without --sort the N largest", 0 },
	  take_number, AT(top), .about = ABOUT_SORTING },
	{ { 0, "write", "FILE", "into FILE, whole or not at all, instead of stdout", 0 },
	  take_text, AT(write), .about = ABOUT_FILES },
	{ { 0, "comm", "NAME", "the one process of that name, in place of a PID; check, metrics, scan: each", 0 },
	  take_text, AT(comm), .about = ABOUT_PROCESS },
	{ { 0, "unit", "NAME", "the same for those of a systemd unit", 0 },
	  take_text, AT(unit), .about = ABOUT_PROCESS },
	{ { 0, "core", "FILE", "a core file, in place of a PID", 0 },
	  take_text, AT(core), .about = ABOUT_STORED },
	{ { 0, "exe", "FILE", "the program of the core, where the core does not tell enough", 0 },
	  take_text, AT(exe), .about = ABOUT_STORED },
	{ { 0, "depth", "DEPTH", "arenas (headers only), chunks (default) or pages", 0 },
	  take_word, AT(depth), .word = ari_depth_name, .of_visit = true, .about = ABOUT_PROCESS },
	{ { 0, "jobs", "N", "at most N workers (default: the processors, at most 8)", 0 },
	  take_number, AT(jobs), .about = ABOUT_PROCESS },
	{ { 't', "timeout", "TIME", "end the visit after that time, as 10, 0.5 or 2m", 0 },
	  take_time, AT(visit.timeout_ns), .about = ABOUT_PROCESS },
	{ { 0, "symbols", "HOW", "auto, debuginfo or search: how main_arena is found", 0 },
	  take_word, AT(symbols), .word = symbols_word, .of_visit = true, .about = ABOUT_PROCESS },
	{ { 0, "debug-dir", "DIR", "look for debug files there, too", 0 },
	  take_text, AT(visit.debug_dir), .of_visit = true, .about = ABOUT_PROCESS },
	{ { 0, "debuginfod", NULL, "ask the servers of DEBUGINFOD_URLS for debug files", 0 },
	  take_flag, AT(debuginfod), .of_visit = true, .about = ABOUT_PROCESS },
	{ { 0, "after", "TIME", "visit PID now and after that time, as 90s, 10m or 1h; Ctrl-C: at once",
	    OWN_AFTER },
	  take_time, AT(after_ns) },
	{ { 0, "force", NULL, "compare two processes, such as replicas, without their arenas",
	    OWN_FORCE },
	  take_flag, AT(force) },
	{ { 0, "arena", "INDEX", "of one arena; all: of each; default: the sums over them", OWN_ARENA },
	  take_arena, AT(arena) },
	{ { 0, "sizes", NULL, "chunks in use and free, by size", OWN_SIZES },
	  take_flag, AT(sizes) },
	{ { 0, "pins", NULL, "the live chunks that keep most of each heap from going back", OWN_PINS },
	  take_flag, AT(pins) },
	{ { 0, "group", NULL, "one row per name, whatever numbers are in it", OWN_GROUP },
	  take_flag, AT(group) },
	{ { 0, "exit-code", NULL, "exit with 1 if a warning is found", 0 },
	  take_flag, AT(exit_code), .about = ABOUT_FINDINGS },
	{ { 'm', "metric", "METRIC", "a number to look at; the ranges behind it are for it", OWN_CHECK },
	  take_metric, AT(watched) },
	{ { 'w', "warning", "RANGE", "warn when it is outside of [@]start:end; with @, inside", OWN_CHECK },
	  take_range, AT(watched) },
	{ { 'c', "critical", "RANGE", "the same for a critical state", OWN_CHECK },
	  take_range, AT(watched) },
	{ { 0, "state", "FILE", "remembers numbers there, for what grows per second", OWN_STATE },
	  take_text, AT(state) },
	{ { 0, "all", NULL, "every process of the host", OWN_ALL },
	  take_flag, AT(every) },
	{ { 0, "limit", "N", "at most N: processes to visit, rows of labels", OWN_LIMIT },
	  take_number, AT(limit) },
	{ { 0, "per-arena", NULL, "each arena by its index, too", OWN_PER_ARENA },
	  take_flag, AT(per_arena) },
	{ { 0, "color", "WHEN", "auto (on a terminal), always or never", 0 },
	  take_word, AT(color), .word = color_word },
	{ { 'q', "quiet", NULL, "no notes on stderr", 0 },
	  take_flag, AT(quiet) },
	{ { 'v', "verbose", NULL, "say more: report adds the settings; steps on stderr", 0 },
	  take_more, AT(verbose) },
	{ { 'h', "help", NULL, "this, or the options and columns of a COMMAND", 0 },
	  take_flag, AT(help) },
	{ { 'V', "version", NULL, "the version", 0 },
	  take_flag, AT(version) },
};
// clang-format on

#define ROWS (sizeof(rows) / sizeof(rows[0]))

_Static_assert(ROWS <= OPTIONS_MOST, "OPTIONS_MOST is too small");

bool option_describe(size_t index, struct option_help *ret)
{
	if (index >= ROWS)
		return false;
	*ret = rows[index].is;
	return true;
}

enum option_about option_about(size_t index)
{
	const struct format *format = rows[index].format;

	return format != NULL && format->whole_model ? ABOUT_MODEL : rows[index].about;
}

bool option_take(size_t index, struct options *options, const char *argument,
		 struct ari_error *err)
{
	options->own |= rows[index].is.own;
	if (rows[index].of_visit)
		options->of_visit = rows[index].is.name;
	return rows[index].take(options, &rows[index], argument, err);
}
