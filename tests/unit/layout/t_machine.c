// SPDX-License-Identifier: Apache-2.0
#include <elf.h>

#include "layout/machine.h"
#include "unit.h"

TEST(known_machines_are_found_by_their_elf_header)
{
	ck_assert_str_eq(machine_find(EM_X86_64, ELFCLASS64)->name, "x86_64");
	ck_assert_str_eq(machine_find(EM_AARCH64, ELFCLASS64)->name, "aarch64");
}

TEST(machine_of_another_word_size_is_not_known)
{
	ck_assert_ptr_null(machine_find(EM_X86_64, ELFCLASS32)); /* x32 */
	ck_assert_ptr_null(machine_find(EM_AARCH64, ELFCLASS32));
	ck_assert_ptr_null(machine_find(EM_386, ELFCLASS32));
	ck_assert_ptr_null(machine_find(EM_NONE, ELFCLASSNONE));
	ck_assert_ptr_null(machine_find(UINT16_MAX, UINT8_MAX));
}

UNIT_MAIN("layout/machine", known_machines_are_found_by_their_elf_header,
	  machine_of_another_word_size_is_not_known)
