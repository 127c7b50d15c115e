/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "arenainspect.h"

/*
 * Growable arrays.  A list type is declared with ARI_LIST(T) (the public
 * header's) and starts zeroed; `at` is one allocation, freed by list_free().
 *
 * Grows *list by one zeroed element of `size` bytes and returns it, or NULL
 * with ARI_NO_MEMORY in *err.  Pointers to earlier elements become invalid.
 */
void *list_grow(struct ari_list *list, size_t size, struct ari_error *err);
void list_free(struct ari_list *list);

/* The typed forms; `list` points at an ARI_LIST(T). */
#define list_add(list, err) \
	((__typeof__((list)->at))list_grow(&(list)->raw, sizeof(*(list)->at), (err)))
#define list_done(list) list_free(&(list)->raw)

/*
 * Index of the last element with key <= `key` in an array of `count` elements
 * of `size` bytes, sorted by a uint64_t at `offset`; -1 when there is none.
 */
ptrdiff_t list_floor(const void *at, size_t count, size_t size, size_t offset,
		     uint64_t key);

#endif
