// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "out/refuse.h"
#include "out/sink.h"
#include "state.h"
#include "time_left.h"

#define FIRST_LINE   "arenainspect-state 1\n"
#define LINE_ROOM    256
#define SAMPLES_MOST 10000
#define SAMPLE_DAYS  7 /* of a process that nobody asked about since */

#define NS_PER_DAY (86400 * NS_PER_SECOND)

struct state {
	const char *path; /* the caller's */
	int fd;		  /* holds the lock */
	uint64_t opened_ns;
	struct sample *samples;
	size_t count;
};

uint64_t state_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static bool refuse_file(struct ari_error *err, const struct state *state, const char *why)
{
	return refuse(err, ARI_IO, "state file %s: %s", state->path, why);
}

/* ---- opening ---- */

static bool is_ours(const struct state *state, const struct stat *status,
		    struct ari_error *err)
{
	if (!S_ISREG(status->st_mode))
		return refuse_file(err, state, "not a regular file");
	if (status->st_uid != geteuid())
		return refuse_file(err, state, "belongs to another user");
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse_file(err, state, "others may write to it");
	if (status->st_nlink > 1)
		return refuse_file(err, state, "has another name, too (a hard link)");
	return true;
}

static bool open_file(struct state *state, struct stat *ret, struct ari_error *err)
{
	state->fd = open(
		state->path,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
	if (state->fd < 0)
		return refuse_file(err, state,
				   errno == ELOOP ? "is a symbolic link"
						  : strerror(errno));
	if (fstat(state->fd, ret) != 0)
		return refuse_file(err, state, strerror(errno));
	return is_ours(state, ret, err);
}

static bool lock_file(const struct state *state, struct ari_error *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(state->fd, F_OFD_SETLKW, &whole) != 0)
		if (errno != EINTR)
			return refuse_file(err, state, strerror(errno));
	return true;
}

/* Who had the lock may have put another file in its place meanwhile. */
static bool is_in_place(const struct state *state, const struct stat *opened)
{
	struct stat now;

	return lstat(state->path, &now) == 0 && now.st_dev == opened->st_dev &&
	       now.st_ino == opened->st_ino;
}

static bool open_and_lock(struct state *state, struct ari_error *err)
{
	struct stat status;

	for (;;) {
		if (!open_file(state, &status, err) || !lock_file(state, err))
			return false;
		if (is_in_place(state, &status))
			return true;
		close(state->fd);
		state->fd = -1;
	}
}

/* ---- what is in it ---- */

static bool parse_sample(const char *line, struct sample *ret)
{
	int end = 0;
	int fields = sscanf(
		line, "%39[0-9a-f-] %" SCNu64 " %" SCNu64 " %31[a-z_] %" SCNu64 " %lf%n",
		ret->boot_id, &ret->pid, &ret->start_time_ticks, ret->metric,
		&ret->taken_ns, &ret->value, &end);

	return fields == 6 && strcmp(line + end, "\n") == 0 && isfinite(ret->value);
}

static bool add_sample(struct state *state, const struct sample *sample,
		       struct ari_error *err)
{
	struct sample *samples;

	if (state->count == SAMPLES_MOST)
		return refuse_file(err, state, "too many processes share it");
	samples = realloc(state->samples, (state->count + 1) * sizeof(*samples));
	if (samples == NULL)
		return refuse_memory(err);
	samples[state->count++] = *sample;
	state->samples = samples;
	return true;
}

static bool read_samples(struct state *state, FILE *in, struct ari_error *err)
{
	char line[LINE_ROOM];
	struct sample sample;

	if (fgets(line, sizeof(line), in) == NULL)
		return !ferror(in) || refuse_file(err, state, strerror(errno)); /* new */
	if (strcmp(line, FIRST_LINE) != 0)
		return refuse_file(err, state, "is not one of arenainspect's");
	while (fgets(line, sizeof(line), in) != NULL)
		if (!parse_sample(line, &sample))
			return refuse_file(err, state, "is damaged: remove it");
		else if (!add_sample(state, &sample, err))
			return false;
	return !ferror(in) || refuse_file(err, state, strerror(errno));
}

