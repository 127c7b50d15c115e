/* SPDX-License-Identifier: Apache-2.0 */
/*
 * damaged KIND INFO_XML TRUTH_JSON
 *
 * Five arenas behind main_arena, of five threads: the newest one's has ended, one has
 * three heaps.  All rest, the truth is told, and only then one arena is damaged, by
 * plain writes to malloc's own structures.  Says "victim N", its index in the ring,
 * and then "ready".
 *
 * malloc must not be called from the damage on.
 */
#include "truth.h"

#include <gnu/libc-version.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

enum {
	THREADS = 5,
	HOARDER = 2, /* of the threads: the one with three heaps */
	HEAPS = 3,
	SMALL = 1200,
	LARGE = 1500, /* of the hoarder, in two heaps and a bit */
	VICTIM = 3,   /* index of the hoarder's arena: newest first behind main_arena */
	ENDED = 1,    /* index of the arena whose thread has ended */
	PAGE = 4096,
};

struct filler {
	struct truth_thread truth;
	char *small[SMALL];
	uint64_t heaps[HEAPS], heap_count;
};

static struct filler fillers[THREADS], main_filler;
static char *large[LARGE];
static atomic_int parked;
static long page_bytes;

/* ---- building ---- */

static char *small_block(int i)
{
	size_t bytes =
		24 + (size_t)i * 80 % 1520; /* more of a size than a tcache takes */

	return memset(target_block(bytes), 'x', bytes);
}

/* Leaves members in fastbins, the unsorted bin, small and large bins. */
static void fill(struct filler *filler)
{
	char **small = filler->small;

	for (int i = 0; i < SMALL; i++)
		small[i] = small_block(i);
	for (int i = 0; filler == &fillers[HOARDER] && i < LARGE; i += 3)
		free(large[i]);
	for (int i = 0; i < SMALL; i += 4)
		free(small[i]);
	target_block(60000); /* sorts what is unsorted */
	for (int i = 2; i < SMALL; i += 4)
		free(small[i]);
	filler->truth.arena = target_arena_of(small[1]);
}

/* Blocks below the mmap threshold, hardly any of whose pages is touched.  The first one
 * of each heap stays, or the heap would be unmapped. */
static void hoard(struct filler *filler)
{
	int n = 0;

	while (filler->heap_count < HEAPS) {
		char *block = target_block(100000);
		uint64_t heap = (uint64_t)block & ~(HEAP_SPAN - 1);

		if (n == LARGE || target_arena_of(block) == 0)
			target_fail("an arena of several heaps");
		if (filler->heap_count == 0 ||
		    filler->heaps[filler->heap_count - 1] != heap)
			filler->heaps[filler->heap_count++] = heap;
		else
			large[n++] = block;
	}
}

static void *work(void *arg)
{
	struct filler *filler = arg;

	filler->truth.tid = target_tid();
	if (filler == &fillers[HOARDER])
		hoard(filler);
	fill(filler);
	atomic_fetch_add(&parked, 1);
	if (filler == &fillers[THREADS - 1])
		return NULL;
	for (;;)
		pause();
}

static void start_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&thread, NULL, work, &fillers[i]) != 0)
			target_fail("pthread_create");
		while (atomic_load(&parked) <= i)
			usleep(1000);
	}
	if (pthread_join(thread, NULL) != 0)
		target_fail("pthread_join");
}

/* ---- where things are ---- */

static volatile uint64_t *at(uint64_t address)
{
	return (volatile uint64_t *)address;
}

static uint64_t hoarders_arena(void)
{
	return fillers[HOARDER].truth.arena;
}

static uint64_t newest_heap(void)
{
	return fillers[HOARDER].heaps[HEAPS - 1];
}

static uint64_t middle_heap(void)
{
	return fillers[HOARDER].heaps[1];
}

static uint64_t oldest_heap(void)
{
	return fillers[HOARDER].heaps[0];
}

/* Where bins begin in malloc_state: before 2.27, to 2.42, since 2.43.  The last bin is
 * always empty, and then names itself. */
static uint64_t bins_of(uint64_t arena)
{
	static const uint64_t offsets[] = { 104, 112, 24 };

	for (int i = 0; i < 3; i++) {
		uint64_t last = arena + offsets[i] + UINT64_C(126) * 16;

		if (*at(last) == last - 16 && *at(last + 8) == last - 16)
			return arena + offsets[i];
	}
	target_fail("finding the bins");
	return 0;
}

