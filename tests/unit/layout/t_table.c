// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "layout/table.h"
#include "unit.h"

#define V(major, minor) LAYOUT_RELEASE(major, minor)
#define ABSENT		UINT32_MAX
#define KINDS		6

/* Both machines that are known have the same layouts. */
static const struct arch *const machines[] = { &arch_x86_64, &arch_aarch64 };

/*
 * Where compilers put the members, as debug information of real builds and
 * compiled copies of the structs have it, for the releases that a column begins with.
 */
struct expected_struct {
	enum layout_struct in;
	unsigned int since[KINDS]; /* 0: no more columns */
	uint32_t bytes[KINDS];
};

struct expected_member {
	enum layout_member id;
	uint32_t size, count;
	uint32_t offset[KINDS];
};

struct expected {
	struct expected_struct type;
	struct expected_member members[24];
	size_t count;
};

#define _ ABSENT

// clang-format off
static const struct expected state = {
	{ MALLOC_STATE, { V(2, 17), V(2, 23), V(2, 27), V(2, 43) }, { 2184, 2192, 2200, 2112 } }, {
	{ MS_MUTEX,            4, 1,   {    0,    0,    0,    0 } },
	{ MS_FLAGS,            4, 1,   {    4,    4,    4,    4 } },
	{ MS_HAVE_FASTCHUNKS,  4, 1,   {    _,    _,    8,    _ } },
	{ MS_FASTBINS,         8, 10,  {    8,    8,   16,    _ } },
	{ MS_TOP,              8, 1,   {   88,   88,   96,    8 } },
	{ MS_LAST_REMAINDER,   8, 1,   {   96,   96,  104,   16 } },
	{ MS_BINS,             8, 254, {  104,  104,  112,   24 } },
	{ MS_BINMAP,           4, 4,   { 2136, 2136, 2144, 2056 } },
	{ MS_NEXT,             8, 1,   { 2152, 2152, 2160, 2072 } },
	{ MS_NEXT_FREE,        8, 1,   { 2160, 2160, 2168, 2080 } },
	{ MS_ATTACHED_THREADS, 8, 1,   {    _, 2168, 2176, 2088 } },
	{ MS_SYSTEM_MEM,       8, 1,   { 2168, 2176, 2184, 2096 } },
	{ MS_MAX_SYSTEM_MEM,   8, 1,   { 2176, 2184, 2192, 2104 } } }, 13
};

static const struct expected par = {
	{ MALLOC_PAR, { V(2, 17), V(2, 24), V(2, 26), V(2, 35), V(2, 43) }, { 88, 80, 112, 136, 144 } }, {
	{ MP_TRIM_THRESHOLD,        8, 1, {  0,  0,   0,   0,   0 } },
	{ MP_TOP_PAD,               8, 1, {  8,  8,   8,   8,   8 } },
	{ MP_MMAP_THRESHOLD,        8, 1, { 16, 16,  16,  16,  16 } },
	{ MP_ARENA_TEST,            8, 1, { 24, 24,  24,  24,  24 } },
	{ MP_ARENA_MAX,             8, 1, { 32, 32,  32,  32,  32 } },
	{ MP_THP_MODE,              4, 1, {  _,  _,   _,   _,  40 } },
	{ MP_THP_PAGESIZE,          8, 1, {  _,  _,   _,  40,  48 } },
	{ MP_HP_PAGESIZE,           8, 1, {  _,  _,   _,  48,  56 } },
	{ MP_HP_FLAGS,              4, 1, {  _,  _,   _,  56,  64 } },
	{ MP_N_MMAPS,               4, 1, { 40, 40,  40,  60,  68 } },
	{ MP_N_MMAPS_MAX,           4, 1, { 44, 44,  44,  64,  72 } },
	{ MP_MAX_N_MMAPS,           4, 1, { 48, 48,  48,  68,  76 } },
	{ MP_NO_DYN_THRESHOLD,      4, 1, { 52, 52,  52,  72,  80 } },
	{ MP_MMAPPED_MEM,           8, 1, { 56, 56,  56,  80,  88 } },
	{ MP_MAX_MMAPPED_MEM,       8, 1, { 64, 64,  64,  88,  96 } },
	{ MP_MAX_TOTAL_MEM,         8, 1, { 72,  _,   _,   _,   _ } },
	{ MP_SBRK_BASE,             8, 1, { 80, 72,  72,  96, 104 } },
	{ MP_TCACHE_BINS,           8, 1, {  _,  _,  80, 104, 112 } },
	{ MP_TCACHE_MAX_BYTES,      8, 1, {  _,  _,  88, 112, 120 } },
	{ MP_TCACHE_COUNT,          8, 1, {  _,  _,  96, 120, 128 } },
	{ MP_TCACHE_UNSORTED_LIMIT, 8, 1, {  _,  _, 104, 128, 136 } } }, 21
};

