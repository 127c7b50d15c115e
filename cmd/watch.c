// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "duration.h"
#include "meanings.h"
#include "open.h"
#include "out/refuse.h"
#include "out/stream.h"
#include "tell.h"
#include "time_left.h"

#define INTERVAL_NS NS_PER_SECOND

/* ---- one line ---- */

struct watch_row {
	char time[16], taken[40]; /* of the beginning of the visit */
	uint64_t duration_ns;
	struct ari_process process; /* its strings are the model's */
	struct ari_totals totals;
	uint64_t malloc_bytes;
};

static const char *time_text(const void *row)
{
	return ((const struct watch_row *)row)->time;
}

static const char *taken_text(const void *row)
{
	return ((const struct watch_row *)row)->taken;
}

#define AT(member) .offset = offsetof(struct watch_row, member)

// clang-format off
static const struct column columns[] = {
	{ "time", "TIME", UNIT_TEXT, BY_DEFAULT,
	  "when the visit began, local time", .text = time_text },
	{ "taken", "TAKEN", UNIT_TEXT, ON_REQUEST,
	  "the same with its date, UTC", .text = taken_text },
	{ "rss", "RSS", UNIT_BYTES, BY_DEFAULT,
	  "resident set", AT(process.rss_bytes) },
	{ "anon", "ANON", UNIT_BYTES, ON_REQUEST,
	  "of that, without a file behind it", AT(process.anon_bytes) },
	{ "swap", "SWAP", UNIT_BYTES, ON_REQUEST,
	  "in swap", AT(process.swap_bytes) },
	{ "malloc", "MALLOC", UNIT_BYTES, BY_DEFAULT,
	  "glibc's share of the resident set: arenas and mmapped chunks", AT(malloc_bytes) },
	{ "system", "SYSTEM", UNIT_BYTES, ON_REQUEST,
	  "the arenas got from the system", AT(totals.system_bytes) },
	{ "in_use", "IN USE", UNIT_BYTES, BY_DEFAULT,
	  "in the arenas, " MEANS_IN_USE, AT(totals.in_use_bytes) },
	{ "free", "FREE", UNIT_BYTES, BY_DEFAULT,
	  "in bins of the arenas, resident or not", AT(totals.free_bytes) },
	{ "fast", "FAST", UNIT_BYTES, ON_REQUEST,
	  "in fastbins", AT(totals.fast_bytes) },
	{ "tcache", "TCACHE", UNIT_BYTES, ON_REQUEST,
	  "in threads' caches", AT(totals.tcache_bytes) },
	{ "top", "TOP", UNIT_BYTES, ON_REQUEST,
	  "in tops", AT(totals.top_bytes) },
	{ "mmapped", "MMAPPED", UNIT_BYTES, ON_REQUEST,
	  "in mmapped chunks, resident or not", AT(totals.mmapped_bytes) },
	{ "mmapped_chunks", "MMAPPED CHUNKS", UNIT_COUNT, ON_REQUEST,
	  "mmapped chunks", AT(totals.mmapped_chunks) },
	{ "trimmable", "TRIMMABLE", UNIT_BYTES, BY_DEFAULT,
	  "in memory: " MEANS_TRIMMABLE, AT(totals.trimmable_bytes) },
	{ "retained_top", "RETAINED TOP", UNIT_BYTES, BY_DEFAULT,
	  "in memory: " MEANS_RETAINED_TOP " tops", AT(totals.resident.retained_top_bytes) },
	{ "pinned_free", "PINNED FREE", UNIT_BYTES, ON_REQUEST,
	  "in memory: free, " MEANS_PINNED_FREE,
	  AT(totals.resident.pinned_free_bytes) },
	{ "arenas", "ARENAS", UNIT_COUNT, BY_DEFAULT,
	  "arenas", AT(totals.arenas) },
	{ "idle_arenas", "IDLE", UNIT_COUNT, ON_REQUEST,
	  "arenas without a thread", AT(totals.idle_arenas) },
	{ "heaps", "HEAPS", UNIT_COUNT, ON_REQUEST,
	  "heaps of the arenas; of main, segments", AT(totals.heaps) },
	{ "threads", "THREADS", UNIT_COUNT, BY_DEFAULT,
	  "threads of the process", AT(process.tasks) },
	{ "duration_ns", "DURATION NS", UNIT_COUNT, ON_REQUEST,
	  "nanoseconds that the visit took", AT(duration_ns) },
};
// clang-format on

