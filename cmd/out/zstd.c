// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "out/refuse.h"
#include "out/zstd.h"

struct packer {
	FILE *file;
	ZSTD_CCtx *zstd;
	char room[64u << 10];
};

/* Packs what is in `in`; with ZSTD_e_end to the last byte. */
static bool pack(struct packer *packer, ZSTD_inBuffer *in, ZSTD_EndDirective how)
{
	size_t left = 1;

	while (in->pos < in->size || (how == ZSTD_e_end && left > 0)) {
		ZSTD_outBuffer out = { packer->room, sizeof(packer->room), 0 };

		left = ZSTD_compressStream2(packer->zstd, &out, in, how);
		if (ZSTD_isError(left)) {
			errno = ENOMEM; /* nothing else can go wrong with it */
			return false;
		}
		if (fwrite(packer->room, 1, out.pos, packer->file) != out.pos)
			return false;
	}
	return true;
}

static ssize_t packer_write(void *cookie, const char *text, size_t count)
{
	ZSTD_inBuffer in = { text, count, 0 };

	return pack(cookie, &in, ZSTD_e_continue) ? (ssize_t)count : 0;
}

static void packer_free(struct packer *packer)
{
	ZSTD_freeCCtx(packer->zstd);
	free(packer);
}

static int packer_close(void *cookie)
{
	ZSTD_inBuffer in = { NULL, 0, 0 };
	bool whole = pack(cookie, &in, ZSTD_e_end);
	int error = errno;

	packer_free(cookie);
	errno = error;
	return whole ? 0 : EOF;
}

FILE *zstd_stream(FILE *file, struct ari_error *err)
{
	static const cookie_io_functions_t functions = { .write = packer_write,
							 .close = packer_close };
	struct packer *packer = calloc(1, sizeof(*packer));
	FILE *stream = NULL;

	if (packer != NULL) {
		packer->file = file;
		packer->zstd = ZSTD_createCCtx();
		if (packer->zstd != NULL)
			stream = fopencookie(packer, "w", functions);
		if (stream == NULL) {
			packer_free(packer);
			packer = NULL;
		}
	}
	if (packer == NULL) {
		refuse_memory(err);
		return NULL;
	}
	/* A file that rots is found out. */
	ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
	return stream;
}