enum member { TOP, NEXT, NEXT_FREE, ATTACHED, SYSTEM };

static volatile uint64_t *member_of(uint64_t arena, enum member member)
{
	static const int from_bins[] = { -16, 2048, 2056, 2064, 2072 };

	return at(bins_of(arena) + (uint64_t)(int64_t)from_bins[member]);
}

/* main_arena follows the oldest arena in the ring. */
static uint64_t main_arena(void)
{
	return *member_of(fillers[0].truth.arena, NEXT);
}

enum { HEAP_AR_PTR, HEAP_PREV, HEAP_SIZE, HEAP_MPROTECT_SIZE };

static volatile uint64_t *heap_word(uint64_t heap, int word)
{
	return at(heap) + word;
}

static volatile uint64_t *size_of_block(const char *block)
{
	return at((uint64_t)block - 8);
}

/* A block in use in the midst of the small ones. */
static char *used_block(const struct filler *filler)
{
	return filler->small[SMALL / 2 + 1];
}

static volatile uint64_t *used_size(void)
{
	return size_of_block(used_block(&fillers[HOARDER]));
}

/* ---- lists ---- */

static bool safe_linking(void)
{
	const char *version = gnu_get_libc_version(); /* "2.36" */

	return atoi(version) > 2 || atoi(version + 2) >= 32;
}

static uint64_t masked(uint64_t place, uint64_t link)
{
	return safe_linking() ? place >> 12 ^ link : link;
}

/* The heads of the fastbins; a release without them has nothing to damage. */
static volatile uint64_t *fastbins(void)
{
	uint64_t bins = bins_of(hoarders_arena());

	if (bins - hoarders_arena() == 24) {
		target_print(1, "absent\nready\n");
		pause();
	}
	return at(bins - 16 - 80);
}

/* The fastbin that has two members at least. */
static volatile uint64_t *fastbin(int skip)
{
	volatile uint64_t *heads = fastbins();

	for (int i = 0; i < 10; i++) {
		uint64_t first = heads[i];

		if (first != 0 && masked(first + 16, *at(first + 16)) != 0 && skip-- == 0)
			return &heads[i];
	}
	target_fail("finding a fastbin with members");
	return NULL;
}

static void link_fast(uint64_t chunk, uint64_t to)
{
	*at(chunk + 16) = masked(chunk + 16, to);
}

/* The head's fd of the skip-th bin of [from, to) with two members or more. */
static volatile uint64_t *bin_between(int from, int to, int skip)
{
	uint64_t bins = bins_of(hoarders_arena());

	for (int i = from; i < to; i++) {
		uint64_t head = bins + (uint64_t)(i - 1) * 16 - 16;
		uint64_t first = *at(head + 16);

		if (first != head && *at(first + 16) != head && skip-- == 0)
			return at(head + 16);
	}
	target_fail("finding a bin with members");
	return NULL;
}

static uint64_t unsorted_chunk(void)
{
	return *bin_between(1, 2, 0);
}

/* ---- kinds of damage ---- */

#define WILD UINT64_C(0x123456789ab0) /* where nothing is mapped */

static void fastbin_loops(void)
{
	link_fast(*fastbin(0), *fastbin(0));
}

static void fastbin_wild(void)
{
	link_fast(*fastbin(0), WILD);
}

static void fastbin_misaligned(void)
{
	link_fast(*fastbin(0), *fastbin(0) + 8);
}

static void fastbin_head_wild(void)
{
	*fastbin(0) = WILD;
}

static void fastbins_crossed(void)
{
	*fastbin(0) = *fastbin(1);
}

static void unsorted_loops(void)
{
	*at(unsorted_chunk() + 16) = unsorted_chunk();
}

static void unsorted_wild(void)
{
	*at(unsorted_chunk() + 16) = WILD;
}

static void unsorted_misaligned(void)
{
	*at(unsorted_chunk() + 16) += 8;
}

static void unsorted_head_wild(void)
{
	*bin_between(1, 2, 0) = WILD;
}

static void small_bin_loops(void)
{
	uint64_t first = *bin_between(2, 64, 0);

	*at(first + 16) = first;
}

static void large_bin_loops(void)
{
	uint64_t first = *bin_between(64, 127, 0);

	*at(first + 16) = first;
	*at(first + 32) = first;
}

static void bins_crossed(void)
{
	volatile uint64_t *one = bin_between(2, 64, 0), *other = bin_between(2, 64, 1);
	uint64_t first = *one;

	*one = *other;
	*other = first;
}