static const struct table_kind watch_table = {
	.name = "watch",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
};

static void fill_row(struct watch_row *row, const struct ari_model *model)
{
	time_t seconds = (time_t)(model->taken.begun_ns / NS_PER_SECOND);
	struct tm local, utc;

	localtime_r(&seconds, &local);
	strftime(row->time, sizeof(row->time), "%H:%M:%S", &local);
	gmtime_r(&seconds, &utc);
	strftime(row->taken, sizeof(row->taken), "%Y-%m-%dT%H:%M:%SZ", &utc);
	row->duration_ns = model->taken.duration_ns;
	row->process = model->process;
	row->totals = model->totals;
	row->malloc_bytes = ari_malloc_resident(model);
}

/* ---- how long ---- */

/* Set by the signals that end it: the line that is being made is still written. */
static volatile sig_atomic_t is_over;

static void end_watch(int number)
{
	(void)number;
	is_over = 1;
}

static const int ending[] = { SIGINT, SIGTERM };

/* The second one ends us at once. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = end_watch, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		sigaction(ending[i], &action, NULL);
}

/* Nobody listens to a pipe any more: the next line will end us. */
static int unless_written(const struct options *options)
{
	return options->write == NULL ? STDOUT_FILENO : -1;
}

/* Signals come in ppoll() alone, where none is missed.  True: there is no more to await.
 */
static bool rest_once(uint64_t ns, struct pollfd *fds, nfds_t count)
{
	struct timespec time = { (time_t)(ns / NS_PER_SECOND),
				 (long)(ns % NS_PER_SECOND) };
	sigset_t held, before;
	bool over;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		sigaddset(&held, ending[i]);
	sigprocmask(SIG_BLOCK, &held, &before);
	over = is_over || ppoll(fds, count, &time, &before) > 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return over || is_over;
}

/* Until that time, the end of the process or of who reads, or a signal. */
static void rest_until(uint64_t at, int pidfd, int out)
{
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = out } };
	uint64_t now;

	while ((now = time_now()) < at)
		if (rest_once(at - now, fds, sizeof(fds) / sizeof(*fds)))
			return;
}

/* ---- the lines ---- */

struct watch {
	const struct options *options;
	pid_t pid;
	int pidfd; /* -1 where the kernel has none */
	struct stream stream;
	struct watch_row rows[2]; /* the last two, in turn */
	/* Who it was at first. */
	uint64_t start_time_ticks, main_arena;
	bool has_ended;
};

static uint64_t main_arena_of(const struct ari_model *model)
{
	return model->arenas.count > 0 ? model->arenas.at[0].address : ARI_UNKNOWN;
}

/* A pid that was used again starts later; another program has its malloc elsewhere. */
static bool is_another(const struct watch *watch, const struct ari_model *model)
{
	return watch->stream.rows > 0 &&
	       (watch->start_time_ticks != model->process.start_time_ticks ||
		watch->main_arena != main_arena_of(model));
}

static bool write_line(struct watch *watch, const struct ari_model *model,
		       struct ari_error *err)
{
	size_t rows = watch->stream.rows;
	struct watch_row *row = &watch->rows[rows % 2];

	if (is_another(watch, model)) {
		watch->has_ended = true;
		return true;
	}
	watch->start_time_ticks = model->process.start_time_ticks;
	watch->main_arena = main_arena_of(model);
	fill_row(row, model);
	return stream_row(&watch->stream, row,
			  rows == 0 ? NULL : &watch->rows[(rows + 1) % 2], model, err);
}

