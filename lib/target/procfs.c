// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "target/procfs.h"

#define FILE_MAX ((size_t)4 << 20)

bool procfs_fail(struct ari_error *err, int error, const char *name)
{
	switch (error) {
	case ESRCH:
	case ENOENT:
		return fail(err, ARI_GONE, "the process went away");
	case EACCES:
	case EPERM:
		return fail(err, ARI_DENIED, "cannot read %s: %s", name, strerror(error));
	default:
		return fail(err, ARI_IO, "cannot read %s: %s", name, strerror(error));
	}
}

int procfs_open_process(pid_t pid)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/%d", (int)pid);
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool procfs_open(int dir, const char *name, int *ret, struct ari_error *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return procfs_fail(err, errno, name);
	*ret = fd;
	return true;
}

bool procfs_stream(int dir, const char *name, FILE **ret, struct ari_error *err)
{
	int fd = -1;

	if (!procfs_open(dir, name, &fd, err))
		return false;
	*ret = fdopen(fd, "r");
	if (*ret != NULL)
		return true;
	close(fd); // cppcheck-suppress doubleFree ; fdopen() did not take it
	return fail_memory(err);
}

/* Reads to the end into *text, which grows; false leaves errno. */
static bool read_all(int fd, char **text, size_t *length)
{
	size_t room = 4096, used = 0;
	char *at = malloc(room);

	for (;;) {
		ssize_t got = at == NULL ? -1 : read(fd, at + used, room - used - 1);

		if (got < 0 && at != NULL && errno == EINTR)
			continue;
		if (got <= 0) {
			*text = at;
			*length = used;
			if (at != NULL)
				at[used] = '\0';
			return got == 0;
		}
		used += (size_t)got;
		if (room - used < 2) {
			char *more = room < FILE_MAX ? realloc(at, room * 2) : NULL;

			if (more == NULL) {
				free(at);
				at = NULL;
				errno = EFBIG;
				continue;
			}
			at = more;
			room *= 2;
		}
	}
}

bool procfs_read(int dir, const char *name, char **ret, size_t *ret_length,
		 struct ari_error *err)
{
	autoclose int fd = -1;
	char *text = NULL;
	size_t length = 0;

	if (!procfs_open(dir, name, &fd, err))
		return false;
	if (!read_all(fd, &text, &length)) {
		int error = errno;

		free(text);
		return procfs_fail(err, error, name);
	}
	*ret = text;
	if (ret_length != NULL)
		*ret_length = length;
	return true;
}

bool procfs_link(int dir, const char *name, char **ret, struct ari_error *err)
{
	char path[PATH_MAX];
	ssize_t length = readlinkat(dir, name, path, sizeof(path) - 1);

	if (length < 0)
		return procfs_fail(err, errno, name);
	path[length] = '\0';
	*ret = strdup(path);
	return *ret != NULL || fail_memory(err);
}

void procfs_chomp(char *text)
{
	size_t length = strlen(text);

	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
}

const char *procfs_line(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0)
			return line + length;
	}
	return NULL;
}

uint64_t procfs_number(const char *text, const char *key, int base)
{
	const char *at = procfs_line(text, key);
	char *end;
	unsigned long long number;

	if (at == NULL)
		return ARI_UNKNOWN;
	errno = 0;
	number = strtoull(at, &end, base);
	return end == at || errno != 0 ? ARI_UNKNOWN : number;
}

uint64_t procfs_kb(const char *text, const char *key)
{
	uint64_t kb = procfs_number(text, key, 10);

	return kb > UINT64_MAX / 1024 ? ARI_UNKNOWN : kb * 1024;
}
