/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_CORE_NOTES_H
#define MEM_CORE_NOTES_H

#include <gelf.h>

#include "mem/core.h"

/* The notes of a core that are read, all together, at most: a hostile one repeats. */
#define NOTES_MAX ((size_t)64 << 20)

/*
 * Takes what the notes of one PT_NOTE header tell: the process, its threads, its
 * auxv, and which files its mappings are of.  *left of NOTES_MAX bytes are still
 * read, and go down.  What is no note is passed; err: ARI_NO_MEMORY.
 */
bool core_take_notes(struct core *core, Elf *elf, const GElf_Phdr *phdr, size_t *left,
		     struct ari_error *err) __attribute__((warn_unused_result));

#endif
