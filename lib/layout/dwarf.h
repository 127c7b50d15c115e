/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_DWARF_H
#define LAYOUT_DWARF_H

#include <elfutils/libdw.h>

#include "layout/layout.h"

/*
 * Fills in what DWARF says of the structs of members.def.  `unit` is the
 * compilation unit to look in first (malloc's), or NULL; the others are searched
 * only for structs that it does not have.  What is not found stays absent.
 */
void dwarf_fill_layout(Dwarf *dwarf, Dwarf_Die *unit, struct layout *layout);

#endif
