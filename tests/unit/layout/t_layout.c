// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "layout/layout.h"
#include "unit.h"
#include "world.h"

TEST(release_is_read_from_its_version)
{
	ck_assert_uint_eq(layout_release("2.17"), LAYOUT_RELEASE(2, 17));
	ck_assert_uint_eq(layout_release("2.36"), LAYOUT_RELEASE(2, 36));
	ck_assert_uint_eq(layout_release("2.36.1"), LAYOUT_RELEASE(2, 36));
	ck_assert_uint_eq(layout_release("2.36-9+deb12u4"), LAYOUT_RELEASE(2, 36));
	ck_assert_uint_eq(layout_release("2.5"), LAYOUT_RELEASE(2, 5));
}

TEST(development_version_is_the_release_it_becomes)
{
	ck_assert_uint_eq(layout_release("2.42.9000"), LAYOUT_RELEASE(2, 43));
	ck_assert_uint_eq(layout_release("2.42.9001"), LAYOUT_RELEASE(2, 43));
	ck_assert_uint_eq(layout_release("2.42.90"), LAYOUT_RELEASE(2, 42));
}

TEST(junk_is_no_release_that_was_ever_made)
{
	static const char *const junk[] = { "",	 "2",	"glibc", "v2.36",
					    ".", ".36", "two.36" };

	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++)
		ck_assert_msg(layout_release(junk[i]) < LAYOUT_RELEASE(2, 0), "\"%s\"",
			      junk[i]);
}

static const unsigned int releases[] = {
	LAYOUT_RELEASE(2, 17), LAYOUT_RELEASE(2, 23), LAYOUT_RELEASE(2, 26),
	LAYOUT_RELEASE(2, 30), LAYOUT_RELEASE(2, 36), LAYOUT_RELEASE(2, 42),
	LAYOUT_RELEASE(2, 43),
};

TEST(layout_of_every_release_is_complete)
{
	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
		struct layout layout;
		struct ari_error err;

		world_layout(&layout, releases[i]);
		ck_works(layout_complete(&layout, &err), &err);
	}
}

TEST(member_that_every_release_has_must_be_there)
{
	static const enum layout_member needed[] = { MS_MUTEX,	MS_TOP,	       MS_BINS,
						     MS_NEXT,	MS_SYSTEM_MEM, MP_N_MMAPS,
						     HI_AR_PTR, MC_SIZE };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		struct layout layout;
		struct ari_error err;

		world_layout(&layout, LAYOUT_RELEASE(2, 36));
		layout.members[needed[i]].size = 0;
		ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
		ck_assert_msg(strstr(err.message, layout_member_name(needed[i])) != NULL,
			      "%s", err.message);
	}
}

TEST(member_that_some_releases_lack_may_be_missing)
{
	static const enum layout_member optional[] = { MS_HAVE_FASTCHUNKS,  MS_FASTBINS,
						       MS_ATTACHED_THREADS, HI_PAGESIZE,
						       MP_HP_PAGESIZE,	    TC_ENTRIES };
	struct layout layout;
	struct ari_error err;

	world_layout(&layout, LAYOUT_RELEASE(2, 36));
	for (size_t i = 0; i < sizeof(optional) / sizeof(*optional); i++)
		layout.members[optional[i]].size = 0;
	ck_works(layout_complete(&layout, &err), &err);
}

TEST(member_outside_of_its_struct_is_refused)
{
	struct layout layout;
	struct ari_error err;

	world_layout(&layout, LAYOUT_RELEASE(2, 36));
	layout.members[MS_TOP].offset = layout.bytes[MALLOC_STATE] - 7;
	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
	ck_assert_ptr_nonnull(strstr(err.message, "top"));
	layout.members[MS_TOP].offset = UINT32_MAX;
	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
	layout.members[MS_TOP].offset = layout.bytes[MALLOC_STATE] - 8;
	ck_works(layout_complete(&layout, &err), &err);
}

TEST(array_that_ends_outside_of_its_struct_is_refused)
{
	struct layout layout;
	struct ari_error err;

	world_layout(&layout, LAYOUT_RELEASE(2, 36));
	layout.members[MS_BINS].count = 300;
	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
	layout.members[MS_BINS].count = UINT32_MAX;
	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
}

/* As debug information of whoever wrote it may have it. */
TEST(array_without_elements_is_refused)
{
	struct layout layout;
	struct ari_error err;

	world_layout(&layout, LAYOUT_RELEASE(2, 36));
	layout.members[TC_ENTRIES].count = 0;
	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
}