static const struct expected heap = {
	{ HEAP_INFO, { V(2, 17), V(2, 35) }, { 32, 48 } }, {
	{ HI_AR_PTR,        8, 1, {  0,  0 } },
	{ HI_PREV,          8, 1, {  8,  8 } },
	{ HI_SIZE,          8, 1, { 16, 16 } },
	{ HI_MPROTECT_SIZE, 8, 1, { 24, 24 } },
	{ HI_PAGESIZE,      8, 1, {  _, 32 } } }, 5
};

static const struct expected chunk = {
	{ MALLOC_CHUNK, { V(2, 17) }, { 48 } }, {
	{ MC_PREV_SIZE,   8, 1, {  0 } },
	{ MC_SIZE,        8, 1, {  8 } },
	{ MC_FD,          8, 1, { 16 } },
	{ MC_BK,          8, 1, { 24 } },
	{ MC_FD_NEXTSIZE, 8, 1, { 32 } },
	{ MC_BK_NEXTSIZE, 8, 1, { 40 } } }, 6
};

/* The caches of threads changed the width of a counter, which is in no column above. */
static const struct expected tcache_bytes = {
	{ TCACHE, { V(2, 26), V(2, 30) }, { 576, 640 } }, {
	{ TC_ENTRIES,   8, 64, { 64, 128 } },
	{ TC_NUM_SLOTS, 2, 76, {  _,   _ } } }, 2
};

static const struct expected tcache_slots = {
	{ TCACHE, { V(2, 42) }, { 760 } }, {
	{ TC_COUNTS,    2, 64, {   _ } },
	{ TC_NUM_SLOTS, 2, 76, {   0 } },
	{ TC_ENTRIES,   8, 76, { 152 } } }, 3
};
// clang-format on

#undef _

static void expect_member(const struct layout *layout, unsigned int release,
			  const struct expected_member *member, uint32_t offset)
{
	const struct layout_place *place = &layout->members[member->id];
	bool is_there = offset != ABSENT;

	if (place->offset != (is_there ? offset : 0) ||
	    place->size != (is_there ? member->size : 0) ||
	    place->count != (is_there ? member->count : 0))
		ck_abort_msg("%s of release %u: offset %u, %u of %u bytes",
			     layout_member_name(member->id), release, place->offset,
			     place->count, place->size);
}

static void expect(const struct expected *expected, unsigned int release, int column)
{
	const struct expected_struct *type = &expected->type;

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		struct layout layout;

		table_layout(machines[i], release, &layout);
		ck_assert_ptr_eq(layout.arch, machines[i]);
		ck_assert_int_eq(layout.source, ARI_LAYOUT_TABLE);
		ck_assert_msg(layout.bytes[type->in] == type->bytes[column],
			      "%s of release %u has %u bytes",
			      layout_struct_name(type->in), release,
			      layout.bytes[type->in]);
		for (size_t n = 0; n < expected->count; n++)
			expect_member(&layout, release, &expected->members[n],
				      expected->members[n].offset[column]);
	}
}

