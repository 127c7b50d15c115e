// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "layout/code.h"
#include "layout/symtab.h"

#define CODE_MAX 8192

struct code {
	uint8_t bytes[CODE_MAX];
	size_t length;
	uint64_t address; /* in the process */
	uint64_t *references;
	size_t count;
};

static void refer(struct code *code, uint64_t address)
{
	for (size_t i = 0; i < code->count; i++)
		if (code->references[i] == address)
			return;
	if (code->count < CODE_REFERENCES_MAX)
		code->references[code->count++] = address;
}

/* lea r64, [rip + disp32]: REX.W 8d, mod 00, r/m 101. */
static void scan_x86_64(struct code *code)
{
	for (size_t i = 0; i + 7 <= code->length; i++) {
		const uint8_t *at = code->bytes + i;
		int32_t displacement;

		if ((at[0] != 0x48 && at[0] != 0x4c) || at[1] != 0x8d ||
		    (at[2] & 0xc7) != 0x05)
			continue;
		memcpy(&displacement, at + 3, sizeof(displacement));
		refer(code, code->address + i + 7 + (uint64_t)(int64_t)displacement);
	}
}

/* adrp xN, page; then, not far behind, add xM, xN, #low. */
static void scan_aarch64(struct code *code)
{
	uint64_t pages[32] = { 0 };

	for (size_t i = 0; i + 4 <= code->length; i += 4) {
		uint64_t at = code->address + i;
		uint32_t word;

		memcpy(&word, code->bytes + i, sizeof(word));
		if ((word & 0x9f000000u) == 0x90000000u) {
			int64_t pages_away = (int64_t)((word >> 5 & 0x7ffffu) << 2 |
						       (word >> 29 & 3u));

			pages_away = (int64_t)((uint64_t)pages_away << 43) >> 43;
			pages[word & 31] =
				(at & ~(uint64_t)0xfff) + (uint64_t)pages_away * 4096;
		} else if ((word & 0xffc00000u) == 0x91000000u &&
			   pages[word >> 5 & 31] != 0) {
			refer(code, pages[word >> 5 & 31] + (word >> 10 & 0xfff));
		}
	}
}

size_t code_references(const struct image *image, const char *function,
		       uint64_t references[CODE_REFERENCES_MAX])
{
	struct code code = { .references = references };
	uint64_t bytes, offset;
	ssize_t got;

	if (!symtab_exported(image, function, &code.address, &bytes) ||
	    !image_offset(image, code.address, &offset))
		return 0;
	got = pread(image->fd, code.bytes, bytes < CODE_MAX ? bytes : CODE_MAX,
		    (off_t)offset);
	code.length = got < 0 ? 0 : (size_t)got;
	if (image->arch->elf_machine == EM_AARCH64)
		scan_aarch64(&code);
	else
		scan_x86_64(&code);
	return code.count;
}