static void chunk_zero(void)
{
	*used_size() = 0;
}

static void chunk_sixteen(void)
{
	*used_size() = 16 | 5;
}

static void chunk_huge(void)
{
	*used_size() = UINT64_C(0x7ffffffffff0) | 5;
}

static void chunk_all_ones(void)
{
	*used_size() = UINT64_MAX;
}

static void chunk_overruns(void)
{
	uint64_t heap = newest_heap(), chunk = (uint64_t)used_size() - 8;

	*used_size() = (heap + *heap_word(heap, HEAP_SIZE) - chunk + 32) | 5;
}

static void chunk_mmapped(void)
{
	*used_size() |= 2;
}

static void chunk_misaligned(void)
{
	*used_size() |= 8;
}

/* Its end is in the next chunk's bytes, which are 'x'. */
static void chunk_longer(void)
{
	*used_size() += 16;
}

/* Lost, the walk asks the bins, which loop too. */
static void chunk_zero_bins_loop(void)
{
	chunk_zero();
	small_bin_loops();
	large_bin_loops();
}

static void noise(uint64_t address)
{
	uint64_t random = 88172645463325252;

	address -= address % (uint64_t)page_bytes;
	for (long i = 0; i < page_bytes / 8; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		at(address)[i] = random;
	}
}

static void noise_in_heap(void)
{
	noise((uint64_t)used_size());
}

/* Sizes that chunks could have, all of them wrong. */
static void plausible_noise(void)
{
	uint64_t page =
		(uint64_t)used_size() / (uint64_t)page_bytes * (uint64_t)page_bytes;

	for (long i = 0; i < page_bytes / 16; i++)
		at(page)[2 * i + 1] = (uint64_t)(32 + i % 5 * 16) | 5;
}

static void heap_of_other(void)
{
	*heap_word(middle_heap(), HEAP_AR_PTR) = fillers[0].truth.arena;
}

static void heaps_loop(void)
{
	*heap_word(oldest_heap(), HEAP_PREV) = newest_heap();
}

static void heap_prev_wild(void)
{
	*heap_word(middle_heap(), HEAP_PREV) = UINT64_C(0x123400000000);
}

static void heap_prev_misaligned(void)
{
	*heap_word(middle_heap(), HEAP_PREV) += 16;
}

static void heap_size_huge(void)
{
	*heap_word(middle_heap(), HEAP_SIZE) = UINT64_C(1) << 60;
	*heap_word(middle_heap(), HEAP_MPROTECT_SIZE) = UINT64_C(1) << 60;
}

static void heap_size_above_mprotect(void)
{
	*heap_word(newest_heap(), HEAP_SIZE) =
		*heap_word(newest_heap(), HEAP_MPROTECT_SIZE) + PAGE;
}

static void heap_size_zero(void)
{
	*heap_word(newest_heap(), HEAP_SIZE) = 0;
}

static void top_wild(void)
{
	*member_of(hoarders_arena(), TOP) = WILD;
}

static void top_misaligned(void)
{
	*member_of(hoarders_arena(), TOP) += 8;
}

static void top_of_other(void)
{
	*member_of(hoarders_arena(), TOP) = *member_of(fillers[0].truth.arena, TOP);
}

static void top_size(uint64_t size)
{
	*at(*member_of(hoarders_arena(), TOP) + 8) = size;
}

static void top_size_huge(void)
{
	top_size((UINT64_C(1) << 40) | 1);
}

static void top_size_zero(void)
{
	top_size(0);
}

static void system_huge(void)
{
	*member_of(hoarders_arena(), SYSTEM) = UINT64_C(1) << 62;
}

static void attached_huge(void)
{
	*member_of(hoarders_arena(), ATTACHED) = UINT64_C(1) << 40;
}

static void protect(uint64_t address)
{
	address -= address % (uint64_t)page_bytes;
	if (mprotect((void *)address, (size_t)page_bytes, PROT_NONE) != 0)
		target_fail("mprotect");
}

static void page_none(void)
{
	protect((uint64_t)used_size());
}

static void unmap_heap(uint64_t heap)
{
	if (munmap((void *)heap, HEAP_SPAN) != 0)
		target_fail("munmap");
}

static void heap_unmapped(void)
{
	unmap_heap(middle_heap());
}

static void newest_heap_unmapped(void)
{
	unmap_heap(newest_heap());
}