TEST(struct_that_is_too_large_to_be_read_is_refused)
{
	struct layout layout;
	struct ari_error err;

	world_layout(&layout, LAYOUT_RELEASE(2, 36));
	layout.bytes[HEAP_INFO] = LAYOUT_STRUCT_MAX;
	ck_works(layout_complete(&layout, &err), &err);
	layout.bytes[HEAP_INFO] = LAYOUT_STRUCT_MAX + 1;
	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
	ck_assert_ptr_nonnull(strstr(err.message, "heap_info"));
}

TEST(empty_layout_is_refused)
{
	struct layout layout = { .arch = &arch_x86_64 };
	struct ari_error err;

	ck_fails(layout_complete(&layout, &err), &err, ARI_BAD_LAYOUT);
}

/* Facts of the releases, sections B, F and I of glibc's sources. */
static const struct trait_span {
	enum layout_trait trait;
	unsigned int first, last; /* minor releases that have it */
} spans[] = {
	{ TRAIT_SAFE_LINKING, 32, 99 },	 { TRAIT_HEAP_SPAN_HUGE, 35, 41 },
	{ TRAIT_MMAPPED_SHORT, 43, 99 }, { TRAIT_TCACHE_DUMMY, 43, 99 },
	{ TRAIT_CORRUPT_FLAG, 22, 26 },	 { TRAIT_LIMIT_BY_AFFINITY, 35, 38 },
	{ TRAIT_TUNABLES, 26, 99 },	 { TRAIT_TUNABLE_HUGETLB, 35, 99 },
};

TEST(trait_can_be_asked_of_a_release_alone)
{
	ck_assert(!layout_release_does(LAYOUT_RELEASE(2, 25), TRAIT_TUNABLES));
	ck_assert(layout_release_does(LAYOUT_RELEASE(2, 26), TRAIT_TUNABLES));
	ck_assert(!layout_release_does(LAYOUT_RELEASE(2, 34), TRAIT_TUNABLE_HUGETLB));
	ck_assert(layout_release_does(LAYOUT_RELEASE(2, 43), TRAIT_TUNABLE_HUGETLB));
	ck_assert(!layout_release_does(LAYOUT_RELEASE(2, 43), TRAIT_CORRUPT_FLAG));
	for (int trait = 0; trait < LAYOUT_TRAITS; trait++)
		ck_assert(!layout_release_does(0, (enum layout_trait)trait));
}

TEST(traits_are_those_of_the_release)
{
	ck_assert_uint_eq(sizeof(spans) / sizeof(*spans), LAYOUT_TRAITS);
	for (unsigned int minor = 17; minor <= 50; minor++) {
		struct layout layout = { 0 };

		layout_set_traits(&layout, LAYOUT_RELEASE(2, minor));
		for (size_t i = 0; i < LAYOUT_TRAITS; i++)
			ck_assert_msg(layout.traits[spans[i].trait] ==
					      (spans[i].first <= minor &&
					       minor <= spans[i].last),
				      "trait %d in 2.%u", (int)spans[i].trait, minor);
	}
}

TEST(names_are_those_of_glibc)
{
	ck_assert_str_eq(layout_struct_name(HEAP_INFO), "_heap_info");
	ck_assert_str_eq(layout_member_name(MS_ATTACHED_THREADS), "attached_threads");
	ck_assert_str_eq(layout_member_name(MC_SIZE), "mchunk_size");
	ck_assert_int_eq(layout_struct_of(MS_TOP), MALLOC_STATE);
	ck_assert_int_eq(layout_struct_of(TC_ENTRIES), TCACHE);
}

UNIT_MAIN("layout/layout", release_is_read_from_its_version,
	  development_version_is_the_release_it_becomes,
	  junk_is_no_release_that_was_ever_made, layout_of_every_release_is_complete,
	  member_that_every_release_has_must_be_there,
	  member_that_some_releases_lack_may_be_missing,
	  member_outside_of_its_struct_is_refused,
	  array_that_ends_outside_of_its_struct_is_refused,
	  array_without_elements_is_refused,
	  struct_that_is_too_large_to_be_read_is_refused, empty_layout_is_refused,
	  trait_can_be_asked_of_a_release_alone, traits_are_those_of_the_release,
	  names_are_those_of_glibc)
