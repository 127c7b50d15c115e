// SPDX-License-Identifier: Apache-2.0
#include <elf.h>

#include "arch/arch.h"

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.elf_machine = EM_AARCH64,
	.elf_class = ELFCLASS64,
	.word_bytes = 8,
	.malloc_alignment = 16,
	.address_bits = 52, /* LVA; the top byte may hold an MTE tag */
	.tls_variant = 1,
	.pthread_list = 192,
	.pthread_tid = 208,
	.pthread_robust_head = 224,
	.pthread_stack = 1168,
};