/* What is left of it is less than its header says. */
static void heap_cut_short(void)
{
	if (munmap((void *)(middle_heap() + (HEAP_SPAN >> 1)), HEAP_SPAN >> 1) != 0)
		target_fail("munmap");
}

static void ring_loops(void)
{
	*member_of(hoarders_arena(), NEXT) = hoarders_arena();
}

static void ring_back(void)
{
	*member_of(hoarders_arena(), NEXT) = *member_of(main_arena(), NEXT);
}

static void ring_wild(void)
{
	*member_of(hoarders_arena(), NEXT) = WILD;
}

static void ring_misaligned(void)
{
	*member_of(hoarders_arena(), NEXT) += 8;
}

static void ring_into_a_heap(void)
{
	*member_of(hoarders_arena(), NEXT) = newest_heap() + PAGE;
}

static void main_system_huge(void)
{
	*member_of(main_arena(), SYSTEM) = UINT64_C(1) << 62;
}

static void main_unreadable(void)
{
	protect(main_arena());
}

static void main_top_wild(void)
{
	*member_of(main_arena(), TOP) = WILD;
}

static void main_chunk_zero(void)
{
	*size_of_block(used_block(&main_filler)) = 0;
}

static void main_noise(void)
{
	noise((uint64_t)used_block(&main_filler));
}

static void free_list_loops(void)
{
	uint64_t ended = fillers[THREADS - 1].truth.arena;

	*member_of(ended, NEXT_FREE) = ended;
}

static void free_list_wild(void)
{
	*member_of(fillers[THREADS - 1].truth.arena, NEXT_FREE) = WILD;
}

/* ---- odd, but no damage ---- */

/* Memory within main's that malloc got nothing of. */
static void foreign_sbrk(void)
{
	enum { FOREIGN = 64 << 10 };
	char *foreign = sbrk(FOREIGN);

	if (foreign == (void *)-1)
		target_fail("sbrk");
	memset(foreign, 'f', FOREIGN / 2);
	/* Until main has gone on behind it: where huge pages are, top may be large. */
	for (int i = 0, behind = 0; i < 200 && behind < 5; i++)
		behind += (char *)target_block(60000) > foreign;
}

