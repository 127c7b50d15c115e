/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_LAYOUT_H
#define LAYOUT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arenainspect.h"

/*
 * Where the members of glibc's structs sit in this process.  Nobody outside of
 * this folder asks for a release: a member is there, or it is not, and what no
 * member shows is a trait.
 */

enum layout_struct {
#define STRUCT(id, name, align) id,
#include "layout/members.def"
	LAYOUT_STRUCTS
};

enum layout_member {
	/* The rows of members.def, one id for each name of the same thing. */
	MS_MUTEX,
	MS_FLAGS,
	MS_HAVE_FASTCHUNKS,
	MS_FASTBINS,
	MS_TOP,
	MS_LAST_REMAINDER,
	MS_BINS,
	MS_BINMAP,
	MS_NEXT,
	MS_NEXT_FREE,
	MS_ATTACHED_THREADS,
	MS_SYSTEM_MEM,
	MS_MAX_SYSTEM_MEM,
	MP_TRIM_THRESHOLD,
	MP_TOP_PAD,
	MP_MMAP_THRESHOLD,
	MP_ARENA_TEST,
	MP_ARENA_MAX,
	MP_THP_MODE,
	MP_THP_PAGESIZE,
	MP_HP_PAGESIZE,
	MP_HP_FLAGS,
	MP_N_MMAPS,
	MP_N_MMAPS_MAX,
	MP_MAX_N_MMAPS,
	MP_NO_DYN_THRESHOLD,
	MP_MMAPPED_MEM,
	MP_MAX_MMAPPED_MEM,
	MP_MAX_TOTAL_MEM,
	MP_SBRK_BASE,
	MP_TCACHE_BINS,
	MP_TCACHE_MAX_BYTES,
	MP_TCACHE_COUNT,
	MP_TCACHE_UNSORTED_LIMIT,
	HI_AR_PTR,
	HI_PREV,
	HI_SIZE,
	HI_MPROTECT_SIZE,
	HI_PAGESIZE,
	MC_PREV_SIZE,
	MC_SIZE,
	MC_FD,
	MC_BK,
	MC_FD_NEXTSIZE,
	MC_BK_NEXTSIZE,
	TC_COUNTS,
	TC_NUM_SLOTS,
	TC_ENTRIES,
	LAYOUT_MEMBERS
};

/* What a release does that no member shows; trait_rows in layout.c has their spans. */
enum layout_trait {
	TRAIT_SAFE_LINKING,	 /* single links are mangled by their place */
	TRAIT_HEAP_SPAN_HUGE,	 /* heaps span 4 huge pages where those are set */
	TRAIT_MMAPPED_SHORT,	 /* an mmapped chunk's size lacks its own header */
	TRAIT_TCACHE_DUMMY,	 /* a thread without a cache points at a shared one */
	TRAIT_LIMIT_BY_AFFINITY, /* the limit of arenas counts processors by affinity */
	TRAIT_CORRUPT_FLAG,	 /* flags & 4: malloc_trim skips the arena */
	TRAIT_TUNABLES,	       /* GLIBC_TUNABLES=glibc.malloc.… are read at the start */
	TRAIT_TUNABLE_HUGETLB, /* glibc.malloc.hugetlb is one of them */
	LAYOUT_TRAITS
};

struct layout_place {
	uint32_t offset;
	uint32_t size;	/* of one element, in bytes; 0: there is no such member */
	uint32_t count; /* elements */
};

struct layout {
	const struct arch *arch;
	struct layout_place members[LAYOUT_MEMBERS];
	uint32_t bytes[LAYOUT_STRUCTS]; /* sizeof; 0: there is no such struct */
	bool traits[LAYOUT_TRAITS];
	enum ari_layout_source source;
};

/* A release of glibc: LAYOUT_RELEASE(2, 36). */
#define LAYOUT_RELEASE(major, minor)  (1000 * (major) + (minor))
#define LAYOUT_RELEASE_MAJOR(release) ((release) / 1000)
#define LAYOUT_RELEASE_MINOR(release) ((release) % 1000)

/* "2.36", or the development version "2.42.9000" as the release it becomes. */
unsigned int layout_release(const char *version);

/* What no member shows, of a release; an unknown one (0) does nothing. */
bool layout_release_does(unsigned int release, enum layout_trait trait);

/* Sets what the release does that no member shows. */
void layout_set_traits(struct layout *layout, unsigned int release);

/* No machine has larger ones. */
#define LAYOUT_HUGE_PAGE_MAX ((uint64_t)16 << 30)

/*
 * Bytes that each heap of a thread's arena reserves, which are its alignment, too.
 * huge_page_bytes: of mp_; ARI_UNKNOWN, or what cannot be one, is as if none was set.
 */
uint64_t layout_heap_span(const struct layout *layout, uint64_t huge_page_bytes);

/*
 * The largest struct that is read whole; a layout that claims a larger one is
 * not believed.
 */
#define LAYOUT_STRUCT_MAX 4096

/*
 * Is every member that all releases have there, inside its struct, and no
 * struct larger than LAYOUT_STRUCT_MAX?  Else ARI_BAD_LAYOUT, naming it.
 */
bool layout_complete(const struct layout *layout, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Names, for messages: "malloc_state", "attached_threads". */
const char *layout_struct_name(enum layout_struct id);
const char *layout_member_name(enum layout_member id);
enum layout_struct layout_struct_of(enum layout_member id);

#endif
