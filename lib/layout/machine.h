/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_MACHINE_H
#define LAYOUT_MACHINE_H

#include "arch/arch.h"

/* The machine with this e_machine and ELF class, or NULL when it is not known. */
const struct arch *machine_find(uint16_t elf_machine, uint8_t elf_class);

#endif
