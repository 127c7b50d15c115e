/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arenainspect.h"
#include "target/maps.h"
#include "target/pages.h"
#include "target/rss.h"

/*
 * The memory of a target, whoever it is: a live process, a core, a test's fake.
 * It is never stopped, never written to, and no page of it is made present.
 */

/* One piece to be read. */
struct mem_range {
	uint64_t address;
	void *to;
	size_t length;
};

struct mem;

struct mem_ops {
	/* As pages_lookup(). */
	bool (*pages)(struct mem *mem, uint64_t start, size_t count, uint8_t *states,
		      struct ari_error *err);
	/* As pages_lookup_mapped(), for what *maps says is plain memory. */
	bool (*mapped_pages)(struct mem *mem, uint64_t start, size_t count,
			     uint8_t *states, struct ari_error *err);
	/* As pages_runs(). */
	bool (*runs)(struct mem *mem, uint64_t start, uint64_t end, struct page_run *runs,
		     size_t room, size_t *ret_count, uint64_t *ret_reached,
		     struct ari_error *err);
	/* As rss_count(), for spans of *mem->maps. */
	bool (*rss)(struct mem *mem, struct rss_span *spans, size_t count,
		    struct ari_error *err);
	/*
	 * Copies the ranges in order, whatever their pages' states.  *ret_done
	 * ranges are whole when it fails; err: ARI_FAULT with the first bad
	 * address, ARI_GONE, ARI_DENIED.
	 */
	bool (*copy)(struct mem *mem, const struct mem_range *ranges, size_t count,
		     size_t *ret_done, struct ari_error *err);
	/*
	 * What an absent page of a file's mapping would show, from the file.
	 * err: ARI_FAULT when that cannot be had.
	 */
	bool (*file)(struct mem *mem, const struct map *map, uint64_t address, void *to,
		     size_t length, struct ari_error *err);
	/* Brings *mem->maps up to date; what pointed into it is gone. */
	bool (*refresh)(struct mem *mem, struct ari_error *err);
};

/* The first member of every implementation. */
struct mem {
	const struct mem_ops *ops;
	struct maps *maps; /* borrowed; may be older than the memory */
	uint64_t page_bytes;
	/* pages() sets PAGE_IS_HUGE; and runs() passes what is absent at no cost. */
	bool tells_huge;
};

/*
 * All `length` bytes at address, or an error with the first bad address:
 * ARI_FAULT (not mapped, not readable), ARI_SWAPPED (in swap, where it stays),
 * ARI_GONE, ARI_DENIED.  Absent pages are read without being touched: anonymous
 * ones are zeros, those of files come from the file.
 */
bool mem_read(struct mem *mem, uint64_t address, void *to, size_t length,
	      struct ari_error *err) __attribute__((warn_unused_result));

/* One word of the target, of 8 bytes. */
bool mem_read_word(struct mem *mem, uint64_t address, uint64_t *ret,
		   struct ari_error *err) __attribute__((warn_unused_result));

/* Whether an error is about the address alone, so that others may still be read. */
bool mem_is_fault(const struct ari_error *err);

#endif
