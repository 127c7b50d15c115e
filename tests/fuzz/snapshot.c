// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "arenainspect.h"
#include "fuzz.h"
#include "snapshot/random.h"

enum { SEEDS = 8 };

static bool read_bytes(const void *bytes, size_t count, struct ari_model **ret)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);
	struct ari_error err = { .code = ARI_OK };
	char path[64];
	bool done;

	FUZZ_MUST(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	done = ari_model_read(path, ret, &err);
	FUZZ_MUST(done || (err.code == ARI_IO && err.message[0] != '\0'));
	close(fd);
	return done;
}

/* Takes the model; for free(). */
static char *written(struct ari_model *model, size_t *ret)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret);
	struct ari_error err;

	FUZZ_MUST(out != NULL && ari_model_write(model, out, &err));
	fclose(out);
	ari_model_free(model);
	return text;
}

/* Whatever is taken comes back as it was taken. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct ari_model *model, *again;
	size_t length, again_length;
	char *text, *again_text;

	if (!read_bytes(bytes, count, &model))
		return 0;
	text = written(model, &length);
	FUZZ_MUST(read_bytes(text, length, &again));
	again_text = written(again, &again_length);
	FUZZ_MUST(length == again_length && memcmp(text, again_text, length) == 0);
	free(text);
	free(again_text);
	return 0;
}

static uint8_t *packed(char *text, size_t length, size_t *ret)
{
	size_t room = ZSTD_compressBound(length);
	uint8_t *bytes = malloc(room);

	FUZZ_MUST(bytes != NULL);
	*ret = ZSTD_compress(bytes, room, text, length, 3);
	free(text);
	return bytes;
}

/* A short one, then random ones, one of them packed. */
uint8_t *fuzz_seed(uint64_t n, size_t *ret)
{
	static const char small[] =
		"{\"schema\": \"arenainspect/1\", \"taken\": {\"begun\": "
		"\"2023-11-14T22:13:20.5Z\"}, \"process\": {\"pid\": 1, \"cgroup\": "
		"{\"cpu_quota\": 1.5}}, \"arenas\": [{\"address\": \"0x7f00\", \"idle\": "
		"true, \"bins\": [{\"kind\": \"fast\"}], \"damage\": [{\"id\": \"x\"}]}], "
		"\"findings\": [{\"id\": \"A\", \"evidence\": {\"b\": 2}}], \"stopped\": "
		"{\"reason\": \"unstable\", \"message\": \"\\u00e4\"}}";
	size_t length;
	char *text;

	if (n == SEEDS)
		return NULL;
	if (n == 0) {
		*ret = sizeof(small) - 1;
		return (uint8_t *)strdup(small);
	}
	text = written(random_model(n), &length);
	if (n == 1)
		return packed(text, length, ret);
	*ret = length;
	return (uint8_t *)text;
}