static bool read_file(struct state *state, struct ari_error *err)
{
	int fd = fcntl(state->fd, F_DUPFD_CLOEXEC, 0); /* the lock stays with ours */
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	bool done;

	if (in == NULL) {
		if (fd >= 0)
			close(fd);
		return refuse_file(err, state, strerror(errno));
	}
	done = read_samples(state, in, err);
	fclose(in);
	return done;
}

bool state_open(const char *path, struct state **ret, struct ari_error *err)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return refuse_memory(err);
	state->path = path;
	state->fd = -1;
	state->opened_ns = state_clock();
	if (!open_and_lock(state, err) || !read_file(state, err)) {
		state_drop(state);
		return false;
	}
	*ret = state;
	return true;
}

void state_drop(struct state *state)
{
	if (state == NULL)
		return;
	if (state->fd >= 0)
		close(state->fd);
	free(state->samples);
	free(state);
}

/* ---- samples ---- */

void state_rest(const struct state *state)
{
	uint64_t now = state_clock(), newest = 0, wait;

	for (size_t i = 0; i < state->count; i++)
		if (state->samples[i].taken_ns <= now &&
		    state->samples[i].taken_ns > newest)
			newest = state->samples[i].taken_ns;
	if (newest == 0 || now - newest >= NS_PER_SECOND)
		return;
	wait = NS_PER_SECOND - (now - newest);
	nanosleep(&(struct timespec){ (time_t)(wait / NS_PER_SECOND),
				      (long)(wait % NS_PER_SECOND) },
		  NULL);
}

static bool same_place(const struct sample *a, const struct sample *b)
{
	return a->pid == b->pid && strcmp(a->metric, b->metric) == 0;
}

const struct sample *state_find(const struct state *state, const struct sample *sample)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct sample *each = &state->samples[i];

		if (same_place(each, sample) &&
		    each->start_time_ticks == sample->start_time_ticks &&
		    strcmp(each->boot_id, sample->boot_id) == 0 &&
		    each->taken_ns < sample->taken_ns)
			return each;
	}
	return NULL;
}

/* Not of this boot, or of a process that nobody asks about any more. */
static bool is_stale(const struct sample *sample, const struct sample *newest)
{
	return strcmp(sample->boot_id, newest->boot_id) != 0 ||
	       sample->taken_ns > newest->taken_ns ||
	       newest->taken_ns - sample->taken_ns > SAMPLE_DAYS * NS_PER_DAY;
}

/* Of processes that come and go many are kept that ended; none of this run's goes. */
static void drop_oldest(struct state *state)
{
	struct sample *oldest = &state->samples[0];

	for (size_t i = 1; i < state->count; i++)
		if (state->samples[i].taken_ns < oldest->taken_ns)
			oldest = &state->samples[i];
	if (oldest->taken_ns < state->opened_ns)
		*oldest = state->samples[--state->count];
}

bool state_put(struct state *state, const struct sample *sample, struct ari_error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->count; i++)
		if (!same_place(&state->samples[i], sample) &&
		    !is_stale(&state->samples[i], sample))
			state->samples[kept++] = state->samples[i];
	state->count = kept;
	if (state->count == SAMPLES_MOST)
		drop_oldest(state);
	return add_sample(state, sample, err);
}

/* ---- writing ---- */

static void write_samples(FILE *out, const struct state *state)
{
	fputs(FIRST_LINE, out);
	for (size_t i = 0; i < state->count; i++) {
		const struct sample *each = &state->samples[i];

		fprintf(out, "%s %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %.17g\n",
			each->boot_id, each->pid, each->start_time_ticks, each->metric,
			each->taken_ns, each->value);
	}
}

bool state_close(struct state *state, struct ari_error *err)
{
	struct sink sink;
	bool done = sink_open_plain(&sink, state->path, err);

	if (done) {
		write_samples(sink.out, state);
		done = sink_finish(&sink, err);
	}
	state_drop(state);
	return done;
}
