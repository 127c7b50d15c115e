// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "layout/dwarf.h"
#include "unit.h"

/*
 * This program's own debug information is read: structs of glibc's names, odd on
 * purpose, and the compiler says where their members are.
 */
typedef unsigned long word;
typedef const volatile word held_word;
typedef word words[7];

struct malloc_state {
	int mutex;
	unsigned char flags;
	struct {
		int a, b, c;
	} have_fastchunks; /* no number */
	void *fastbinsY[10];
	held_word top;
	struct malloc_state *const last_remainder;
	words bins;
	const unsigned int binmap[4];
	word not_one_of_ours;
	struct {
		int a, b, c;
	} next; /* no number */
	_Atomic word attached_threads;
	long double system_mem; /* wider than any */
};

typedef struct _heap_info {
	struct malloc_state *ar_ptr;
	struct _heap_info *prev;
	size_t size;
} heap_info;

struct malloc_par; /* is declared only */

static struct malloc_state state;
static heap_info heap;
static const struct malloc_par *par;

static void use(const volatile void *at)
{
	__asm__ volatile("" : : "r"(at) : "memory");
}

/* False, and says so, where the program was built without debug information. */
static bool read_own(struct layout *ret)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);

	use(&state);
	use(&heap);
	use(&par);
	*ret = (struct layout){ .arch = &arch_x86_64 };
	if (dwarf != NULL) {
		dwarf_fill_layout(dwarf, NULL, ret);
		dwarf_end(dwarf);
	}
	close(fd);
	if (dwarf == NULL)
		puts("SKIP layout/dwarf: this program has no debug information");
	return dwarf != NULL;
}

static void expect_place(const struct layout *layout, enum layout_member member,
			 size_t offset, size_t size, size_t count)
{
	const struct layout_place *place = &layout->members[member];

	ck_assert_uint_eq(place->offset, offset);
	ck_assert_uint_eq(place->size, size);
	ck_assert_uint_eq(place->count, count);
}

#define EXPECT(layout, id, member, size, count) \
	expect_place(layout, id, offsetof(struct malloc_state, member), size, count)

TEST(members_are_where_the_compiler_put_them)
{
	struct layout layout;

	if (!read_own(&layout))
		return;
	ck_assert_uint_eq(layout.bytes[MALLOC_STATE], sizeof(struct malloc_state));
	EXPECT(&layout, MS_MUTEX, mutex, sizeof(int), 1);
	EXPECT(&layout, MS_FLAGS, flags, 1, 1);
	EXPECT(&layout, MS_LAST_REMAINDER, last_remainder, sizeof(void *), 1);
}

TEST(qualifiers_and_typedefs_are_looked_through)
{
	struct layout layout;

	if (!read_own(&layout))
		return;
	EXPECT(&layout, MS_TOP, top, sizeof(word), 1);
	EXPECT(&layout, MS_ATTACHED_THREADS, attached_threads, sizeof(word), 1);
}

TEST(arrays_have_a_count_and_the_size_of_an_element)
{
	struct layout layout;

	if (!read_own(&layout))
		return;
	EXPECT(&layout, MS_FASTBINS, fastbinsY, sizeof(void *), 10);
	EXPECT(&layout, MS_BINS, bins, sizeof(word), 7);
	EXPECT(&layout, MS_BINMAP, binmap, sizeof(unsigned int), 4);
}

TEST(member_that_is_no_number_is_absent)
{
	struct layout layout;

	if (!read_own(&layout))
		return;
	ck_assert_uint_eq(layout.members[MS_HAVE_FASTCHUNKS].size, 0);
	ck_assert_uint_eq(layout.members[MS_NEXT].size, 0);
	ck_assert_uint_eq(layout.members[MS_SYSTEM_MEM].size, 0);
	ck_assert_uint_eq(layout.members[MS_MAX_SYSTEM_MEM].size, 0);
}

TEST(struct_behind_a_typedef_is_found)
{
	struct layout layout;

	if (!read_own(&layout))
		return;
	ck_assert_uint_eq(layout.bytes[HEAP_INFO], sizeof(heap_info));
	expect_place(&layout, HI_PREV, offsetof(heap_info, prev), sizeof(void *), 1);
	expect_place(&layout, HI_SIZE, offsetof(heap_info, size), sizeof(size_t), 1);
	ck_assert_uint_eq(layout.members[HI_MPROTECT_SIZE].size, 0);
}

TEST(struct_that_is_only_declared_is_absent)
{
	struct layout layout;

	if (!read_own(&layout))
		return;
	ck_assert_uint_eq(layout.bytes[MALLOC_PAR], 0);
	ck_assert_uint_eq(layout.bytes[TCACHE], 0);
}

UNIT_MAIN("layout/dwarf", members_are_where_the_compiler_put_them,
	  qualifiers_and_typedefs_are_looked_through,
	  arrays_have_a_count_and_the_size_of_an_element,
	  member_that_is_no_number_is_absent, struct_behind_a_typedef_is_found,
	  struct_that_is_only_declared_is_absent)