/* brk cannot grow any more: main goes on in pieces that mmap gives. */
static void block_brk(void)
{
	void *behind = (void *)(((uint64_t)sbrk(0) + (uint64_t)page_bytes - 1) &
				-(uint64_t)page_bytes);

	if (mmap(behind, (size_t)page_bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != behind)
		target_fail("mmap behind brk");
}

static void grow(void)
{
	for (int i = 0; i < 60; i++)
		target_block(60000);
}

static void grow_in_pieces(void)
{
	block_brk();
	grow();
}

/* ---- the table ---- */

static const struct kind {
	const char *name;
	int victim;
	void (*first)(void);  /* before anything is allocated */
	void (*early)(void);  /* while main is alone */
	void (*damage)(void); /* after the truth was told */
} kinds[] = {
	{ "none", VICTIM, NULL, NULL, NULL },
	{ "fastbin-loops", VICTIM, NULL, NULL, fastbin_loops },
	{ "fastbin-wild", VICTIM, NULL, NULL, fastbin_wild },
	{ "fastbin-misaligned", VICTIM, NULL, NULL, fastbin_misaligned },
	{ "fastbin-head-wild", VICTIM, NULL, NULL, fastbin_head_wild },
	{ "fastbins-crossed", VICTIM, NULL, NULL, fastbins_crossed },
	{ "unsorted-loops", VICTIM, NULL, NULL, unsorted_loops },
	{ "unsorted-wild", VICTIM, NULL, NULL, unsorted_wild },
	{ "unsorted-misaligned", VICTIM, NULL, NULL, unsorted_misaligned },
	{ "unsorted-head-wild", VICTIM, NULL, NULL, unsorted_head_wild },
	{ "small-bin-loops", VICTIM, NULL, NULL, small_bin_loops },
	{ "large-bin-loops", VICTIM, NULL, NULL, large_bin_loops },
	{ "bins-crossed", VICTIM, NULL, NULL, bins_crossed },
	{ "chunk-zero", VICTIM, NULL, NULL, chunk_zero },
	{ "chunk-sixteen", VICTIM, NULL, NULL, chunk_sixteen },
	{ "chunk-huge", VICTIM, NULL, NULL, chunk_huge },
	{ "chunk-all-ones", VICTIM, NULL, NULL, chunk_all_ones },
	{ "chunk-overruns", VICTIM, NULL, NULL, chunk_overruns },
	{ "chunk-mmapped", VICTIM, NULL, NULL, chunk_mmapped },
	{ "chunk-misaligned", VICTIM, NULL, NULL, chunk_misaligned },
	{ "chunk-longer", VICTIM, NULL, NULL, chunk_longer },
	{ "chunk-zero-bins-loop", VICTIM, NULL, NULL, chunk_zero_bins_loop },
	{ "noise", VICTIM, NULL, NULL, noise_in_heap },
	{ "plausible-noise", VICTIM, NULL, NULL, plausible_noise },
	{ "heap-of-other", VICTIM, NULL, NULL, heap_of_other },
	{ "heaps-loop", VICTIM, NULL, NULL, heaps_loop },
	{ "heap-prev-wild", VICTIM, NULL, NULL, heap_prev_wild },
	{ "heap-prev-misaligned", VICTIM, NULL, NULL, heap_prev_misaligned },
	{ "heap-size-huge", VICTIM, NULL, NULL, heap_size_huge },
	{ "heap-size-above-mprotect", VICTIM, NULL, NULL, heap_size_above_mprotect },
	{ "heap-size-zero", VICTIM, NULL, NULL, heap_size_zero },
	{ "heap-unmapped", VICTIM, NULL, NULL, heap_unmapped },
	{ "heap-cut-short", VICTIM, NULL, NULL, heap_cut_short },
	{ "newest-heap-unmapped", VICTIM, NULL, NULL, newest_heap_unmapped },
	{ "page-none", VICTIM, NULL, NULL, page_none },
	{ "top-wild", VICTIM, NULL, NULL, top_wild },
	{ "top-misaligned", VICTIM, NULL, NULL, top_misaligned },
	{ "top-of-other", VICTIM, NULL, NULL, top_of_other },
	{ "top-size-huge", VICTIM, NULL, NULL, top_size_huge },
	{ "top-size-zero", VICTIM, NULL, NULL, top_size_zero },
	{ "system-huge", VICTIM, NULL, NULL, system_huge },
	{ "attached-huge", VICTIM, NULL, NULL, attached_huge },
	{ "ring-loops", VICTIM, NULL, NULL, ring_loops },
	{ "ring-back", VICTIM, NULL, NULL, ring_back },
	{ "ring-wild", VICTIM, NULL, NULL, ring_wild },
	{ "ring-misaligned", VICTIM, NULL, NULL, ring_misaligned },
	{ "ring-into-a-heap", VICTIM, NULL, NULL, ring_into_a_heap },
	{ "main-system-huge", 0, NULL, NULL, main_system_huge },
	{ "main-unreadable", 0, NULL, NULL, main_unreadable },
	{ "main-top-wild", 0, NULL, NULL, main_top_wild },
	{ "main-chunk-zero", 0, NULL, NULL, main_chunk_zero },
	{ "main-noise", 0, NULL, NULL, main_noise },
	{ "free-list-loops", 0, NULL, NULL, free_list_loops },
	{ "free-list-wild", 0, NULL, NULL, free_list_wild },
	{ "foreign-sbrk", 0, NULL, foreign_sbrk, NULL },
	{ "main-pieces", 0, NULL, grow_in_pieces, NULL },
	{ "main-never-brk", 0, block_brk, grow, NULL },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	target_fail("no such kind");
	return NULL;
}

int main(int argc, char **argv)
{
	static struct truth_thread alive[THREADS];
	const struct kind *kind;
	char said[] = "victim 0\n";

	if (argc != 4)
		target_fail("usage: damaged KIND INFO_XML TRUTH_JSON");
	page_bytes = sysconf(_SC_PAGESIZE);
	kind = find_kind(argv[1]);
	if (kind->first != NULL)
		kind->first();
	truth_open(argv[2], argv[3]);
	main_filler.truth.tid = target_tid();
	fill(&main_filler);
	if (kind->early != NULL)
		kind->early();
	start_threads();
	alive[0] = main_filler.truth;
	for (int i = 1; i < THREADS; i++)
		alive[i] = fillers[i - 1].truth;
	truth_tell(alive, THREADS, 0);
	if (kind->damage != NULL)
		kind->damage();
	said[7] += (char)kind->victim;
	target_print(1, said);
	target_rest();
}
