/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_VIEW_H
#define MEM_VIEW_H

#include "layout/layout.h"
#include "mem/mem.h"

/*
 * One struct of the target, fetched once: what was decided on a member stays
 * true, though the process goes on.
 */
struct view {
	const struct layout *layout;
	enum layout_struct type;
	uint64_t address;
	uint8_t bytes[LAYOUT_STRUCT_MAX];
};

/* Reads the struct at address whole; err as mem_read(). */
bool view_load(struct view *ret, struct mem *mem, const struct layout *layout,
	       enum layout_struct type, uint64_t address, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Whether this process's struct has the member. */
static inline bool view_has(const struct view *view, enum layout_member member)
{
	return view->layout->members[member].size != 0;
}

/*
 * Element `index` of a member, unsigned; ARI_UNKNOWN when the member, or that
 * element, is not there.
 */
uint64_t view_at(const struct view *view, enum layout_member member, size_t index);

/* The member, or its first element. */
static inline uint64_t view_word(const struct view *view, enum layout_member member)
{
	return view_at(view, member, 0);
}

/* The target's address of element `index`. */
uint64_t view_address(const struct view *view, enum layout_member member, size_t index);

#endif
