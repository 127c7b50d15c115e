// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/error.h"
#include "snapshot/input.h"

#define WINDOW_BYTES (64u << 10)

/* Frames that need more memory than 1 << 25 bytes were not made by us, nor by `zstd`. */
#define WINDOW_LOG_MOST 25

static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

static bool bad(const struct input *input, const char *why, struct ari_error *err)
{
	return fail(err, ARI_IO, "cannot read %s: %s", input->name, why);
}

/* The file's own bytes; *ret 0 at its end. */
static bool read_file(const struct input *input, char *to, size_t room, size_t *ret,
		      struct ari_error *err)
{
	ssize_t got;

	do
		got = read(input->fd, to, room);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return bad(input, strerror(errno), err);
	*ret = (size_t)got;
	return true;
}

/* Leaves packed_count 0 at the end of the file. */
static bool refill_packed(struct input *input, struct ari_error *err)
{
	if (input->packed_at < input->packed_count)
		return true;
	input->packed_at = 0;
	return read_file(input, input->packed, WINDOW_BYTES, &input->packed_count, err);
}

static bool unpack(struct input *input, ZSTD_outBuffer *out, struct ari_error *err)
{
	ZSTD_inBuffer in = { input->packed, input->packed_count, input->packed_at };
	size_t left = ZSTD_decompressStream(input->zstd, out, &in);

	if (ZSTD_isError(left))
		return bad(input, ZSTD_getErrorName(left), err);
	input->packed_at = in.pos;
	input->frame_open = left != 0;
	return true;
}

/* Unpacked bytes; *ret 0 at the end. */
static bool read_packed(struct input *input, char *to, size_t room, size_t *ret,
			struct ari_error *err)
{
	ZSTD_outBuffer out = { to, room, 0 };

	while (out.pos == 0) {
		if (!refill_packed(input, err))
			return false;
		if (input->packed_count == 0 && !input->frame_open)
			break;
		if (!unpack(input, &out, err))
			return false;
		if (input->packed_count == 0 && out.pos == 0)
			return bad(input, "it is cut: what zstd packed does not end",
				   err);
	}
	*ret = out.pos;
	return true;
}

static bool read_text(struct input *input, char *to, size_t room, size_t *ret,
		      struct ari_error *err)
{
	return input->zstd != NULL ? read_packed(input, to, room, ret, err)
				   : read_file(input, to, room, ret, err);
}

/* How many bytes at the end of the text are a character's beginning, by its lead byte. */
static size_t unfinished(const char *text, size_t count)
{
	static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };

	for (size_t n = 1; n <= 3 && n <= count; n++) {
		unsigned char byte = (unsigned char)text[count - n];

		if ((byte & 0xc0) == 0x80)
			continue; /* its lead is before it */
		return byte >= leads[n] ? n : 0;
	}
	return 0;
}

static bool check_text(const struct input *input, const char *from, size_t count,
		       struct ari_error *err)
{
	if (memchr(from, '\0', count) != NULL)
		return bad(input, "not a snapshot: there is a NUL in it", err);
	if (input->passed + input->held + count > INPUT_MOST)
		return bad(input, "more than 1 GiB of text is no snapshot", err);
	return true;
}

bool input_more(struct input *input, struct ari_error *err)
{
	size_t got = 0;

	input->passed += input->count;
	memmove(input->text, input->text + input->count, input->held);
	input->at = input->count = 0;
	while (!input->ended && got == 0) {
		char *to = input->text + input->held;

		if (!read_text(input, to, WINDOW_BYTES - input->held, &got, err) ||
		    !check_text(input, to, got, err))
			return false;
		input->ended = got == 0;
		got += input->held;
		input->held = input->ended ? 0 : unfinished(input->text, got);
		got -= input->held;
	}
	input->count = got;
	return true;
}

/* Looks at what the file begins with, which is then in `text` or in `packed`. */
static bool tell_kind(struct input *input, struct ari_error *err)
{
	size_t got = 0, more = 1;

	while (got < sizeof(zstd_magic) && more > 0) {
		if (!read_file(input, input->packed + got, sizeof(zstd_magic) - got,
			       &more, err))
			return false;
		got += more;
	}
	if (got >= sizeof(zstd_magic) &&
	    memcmp(input->packed, zstd_magic, sizeof(zstd_magic)) == 0) {
		input->packed_count = got;
		input->zstd = ZSTD_createDCtx();
		if (input->zstd == NULL)
			return fail_memory(err);
		ZSTD_DCtx_setParameter(input->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MOST);
		return true;
	}
	if (!check_text(input, input->packed, got, err))
		return false;
	memcpy(input->text, input->packed, got);
	input->held = got;
	return true;
}

bool input_open(struct input *ret, const char *file, struct ari_error *err)
{
	struct input input = { .name = file };

	input.fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (input.fd < 0)
		return fail(err, ARI_IO, "cannot open %s: %s", file, strerror(errno));
	input.packed = malloc(WINDOW_BYTES);
	input.text = malloc(WINDOW_BYTES);
	if (input.packed == NULL || input.text == NULL) {
		input_close(&input);
		return fail_memory(err);
	}
	if (!tell_kind(&input, err)) {
		input_close(&input);
		return false;
	}
	*ret = input;
	return true;
}

void input_close(struct input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	ZSTD_freeDCtx(input->zstd);
	free(input->packed);
	free(input->text);
	*input = (struct input){ .fd = -1 };
}
