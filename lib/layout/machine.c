// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>

#include "layout/machine.h"

static const struct arch *const arches[] = {
#define ARCH(name) &arch_##name,
#include "arch/arches.def"
#undef ARCH
};

const struct arch *machine_find(uint16_t elf_machine, uint8_t elf_class)
{
	for (size_t i = 0; i < sizeof(arches) / sizeof(*arches); i++)
		if (arches[i]->elf_machine == elf_machine &&
		    arches[i]->elf_class == elf_class)
			return arches[i];
	return NULL;
}