/* A moment at which the process could not be read is no reason to end. */
static bool may_pass(struct watch *watch, const struct ari_error *err)
{
	if (err->code == ARI_GONE && watch->stream.rows > 0) {
		watch->has_ended = true;
		return true;
	}
	if (err->code != ARI_UNSTABLE && err->code != ARI_TIMED_OUT)
		return false;
	if (!watch->options->quiet)
		tell("%s", err->message);
	return true;
}

static bool look_once(struct watch *watch, const struct ari_options *visit,
		      struct ari_error *err)
{
	struct ari_model *model;
	bool done;

	if (!ari_visit(watch->pid, visit, &model, err))
		return may_pass(watch, err);
	if (model->stopped.code != ARI_OK && !watch->options->quiet)
		tell("%s", model->stopped.message);
	done = write_line(watch, model, err);
	ari_model_free(model);
	return done;
}

static bool look_on(struct watch *watch, struct ari_error *err)
{
	const struct options *options = watch->options;
	struct ari_options visit = open_options(options);
	uint64_t next = time_now();

	for (uint64_t line = 1;; line++) {
		if (!look_once(watch, &visit, err))
			return false;
		if (watch->has_ended || is_over || line == options->lines)
			break;
		next += options->interval_ns;
		if (next < time_now())
			next = time_now(); /* a visit took longer: none is made up for */
		rest_until(next, watch->pidfd, unless_written(options));
		if (is_over)
			break;
	}
	if (watch->has_ended && !options->quiet)
		tell("process %d has ended, or runs another program now",
		     (int)watch->pid);
	/* What was told line by line: of all of them. */
	return watch->stream.rows > 0 || is_over;
}

static bool run_watch(const struct options *options, struct ari_error *err)
{
	struct watch watch = { .options = options };
	bool done;

	if (!open_pid(options, &watch.pid, err) ||
	    !stream_open(&watch.stream, &watch_table, options->format, &options->style,
			 options->write, err))
		return false;
	watch.pidfd = (int)syscall(SYS_pidfd_open, watch.pid, 0);
	catch_signals();
	done = look_on(&watch, err) && stream_finish(&watch.stream, err);
	stream_drop(&watch.stream);
	if (watch.pidfd >= 0)
		close(watch.pidfd);
	return done;
}

/* ---- its operands: PID, unless --comm names it, INTERVAL, COUNT ---- */

static bool take_interval(struct options *options, const char *word,
			  struct ari_error *err)
{
	return duration_parse(word, &options->interval_ns) ||
	       refuse(err, ARI_USAGE,
		      "'%s' is no interval: seconds above 0, as 2 or 0.5, or with a unit, "
		      "as 500ms, 10m or 1h",
		      word);
}

static bool take_count(struct options *options, const char *word, struct ari_error *err)
{
	return (number_parse(word, &options->lines) && options->lines > 0) ||
	       refuse(err, ARI_USAGE, "'%s' is not a number of lines, 1 or more", word);
}

static bool take_operands(struct options *options, struct ari_error *err)
{
	const char *const *word = options->operands;
	const char *const *end = word + options->operands_count;

	options->interval_ns = INTERVAL_NS;
	if (options->comm == NULL && options->unit == NULL && word < end &&
	    !subject_parse(*word++, &options->subject, err))
		return false;
	if (word < end && !take_interval(options, *word++, err))
		return false;
	if (word < end && !take_count(options, *word++, err))
		return false;
	return word == end ||
	       refuse(err, ARI_USAGE,
		      "'%s' is too much: watch takes a PID, an interval and a count",
		      *word);
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "PID [INTERVAL [COUNT]]",
	.help = "one line per interval, as vmstat does",
	.live_only = true,
	.row_by_row = true,
	.no_findings = true,
	.take_operands = take_operands,
	.table = &watch_table,
	.run = run_watch,
};
