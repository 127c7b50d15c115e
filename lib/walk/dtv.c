// SPDX-License-Identifier: Apache-2.0
/* Where the thread pointers are, and the blocks of thread-local variables. */
#include "base/error.h"
#include "base/list.h"
#include "walk/dtv.h"

#define BLOCKS	      64 /* modules with thread-local variables, looked at */
#define FAR_MAX	      ((uint64_t)1 << 30) /* static blocks are not that far away */
#define DTV_MAX	      65536		  /* its capacity, in modules */
#define ASKED	      32		  /* threads, for the size of struct pthread */
#define PTHREAD_LEAST 1024		  /* sizeof, of any release */
#define PTHREAD_MOST  4096
#define BEHIND	      65536 /* the first block lies so near to the pointer */

/* dtv_t: two words each; [-1] has the capacity, [0] counts the changes. */
enum { DTV_BYTES = 16, DTV_AT_HEAD = 8 };

/* The dtv of a thread; its length in modules, 0: what is there is none. */
static bool read_dtv(struct walk *walk, uint64_t pointer, uint64_t *ret_dtv,
		     size_t *ret_count, struct ari_error *err)
{
	uint64_t at = pointer, words[3]; /* capacity, its second word, changes */

	*ret_count = 0;
	if (walk->layout->arch->tls_variant == 2)
		at += DTV_AT_HEAD;
	if (!mem_read_word(walk->mem, at, ret_dtv, err))
		return mem_is_fault(err);
	if (*ret_dtv % 8 != 0 || *ret_dtv < DTV_BYTES)
		return true;
	if (!mem_read(walk->mem, *ret_dtv - DTV_BYTES, words, sizeof(words), err))
		return mem_is_fault(err);
	if (words[0] >= 1 && words[0] <= DTV_MAX && words[2] <= UINT32_MAX)
		*ret_count = words[0] < BLOCKS ? (size_t)words[0] : BLOCKS;
	return true;
}

/* Is there a block at a distance that a static one can have from the pointer? */
static bool is_static(const struct arch *arch, uint64_t pointer, uint64_t block)
{
	return arch->tls_variant == 2 ? block < pointer && pointer - block < FAR_MAX
				      : block > pointer && block - pointer < FAR_MAX;
}

bool dtv_blocks(struct walk *walk, uint64_t pointer, struct blocks *blocks,
		struct ari_error *err)
{
	uint64_t dtv, entries[2 * BLOCKS];
	size_t count;

	if (!read_dtv(walk, pointer, &dtv, &count, err))
		return false;
	if (count == 0)
		return true;
	if (!mem_read(walk->mem, dtv + DTV_BYTES, entries, count * DTV_BYTES, err))
		return mem_is_fault(err);
	for (size_t i = 0; i < count; i++) {
		int64_t *slot;

		if (!is_static(walk->layout->arch, pointer, entries[2 * i]))
			continue;
		slot = list_add(&blocks->list, err);
		if (slot == NULL)
			return false;
		*slot = (int64_t)(entries[2 * i] - pointer);
	}
	return true;
}

/* ---- the thread pointer ---- */

/* Is there a dtv, of which the first block lies right behind the pointer? */
static bool is_pointer(struct walk *walk, uint64_t pointer, bool *ret,
		       struct ari_error *err)
{
	uint64_t dtv, first;
	size_t count;

	*ret = false;
	if (!read_dtv(walk, pointer, &dtv, &count, err))
		return false;
	if (count == 0)
		return true;
	if (!mem_read_word(walk->mem, dtv + DTV_BYTES, &first, err))
		return mem_is_fault(err);
	*ret = first > pointer && first - pointer < BEHIND;
	return true;
}

/*
 * Variant I: it lies where struct pthread ends, whose size is another one in many
 * releases, and the same for all threads.
 */
static bool find_pointer(struct walk *walk, uint64_t pthread, uint64_t *ret_size,
			 struct ari_error *err)
{
	bool is = false;

	*ret_size = 0;
	for (uint64_t size = PTHREAD_LEAST; size <= PTHREAD_MOST; size += 16) {
		if (!deadline_ok(walk->deadline, err) ||
		    !is_pointer(walk, pthread + size, &is, err))
			return false;
		if (is) {
			*ret_size = size;
			return true;
		}
	}
	return true;
}

/* By the first of some threads that tells. */
static bool measure_pthread(struct walk *walk, uint64_t *ret_size, struct ari_error *err)
{
	size_t asked = 0;

	*ret_size = 0;
	for (size_t i = 0; i < walk->threads.count && asked < ASKED; i++) {
		if (walk->threads.at[i].pthread == 0)
			continue;
		asked++;
		if (!find_pointer(walk, walk->threads.at[i].pthread, ret_size, err))
			return false;
		if (*ret_size != 0)
			return true;
	}
	return true;
}

bool dtv_pointers(struct walk *walk, uint64_t *pointers, struct ari_error *err)
{
	uint64_t size = 0;

	if (walk->layout->arch->tls_variant == 1 && !measure_pthread(walk, &size, err))
		return false;
	if (walk->layout->arch->tls_variant == 1 && size == 0)
		return true;
	for (size_t i = 0; i < walk->threads.count; i++)
		if (walk->threads.at[i].pthread != 0)
			pointers[i] = walk->threads.at[i].pthread + size;
	return true;
}
