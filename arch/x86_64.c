// SPDX-License-Identifier: Apache-2.0
#include <elf.h>

#include "arch/arch.h"

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.elf_class = ELFCLASS64,
	.word_bytes = 8,
	.malloc_alignment = 16,
	.address_bits = 57, /* five-level page tables */
	.tls_variant = 2,
	.pthread_list = 704,
	.pthread_tid = 720,
	.pthread_robust_head = 736,
	.pthread_stack = 1680,
	.prstatus_pointer = 280, /* pr_reg's fs_base */
};
