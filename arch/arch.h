/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdint.h>

/*
 * What differs between the machines whose processes we read: numbers only.
 * Sources: the psABI supplements for ELF and TLS, glibc's sysdeps for the
 * place of struct pthread and malloc's alignment.
 */
struct arch {
	const char *name;	  /* as `uname -m` prints it */
	uint16_t elf_machine;	  /* e_machine */
	uint8_t elf_class;	  /* e_ident[EI_CLASS] */
	uint8_t word_bytes;	  /* sizeof(size_t) and of a pointer */
	uint8_t malloc_alignment; /* MALLOC_ALIGNMENT */
	/* Bits of a pointer that address memory; the rest may be a tag. */
	uint8_t address_bits;
	/*
	 * Where TLS sits: on variant II (x86) below the thread pointer, which
	 * is the address of struct pthread; on variant I (ARM) above it, and
	 * struct pthread ends at the thread pointer.
	 */
	uint8_t tls_variant;
	/*
	 * In struct pthread: its node in nptl's lists, the thread's id, and what
	 * get_robust_list gives.
	 */
	uint16_t pthread_list;
	uint16_t pthread_tid;
	uint16_t pthread_robust_head;
	/* And where its stack is: stackblock, stackblock_size, guardsize. */
	uint16_t pthread_stack;
	/* The thread pointer in a core's NT_PRSTATUS; 0: a note of its own has it. */
	uint16_t prstatus_pointer;
};

#define ARCH(name) extern const struct arch arch_##name;
#include "arch/arches.def"
#undef ARCH

#endif
