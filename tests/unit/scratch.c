// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

void scratch_open(struct scratch *scratch)
{
	snprintf(scratch->path, sizeof(scratch->path), "/tmp/arenainspect-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch->path));
	scratch->dir = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(scratch->dir, 0);
}

static int remove_one(const char *path, const struct stat *file, int type,
		      struct FTW *ftw)
{
	(void)file;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_close(struct scratch *scratch)
{
	close(scratch->dir);
	ck_assert_int_eq(nftw(scratch->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void scratch_file(struct scratch *scratch, const char *name, const void *bytes,
		  size_t length)
{
	const char *slash = strchr(name, '/');
	char folder[NAME_MAX + 1];
	int fd;

	if (slash != NULL) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
		mkdirat(scratch->dir, folder, 0700);
	}
	fd = openat(scratch->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

void scratch_text(struct scratch *scratch, const char *name, const char *text)
{
	scratch_file(scratch, name, text, strlen(text));
}