/* Every release from a column's first to the next one's. */
static void expect_all(const struct expected *expected, unsigned int until)
{
	const unsigned int *since = expected->type.since;

	for (int column = 0; column < KINDS && since[column] != 0; column++) {
		bool last = column + 1 == KINDS || since[column + 1] == 0;
		unsigned int end = last ? until : since[column + 1];

		for (unsigned int release = since[column]; release < end; release++)
			expect(expected, release, column);
	}
}

TEST(malloc_state_is_where_compilers_put_it)
{
	expect_all(&state, V(2, 50));
}

TEST(malloc_par_is_where_compilers_put_it)
{
	expect_all(&par, V(2, 50));
}

TEST(heap_info_is_where_compilers_put_it)
{
	expect_all(&heap, V(2, 50));
}

TEST(chunk_is_where_compilers_put_it)
{
	expect_all(&chunk, V(2, 50));
}

TEST(tcache_is_where_compilers_put_it)
{
	expect_all(&tcache_bytes, V(2, 42));
	expect_all(&tcache_slots, V(2, 50));
}

TEST(counters_of_a_tcache_are_one_byte_wide_before_2_30)
{
	struct layout layout;

	table_layout(&arch_x86_64, V(2, 29), &layout);
	ck_assert_uint_eq(layout.members[TC_COUNTS].size, 1);
	table_layout(&arch_x86_64, V(2, 30), &layout);
	ck_assert_uint_eq(layout.members[TC_COUNTS].size, 2);
	ck_assert_uint_eq(layout.members[TC_COUNTS].count, 64);
}

TEST(there_is_no_tcache_before_2_26)
{
	struct layout layout;

	table_layout(&arch_x86_64, V(2, 25), &layout);
	ck_assert_uint_eq(layout.bytes[TCACHE], 0);
	for (int id = TC_COUNTS; id <= TC_ENTRIES; id++)
		ck_assert_uint_eq(layout.members[id].size, 0);
}

TEST(releases_at_which_something_changes_are_listed_once_and_in_order)
{
	static const unsigned int expected[] = { V(2, 17), V(2, 23), V(2, 24), V(2, 25),
						 V(2, 26), V(2, 27), V(2, 30), V(2, 35),
						 V(2, 42), V(2, 43) };
	unsigned int releases[TABLE_RELEASES_MAX];
	size_t count = table_releases(releases, TABLE_RELEASES_MAX);

	ck_assert_uint_lt(count, TABLE_RELEASES_MAX);
	ck_assert_uint_eq(releases[0], V(2, 17));
	for (size_t i = 1; i < count; i++)
		ck_assert_uint_lt(releases[i - 1], releases[i]);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		size_t n = 0;

		while (n < count && releases[n] != expected[i])
			n++;
		ck_assert_msg(n < count, "%u is not listed", expected[i]);
	}
}

TEST(structs_are_alike_when_every_member_is)
{
	struct layout a, b;

	table_layout(&arch_x86_64, V(2, 35), &a);
	table_layout(&arch_x86_64, V(2, 41), &b);
	for (int in = 0; in < LAYOUT_STRUCTS; in++)
		ck_assert(layout_same_struct(&a, &b, (enum layout_struct)in));
	b.members[MS_NEXT].offset += 8;
	ck_assert(!layout_same_struct(&a, &b, MALLOC_STATE));
	ck_assert(layout_same_struct(&a, &b, MALLOC_PAR));
	b.bytes[HEAP_INFO] += 16;
	ck_assert(!layout_same_struct(&a, &b, HEAP_INFO));
	b.members[TC_COUNTS].count++;
	ck_assert(!layout_same_struct(&a, &b, TCACHE));
}

UNIT_MAIN("layout/table", malloc_state_is_where_compilers_put_it,
	  malloc_par_is_where_compilers_put_it, heap_info_is_where_compilers_put_it,
	  chunk_is_where_compilers_put_it, tcache_is_where_compilers_put_it,
	  counters_of_a_tcache_are_one_byte_wide_before_2_30,
	  there_is_no_tcache_before_2_26,
	  releases_at_which_something_changes_are_listed_once_and_in_order,
	  structs_are_alike_when_every_member_is)
