// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out/refuse.h"
#include "out/sink.h"
#include "out/zstd.h"

static bool io_error(const struct sink *sink, struct ari_error *err)
{
	return refuse(err, ARI_IO, "cannot write to %s: %s", sink->name,
		      errno != 0 ? strerror(errno) : "the system did not say why");
}

/*
 * A symbolic link stays one: the file behind it is the one replaced.  Devices and
 * pipes are not files to rename over.
 */
static bool resolve(struct sink *sink, struct ari_error *err)
{
	struct stat status;

	if (stat(sink->name, &status) == 0) {
		if (!S_ISREG(status.st_mode))
			return refuse(err, ARI_IO,
				      "cannot write to %s: not a regular file "
				      "(without --write the output goes to stdout)",
				      sink->name);
		sink->path = realpath(sink->name, NULL);
	} else {
		sink->path = strdup(sink->name);
	}
	return sink->path != NULL || io_error(sink, err);
}

static bool wants_packing(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && strcmp(name + length - 4, ".zst") == 0;
}

/* Puts the stream that packs in front of the file. */
static bool add_packing(struct sink *sink, struct ari_error *err)
{
	FILE *stream = zstd_stream(sink->out, err);

	if (stream == NULL)
		return false;
	sink->packed = sink->out;
	sink->out = stream;
	return true;
}

static bool open_temporary(struct sink *sink, struct ari_error *err)
{
	int fd;

	if (!resolve(sink, err))
		return false;
	if (asprintf(&sink->temporary, "%s.XXXXXX", sink->path) < 0) {
		sink->temporary = NULL;
		return refuse_memory(err);
	}
	fd = mkostemp(sink->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(sink->temporary);
		sink->temporary = NULL;
		return io_error(sink, err);
	}
	sink->out = fdopen(fd, "w");
	if (sink->out == NULL) {
		close(fd);
		return refuse_memory(err);
	}
	return true;
}

bool sink_open_plain(struct sink *ret, const char *path, struct ari_error *err)
{
	struct sink sink = { .name = path };

	if (!open_temporary(&sink, err)) {
		sink_drop(&sink);
		return false;
	}
	*ret = sink;
	return true;
}

bool sink_open(struct sink *ret, const char *path, struct ari_error *err)
{
	if (path == NULL) {
		*ret = (struct sink){ .out = stdout, .name = "standard output" };
		return true;
	}
	if (!sink_open_plain(ret, path, err))
		return false;
	if (!wants_packing(path) || add_packing(ret, err))
		return true;
	sink_drop(ret);
	return false;
}

/* The file itself, when what packs in front of it has written its last. */
static bool unwrap(struct sink *sink)
{
	FILE *stream = sink->out;

	if (sink->packed == NULL)
		return true;
	sink->out = sink->packed;
	sink->packed = NULL;
	return fclose(stream) == 0;
}

static bool settle(const struct sink *sink)
{
	int fd = fileno(sink->out);

	return sink->path == NULL ||
	       (fchmod(fd, sink->private_file ? 0600 : 0644) == 0 && fsync(fd) == 0);
}

static bool put_in_place(struct sink *sink)
{
	if (sink->path == NULL)
		return true;
	if (rename(sink->temporary, sink->path) != 0)
		return false;
	free(sink->temporary);
	sink->temporary = NULL;
	return true;
}

static bool all_written(struct sink *sink)
{
	return fflush(sink->out) == 0 && !ferror(sink->out);
}

static bool close_file(struct sink *sink)
{
	FILE *out = sink->out;

	sink->out = NULL;
	return fclose(out) == 0;
}

bool sink_finish(struct sink *sink, struct ari_error *err)
{
	bool whole;

	if (!ferror(sink->out))
		errno = 0; /* or what failed has set it */
	whole = all_written(sink) && unwrap(sink) && all_written(sink) && settle(sink) &&
		close_file(sink) && put_in_place(sink);
	if (!whole)
		io_error(sink, err);
	sink_drop(sink);
	return whole;
}

void sink_drop(struct sink *sink)
{
	if (sink->out != NULL)
		fclose(sink->out);
	if (sink->packed != NULL)
		fclose(sink->packed);
	if (sink->temporary != NULL)
		unlink(sink->temporary);
	free(sink->temporary);
	free(sink->path);
	*sink = (struct sink){ .name = sink->name };
}
