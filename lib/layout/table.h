/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_TABLE_H
#define LAYOUT_TABLE_H

#include "layout/layout.h"

/*
 * The layout of a release by members.def: its members in order, each placed by
 * the C rules of the machine.  A release newer than the table has the newest
 * known layout, until its DWARF says otherwise.
 */
void table_layout(const struct arch *arch, unsigned int release, struct layout *ret);

/*
 * The releases at which some layout changes, in order, from the oldest that is
 * supported (2.17); at most `room` of them.  Returns how many.
 */
size_t table_releases(unsigned int *releases, size_t room);

/* At most this many; more is a bug of the table. */
#define TABLE_RELEASES_MAX 32

/* Whether two layouts place the members of a struct alike. */
bool layout_same_struct(const struct layout *a, const struct layout *b,
			enum layout_struct id);

#endif
