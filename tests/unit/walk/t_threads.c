// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/list.h"
#include "model/model.h"
#include "unit.h"
#include "walk/threads.h"
#include "world.h"

#define V217	   LAYOUT_RELEASE(2, 17)
#define V236	   LAYOUT_RELEASE(2, 36)
#define V243	   LAYOUT_RELEASE(2, 43)
#define STACKS	   ((uint64_t)0x7ffe00000000)
#define STACK	   ((uint64_t)0x10000)
#define IN_STACK   ((uint64_t)0x8000) /* where struct pthread lies */
#define LISTS	   ((uint64_t)0x7ffff7ff0000)
#define DTVS	   ((uint64_t)0x7ffff7ff4000)
#define RODATA	   ((uint64_t)0x7ffff7f00000)
#define SIZEOF_1   1824 /* of struct pthread where it ends at the pointer */
#define TLS_BYTES  0x90
#define AT_ARENA   0x58
#define AT_CACHE   0x48
#define FIRST_TID  1000
#define MOST	   40
#define CACHE_SIZE 0x290 /* of the chunk, 2.36 */

/* Threads in memory, and what is told of them. */
struct scene {
	struct world world;
	struct thread_clues clues;
	uint64_t pthread[MOST], cache[MOST];
	bool second; /* variant II */
	bool no_dtv;
};

static uint64_t pointer_of(const struct scene *scene, size_t i)
{
	return scene->pthread[i] + (scene->second ? 0 : SIZEOF_1);
}

/* libc's block: the program's own lies between it and the pointer. */
static uint64_t block_of(const struct scene *scene, size_t i)
{
	return scene->second ? pointer_of(scene, i) - 0x1000
			     : pointer_of(scene, i) + 0x1000;
}

static void put_dtv(struct scene *scene, size_t i)
{
	struct fake *fake = &scene->world.fake;
	uint64_t dtv = DTVS + i * 0x100 + 16, pointer = pointer_of(scene, i);

	fake_put(fake, scene->second ? pointer + 8 : pointer, dtv);
	fake_put(fake, dtv - 16, 14);
	fake_put(fake, dtv, 1);
	fake_put(fake, dtv + 16, scene->second ? pointer - 0x40 : pointer + 16);
	fake_put(fake, dtv + 32, block_of(scene, i));
	fake_put(fake, dtv + 48, UINT64_MAX); /* not allocated yet */
}

static void put_pthread(struct scene *scene, size_t i, int32_t tid)
{
	const struct arch *arch = scene->world.layout.arch;
	struct fake *fake = &scene->world.fake;
	uint64_t pthread = scene->pthread[i], node = pthread + arch->pthread_list;

	if (scene->second) {
		fake_put(fake, pthread, pthread);
		fake_put(fake, pthread + 16, pthread);
	}
	memcpy(fake_at(fake, pthread + arch->pthread_tid, 4), &tid, 4);
	fake_put(fake, node, node);
	fake_put(fake, node + 8, node);
}

static void put_variables(struct scene *scene, size_t i, uint64_t arena, uint64_t cache)
{
	fake_put(&scene->world.fake, block_of(scene, i) + AT_ARENA, arena);
	fake_put(&scene->world.fake, block_of(scene, i) + AT_CACHE, cache);
}

/* In main's memory. */
static uint64_t put_cache(struct scene *scene, size_t i)
{
	uint64_t cache = WORLD_BRK + 0x1000 + i * 0x10;

	fake_put(&scene->world.fake, cache - 8, CACHE_SIZE | 1);
	return cache;
}

static struct thread_clue *add_thread(struct scene *scene, uint64_t arena)
{
	size_t i = scene->clues.list.count;
	struct thread_clue *clue;
	struct ari_error err;

	must(i < MOST);
	fake_map(&scene->world.fake, STACKS + 2 * i * STACK, STACK, "rw-p", "");
	scene->pthread[i] = STACKS + 2 * i * STACK + IN_STACK;
	scene->cache[i] = put_cache(scene, i);
	put_pthread(scene, i, (int32_t)(FIRST_TID + i));
	if (!scene->no_dtv)
		put_dtv(scene, i);
	put_variables(scene, i, arena, scene->cache[i]);
	clue = list_add(&scene->clues.list, &err);
	must(clue != NULL);
	*clue = (struct thread_clue){
		.tid = 5000 + i,
		.ns_tid = FIRST_TID + i,
		.robust_head =
			scene->pthread[i] + scene->world.layout.arch->pthread_robust_head,
		.name = "worker",
	};
	return clue;
}

static void begin(struct scene *scene, unsigned int release, const struct arch *arch)
{
	struct ari_error err;

	*scene = (struct scene){ .second = arch->tls_variant == 2 };
	scene->clues.tls_bytes = TLS_BYTES;
	world_init_three(&scene->world, release);
	scene->world.layout.arch = arch;
	fake_map(&scene->world.fake, LISTS, 0x1000, "rw-p", "/usr/lib/ld.so");
	fake_map(&scene->world.fake, DTVS, 0x4000, "rw-p", "");
	ck_works(world_walk(&scene->world, &err), &err);
}

/* Threads of main, and of both other arenas, and one that has none. */
static void add_four(struct scene *scene)
{
	add_thread(scene, scene->world.arenas[0].address);
	add_thread(scene, scene->world.arenas[1].address);
	add_thread(scene, scene->world.arenas[2].address);
	add_thread(scene, 0);
}

static void walk_them(struct scene *scene)
{
	struct ari_error err;

	ck_works(walk_threads(&scene->world.walk, &scene->clues, &err), &err);
	ck_assert_uint_eq(scene->world.walk.threads.count, scene->clues.list.count);
	ck_assert_uint_eq(scene->world.walk.model->threads.count,
			  scene->clues.list.count);
	ck_assert_uint_eq(scene->world.fake.disturbed, 0);
}

static void finish(struct scene *scene)
{
	list_done(&scene->world.walk.threads);
	list_done(&scene->clues.list);
	world_done(&scene->world);
}

static const struct thread_place *place(const struct scene *scene, size_t i)
{
	must(i < scene->world.walk.threads.count);
	return &scene->world.walk.threads.at[i];
}

static uint64_t row_arena(const struct scene *scene, size_t i)
{
	return scene->world.walk.model->threads.at[i].arena;
}

static size_t notes(const struct scene *scene)
{
	return scene->world.walk.model->quality.notes.count;
}

static void expect_note(const struct scene *scene, const char *words)
{
	must(notes(scene) == 1);
	ck_assert_ptr_nonnull(
		strstr(scene->world.walk.model->quality.notes.at[0], words));
}

/* What add_four() made. */
static void expect_four(const struct scene *scene)
{
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(place(scene, i)->pthread, scene->pthread[i]);
		ck_assert_uint_eq(place(scene, i)->tcache, scene->cache[i]);
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(place(scene, i)->arena, scene->world.arenas[i].address);
	ck_assert_uint_eq(place(scene, 3)->arena, 0);
	ck_assert_uint_eq(row_arena(scene, 0), 0);
	/* The newest arena is the first in the ring behind main. */
	ck_assert_uint_eq(row_arena(scene, 1), 2);
	ck_assert_uint_eq(row_arena(scene, 2), 1);
	ck_assert_uint_eq(row_arena(scene, 3), ARI_UNKNOWN);
	ck_assert_uint_eq(notes(scene), 0);
}

static const struct arch *const machines[] = { &arch_x86_64, &arch_aarch64 };
#define MACHINES (sizeof(machines) / sizeof(*machines))

/* ---- by the list of robust futexes ---- */

TEST(threads_have_their_arenas_and_caches_without_symbols)
{
	for (size_t m = 0; m < MACHINES; m++) {
		struct scene scene;

		begin(&scene, V236, machines[m]);
		add_four(&scene);
		walk_them(&scene);
		expect_four(&scene);
		ck_assert_str_eq(scene.world.walk.model->threads.at[2].name, "worker");
		ck_assert_uint_eq(scene.world.walk.model->threads.at[2].tid, 5002);
		ck_assert_uint_eq(scene.world.walk.model->threads.at[2].ns_tid, 1002);
		finish(&scene);
	}
}

TEST(threads_have_their_arenas_and_caches_by_symbols)
{
	for (size_t m = 0; m < MACHINES; m++) {
		struct scene scene;

		begin(&scene, V236, machines[m]);
		scene.world.symbols.tls[TLS_THREAD_ARENA] =
			(struct tls_place){ true, AT_ARENA };
		scene.world.symbols.tls[TLS_TCACHE] =
			(struct tls_place){ true, AT_CACHE };
		add_four(&scene);
		/* What a search would take for a second arena's slot. */
		for (size_t i = 0; i < 4; i++)
			fake_put(&scene.world.fake, block_of(&scene, i) + 8,
				 scene.world.arenas[0].address);
		walk_them(&scene);
		expect_four(&scene);
		finish(&scene);
	}
}

TEST(symbol_that_is_anothers_is_not_believed)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	scene.world.symbols.tls[TLS_THREAD_ARENA] = (struct tls_place){ true, 0x20 };
	add_four(&scene);
	for (size_t i = 0; i < 4; i++)
		fake_put(&scene.world.fake, block_of(&scene, i) + 0x20, STACKS);
	walk_them(&scene);
	expect_four(&scene);
	finish(&scene);
}

/* Then libc's variables are looked for near the pointer. */
TEST(threads_without_a_dtv_are_looked_at_near_their_pointer)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	scene.no_dtv = true;
	for (size_t i = 0; i < 3; i++) {
		add_thread(&scene, 0);
		fake_put(&scene.world.fake, pointer_of(&scene, i) - 0x30,
			 scene.world.arenas[i].address);
		fake_put(&scene.world.fake, pointer_of(&scene, i) - 0x40, scene.cache[i]);
	}
	walk_them(&scene);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(place(&scene, i)->arena, scene.world.arenas[i].address);
		ck_assert_uint_eq(place(&scene, i)->tcache, scene.cache[i]);
	}
	finish(&scene);
}

/* More than are asked where the variables are. */
TEST(every_one_of_many_threads_is_read)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	for (size_t i = 0; i < MOST; i++)
		add_thread(&scene, scene.world.arenas[i % 3].address);
	walk_them(&scene);
	for (size_t i = 0; i < MOST; i++) {
		ck_assert_uint_eq(place(&scene, i)->arena,
				  scene.world.arenas[i % 3].address);
		ck_assert_uint_eq(place(&scene, i)->tcache, scene.cache[i]);
	}
	finish(&scene);
}

TEST(release_without_caches_has_none)
{
	struct scene scene;

	begin(&scene, V217, &arch_x86_64);
	add_four(&scene);
	walk_them(&scene);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(place(&scene, i)->tcache, 0);
	ck_assert_uint_eq(place(&scene, 2)->arena, scene.world.arenas[2].address);
	finish(&scene);
}

/* Nine have a cache, two the dummy, and one points at constants that are none. */
TEST(shared_dummy_is_no_cache)
{
	struct scene scene;

	begin(&scene, V243, &arch_x86_64);
	fake_map(&scene.world.fake, RODATA, 0x1000, "r--p", "/usr/lib/libc.so.6");
	fake_put(&scene.world.fake, RODATA + 0xc08, 1);
	for (size_t i = 0; i < 12; i++) {
		add_thread(&scene, scene.world.arenas[i % 3].address);
		fake_put(&scene.world.fake, scene.cache[i] - 8, 0x301);
		if (i >= 9)
			put_variables(&scene, i, scene.world.arenas[i % 3].address,
				      i == 11 ? RODATA + 0xc00 : RODATA + 0x100);
	}
	walk_them(&scene);
	for (size_t i = 0; i < 12; i++)
		ck_assert_uint_eq(place(&scene, i)->tcache, i < 9     ? scene.cache[i]
							    : i == 11 ? ARI_UNKNOWN
								      : 0);
	finish(&scene);
}

/* In a static program variables of its own lie between the two. */
TEST(cache_far_from_the_arena_is_found_where_each_thread_has_one_or_the_dummy)
{
	struct scene scene;

	begin(&scene, V243, &arch_x86_64);
	scene.clues.tls_bytes = 0xc00;
	fake_map(&scene.world.fake, RODATA, 0x1000, "r--p", "/usr/lib/libc.so.6");
	for (size_t i = 0; i < 3; i++) {
		uint64_t block;

		add_thread(&scene, scene.world.arenas[i].address);
		block = block_of(&scene, i);
		fake_put(&scene.world.fake, scene.cache[i] - 8, 0x301);
		fake_put(&scene.world.fake, block + AT_CACHE, 0);
		fake_put(&scene.world.fake, block + 0x800,
			 i == 2 ? RODATA + 0x100 : scene.cache[i]);
		/* No cache is here: the last thread has nothing. */
		fake_put(&scene.world.fake, block + 0x900, i == 2 ? 0 : scene.cache[i]);
	}
	walk_them(&scene);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(place(&scene, i)->tcache, i == 2 ? 0 : scene.cache[i]);
	finish(&scene);
}

TEST(word_in_which_many_hold_no_arena_is_not_the_arenas)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	for (size_t i = 0; i < 10; i++) {
		add_thread(&scene, i < 3 ? scene.world.arenas[i].address : 0);
		fake_put(&scene.world.fake, block_of(&scene, i) + 8,
			 i < 6 ? scene.world.arenas[0].address : 0x1234567);
	}
	walk_them(&scene);
	for (size_t i = 0; i < 10; i++)
		ck_assert_uint_eq(place(&scene, i)->arena,
				  i < 3 ? scene.world.arenas[i].address : 0);
	finish(&scene);
}

TEST(where_no_word_can_be_a_cache_there_is_none)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	for (size_t i = 0; i < 3; i++) {
		add_thread(&scene, scene.world.arenas[i].address);
		fake_put(&scene.world.fake, scene.cache[i] - 8, 0x51);
	}
	walk_them(&scene);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(place(&scene, i)->tcache, 0);
	finish(&scene);
}

static struct scene *ending;

/* The second thread ends between the look at its variables and at its cache. */
static void end_second(struct fake *fake, uint64_t address)
{
	if (address != ending->cache[1] - 8)
		return;
	fake_put(fake, ending->cache[1] - 8, 0x41);
	fake_put(fake, block_of(ending, 1) + AT_CACHE, 0);
}

TEST(thread_that_ends_while_it_is_asked_does_not_hide_the_caches_of_others)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	ending = &scene;
	scene.world.fake.before_copy = end_second;
	walk_them(&scene);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(place(&scene, i)->tcache, i == 1 ? 0 : scene.cache[i]);
	finish(&scene);
}

TEST(cache_of_another_thread_is_not_ones_own)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	for (size_t i = 0; i < 4; i++)
		fake_put(&scene.world.fake, block_of(&scene, i) + 0x40, scene.cache[0]);
	walk_them(&scene);
	expect_four(&scene);
	finish(&scene);
}

/* Made since the ring was walked: its address is known, its place in the ring is not. */
TEST(arena_newer_than_the_ring_has_no_index)
{
	struct scene scene;
	uint64_t newer;

	begin(&scene, V236, &arch_x86_64);
	newer = world_add_arena(&scene.world, 1)->address;
	add_thread(&scene, scene.world.arenas[0].address);
	add_thread(&scene, newer);
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 1)->arena, newer);
	ck_assert_uint_eq(row_arena(&scene, 1), ARI_UNKNOWN);
	finish(&scene);
}

TEST(wild_arena_of_one_thread_is_not_known)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	for (size_t i = 0; i < 10; i++)
		add_thread(&scene, scene.world.arenas[i % 3].address);
	put_variables(&scene, 4, 0xdeadbeef0, 0xdeadbeef8);
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 4)->arena, ARI_UNKNOWN);
	ck_assert_uint_eq(place(&scene, 4)->tcache, ARI_UNKNOWN);
	ck_assert_uint_eq(row_arena(&scene, 4), ARI_UNKNOWN);
	ck_assert_uint_eq(place(&scene, 5)->arena, scene.world.arenas[2].address);
	expect_note(&scene, "could not be read");
	finish(&scene);
}

TEST(thread_in_swap_is_not_known_and_keeps_its_place)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	fake_set_pages(&scene.world.fake, scene.pthread[1] - IN_STACK, STACK / 4096,
		       PAGE_SWAPPED);
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 1)->pthread, scene.pthread[1]);
	ck_assert_uint_eq(place(&scene, 1)->arena, ARI_UNKNOWN);
	ck_assert_uint_eq(place(&scene, 1)->tcache, ARI_UNKNOWN);
	ck_assert_uint_eq(place(&scene, 2)->arena, scene.world.arenas[2].address);
	expect_note(&scene, "which arena 1 of 4");
	finish(&scene);
}

/* ---- not glibc's ---- */

TEST(list_that_leads_to_no_struct_pthread_is_not_glibcs)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	fake_put(&scene.world.fake, scene.pthread[1], 0);
	scene.clues.list.at[2].robust_head = 8;
	scene.clues.list.at[3].ns_tid = 77;
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 0)->arena, scene.world.arenas[0].address);
	for (size_t i = 1; i < 4; i++) {
		ck_assert_uint_eq(place(&scene, i)->pthread, 0);
		ck_assert_uint_eq(place(&scene, i)->arena, 0);
		ck_assert_uint_eq(place(&scene, i)->tcache, 0);
		ck_assert_uint_eq(row_arena(&scene, i), ARI_UNKNOWN);
	}
	expect_note(&scene, "3 of 4 threads were not made by glibc");
	finish(&scene);
}

TEST(thread_that_has_ended_has_no_arena)
{
	struct scene scene;
	struct ari_error err;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	scene.clues.list.at[0].ended = true;
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 0)->pthread, 0);
	ck_assert_uint_eq(place(&scene, 0)->arena, 0);
	ck_assert_uint_eq(notes(&scene), 0);
	ck_works(walk_attached(&scene.world.walk, &err), &err);
	expect_note(&scene, "main thread has ended");
	finish(&scene);
}

/* ---- where the kernel does not say ---- */

static void refuse(struct scene *scene)
{
	for (size_t i = 0; i < scene->clues.list.count; i++)
		scene->clues.list.at[i].robust_head = ARI_UNKNOWN;
}

/* Two lists, the second thread in that of given stacks. */
static void link_lists(struct scene *scene)
{
	struct fake *fake = &scene->world.fake;
	uint16_t offset = scene->world.layout.arch->pthread_list;
	uint64_t last[2] = { LISTS, LISTS + 16 };

	scene->clues.stacks[0] = LISTS;
	scene->clues.stacks[1] = LISTS + 16;
	for (size_t i = 0; i < scene->clues.list.count; i++) {
		uint64_t node = scene->pthread[i] + offset;

		fake_put(fake, last[i == 1], node);
		fake_put(fake, node + 8, last[i == 1]);
		last[i == 1] = node;
	}
	for (int i = 0; i < 2; i++) {
		fake_put(fake, last[i], LISTS + 16 * (uint64_t)i);
		fake_put(fake, LISTS + 16 * (uint64_t)i + 8, last[i]);
	}
}

TEST(lists_of_stacks_lead_to_the_threads)
{
	for (size_t m = 0; m < MACHINES; m++) {
		struct scene scene;

		begin(&scene, V236, machines[m]);
		add_four(&scene);
		link_lists(&scene);
		refuse(&scene);
		walk_them(&scene);
		expect_four(&scene);
		finish(&scene);
	}
}

TEST(who_is_on_no_list_is_not_glibcs)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	link_lists(&scene);
	refuse(&scene);
	/* One that ended, and is not joined. */
	put_pthread(&scene, 3, -1);
	fake_put(&scene.world.fake, scene.pthread[3] + 704, LISTS);
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 2)->arena, scene.world.arenas[2].address);
	ck_assert_uint_eq(place(&scene, 3)->arena, 0);
	expect_note(&scene, "1 of 4 threads were not made by glibc");
	finish(&scene);
}

/* They end; the memory is searched then. */
TEST(lists_that_are_none_end)
{
	static const uint64_t odd[] = { 0, 8, UINT64_MAX - 7, STACKS - 16, LISTS + 64 };

	for (size_t n = 0; n < sizeof(odd) / sizeof(*odd) + 1; n++) {
		struct scene scene;

		begin(&scene, V236, &arch_x86_64);
		add_four(&scene);
		link_lists(&scene);
		refuse(&scene);
		fake_put(&scene.world.fake, LISTS + 64, LISTS + 64);
		if (n < sizeof(odd) / sizeof(*odd))
			fake_put(&scene.world.fake, scene.pthread[0] + 704, odd[n]);
		else
			fake_put(&scene.world.fake, scene.pthread[3] + 704,
				 scene.pthread[2] + 704);
		walk_them(&scene);
		expect_four(&scene);
		finish(&scene);
	}
}

TEST(threads_are_found_by_what_they_look_like)
{
	for (size_t m = 0; m < MACHINES; m++) {
		struct scene scene;

		begin(&scene, V236, machines[m]);
		add_four(&scene);
		refuse(&scene);
		/* The id alone is not enough, nor neighbours that do not lead back. */
		for (uint64_t at = 0x200; at < 0x1000; at += 0x100) {
			fake_put(&scene.world.fake, WORLD_BRK + 0x8000 + at, FIRST_TID);
			fake_put(&scene.world.fake, WORLD_BRK + 0x8000 + at - 16,
				 LISTS + 64);
			fake_put(&scene.world.fake, WORLD_BRK + 0x8000 + at - 8,
				 LISTS + 64);
		}
		walk_them(&scene);
		expect_four(&scene);
		finish(&scene);
	}
}

TEST(search_that_leaves_something_out_says_nothing_of_the_rest)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	refuse(&scene);
	fake_set_pages(&scene.world.fake, scene.pthread[2] - IN_STACK, STACK / 4096,
		       PAGE_SWAPPED);
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 1)->arena, scene.world.arenas[1].address);
	ck_assert_uint_eq(place(&scene, 2)->pthread, 0);
	ck_assert_uint_eq(place(&scene, 2)->arena, ARI_UNKNOWN);
	expect_note(&scene, "could not be read");
	finish(&scene);
}

/* Before 2.34, a program without threads: no list, and no id in its struct pthread. */
TEST(program_without_threads_has_main_arena)
{
	for (size_t m = 0; m < MACHINES; m++) {
		struct scene scene;
		struct ari_error err;

		begin(&scene, V236, machines[m]);
		world_set(&scene.world, scene.world.arenas[0].address, MS_NEXT,
			  scene.world.arenas[0].address);
		ck_works(world_walk(&scene.world, &err), &err);
		add_thread(&scene, scene.world.arenas[0].address)->robust_head = 0;
		put_pthread(&scene, 0, 0);
		walk_them(&scene);
		ck_assert_uint_eq(place(&scene, 0)->arena, scene.world.arenas[0].address);
		ck_assert_uint_eq(place(&scene, 0)->tcache,
				  scene.second ? scene.cache[0] : ARI_UNKNOWN);
		ck_assert_uint_eq(notes(&scene), 0);
		finish(&scene);
	}
}

/* ---- a core's registers ---- */

TEST(thread_pointers_of_a_core_are_followed)
{
	for (size_t m = 0; m < MACHINES; m++) {
		struct scene scene;

		begin(&scene, V236, machines[m]);
		add_four(&scene);
		refuse(&scene);
		for (size_t i = 0; i < 4; i++) {
			scene.clues.list.at[i].pointer = pointer_of(&scene, i);
			scene.clues.list.at[i].ns_tid = ARI_UNKNOWN;
			if (!scene.second)
				scene.pthread[i] = 0; /* not looked for */
		}
		walk_them(&scene);
		expect_four(&scene);
		if (scene.second)
			ck_assert_uint_eq(place(&scene, 1)->ns_tid, FIRST_TID + 1);
		finish(&scene);
	}
}

TEST(pointer_of_two_threads_is_that_of_the_one_it_names)
{
	struct scene scene;

	begin(&scene, V236, &arch_x86_64);
	add_four(&scene);
	refuse(&scene);
	for (size_t i = 0; i < 4; i++) {
		scene.clues.list.at[i].pointer = pointer_of(&scene, i == 3 ? 0 : i);
		scene.clues.list.at[i].tid = FIRST_TID + i;
		scene.clues.list.at[i].ns_tid = ARI_UNKNOWN;
	}
	walk_them(&scene);
	ck_assert_uint_eq(place(&scene, 0)->arena, scene.world.arenas[0].address);
	ck_assert_uint_eq(place(&scene, 3)->pthread, 0);
	ck_assert_uint_eq(place(&scene, 3)->arena, 0);
	expect_note(&scene, "1 of 4 threads were not made by glibc");
	finish(&scene);
}

/* ---- attached_threads ---- */

TEST(count_of_threads_stands_for_attached_threads_that_are_not_counted)
{
	struct scene scene;
	struct ari_error err;
	const struct ari_arena *arenas;

	begin(&scene, V217, &arch_x86_64);
	add_thread(&scene, scene.world.arenas[0].address);
	add_thread(&scene, scene.world.arenas[1].address);
	add_thread(&scene, scene.world.arenas[1].address);
	arenas = scene.world.walk.model->arenas.at;
	ck_assert_uint_eq(arenas[0].attached_threads, ARI_UNKNOWN);
	walk_them(&scene);
	ck_works(walk_attached(&scene.world.walk, &err), &err);
	ck_assert_uint_eq(arenas[0].attached_threads, 1);
	ck_assert_uint_eq(arenas[1].attached_threads, 0);
	ck_assert_uint_eq(arenas[2].attached_threads, 2);
	ck_assert_int_eq(arenas[0].idle, ARI_NO);
	ck_assert_int_eq(arenas[1].idle, ARI_YES);
	finish(&scene);
}

TEST(count_that_lacks_a_thread_is_not_told)
{
	struct scene scene;
	struct ari_error err;

	begin(&scene, V217, &arch_x86_64);
	add_four(&scene);
	fake_set_pages(&scene.world.fake, scene.pthread[1] - IN_STACK, STACK / 4096,
		       PAGE_SWAPPED);
	walk_them(&scene);
	ck_works(walk_attached(&scene.world.walk, &err), &err);
	ck_assert_uint_eq(scene.world.walk.model->arenas.at[0].attached_threads,
			  ARI_UNKNOWN);
	ck_assert_int_eq(scene.world.walk.model->arenas.at[0].idle, ARI_MAYBE);
	finish(&scene);
}

TEST(threads_that_are_not_as_many_as_glibc_counts_are_noted)
{
	struct scene scene;
	struct ari_error err;

	begin(&scene, V236, &arch_x86_64);
	add_thread(&scene, scene.world.arenas[0].address);
	add_thread(&scene, scene.world.arenas[1].address);
	add_thread(&scene, scene.world.arenas[1].address);
	walk_them(&scene);
	ck_works(walk_attached(&scene.world.walk, &err), &err);
	expect_note(&scene, "threads of 2 arenas");
	ck_assert_uint_eq(scene.world.walk.model->arenas.at[1].attached_threads, 1);
	finish(&scene);
}

/* ---- whatever the bytes are ---- */

static void spoil(struct scene *scene, uint64_t *seed)
{
	for (int n = 0; n < 40; n++) {
		uint64_t i = unit_random(seed) % 4, to = unit_random(seed) % 6;
		uint64_t at = scene->pthread[i] - 0x1100 + unit_random(seed) % 0x400 * 8;
		const uint64_t values[] = { unit_random(seed),
					    scene->pthread[to % 4],
					    LISTS + to * 8,
					    DTVS + to * 16,
					    scene->world.arenas[to % 3].address,
					    to };

		fake_put(&scene->world.fake, n % 2 ? at : DTVS + at % 0x400 / 8 * 8,
			 values[unit_random(seed) % 6]);
	}
}

TEST(noise_ends_and_is_no_arena_that_is_not_there)
{
	uint64_t seed = 4711;

	for (int n = 0; n < 200; n++) {
		struct scene scene;

		begin(&scene, V236, machines[n % 2]);
		add_four(&scene);
		link_lists(&scene);
		if (n % 4 < 2)
			refuse(&scene);
		spoil(&scene, &seed);
		walk_them(&scene);
		for (size_t i = 0; i < 4; i++)
			must(row_arena(&scene, i) == ARI_UNKNOWN ||
			     row_arena(&scene, i) < 3);
		finish(&scene);
	}
}

UNIT_MAIN("walk/threads", threads_have_their_arenas_and_caches_without_symbols,
	  threads_have_their_arenas_and_caches_by_symbols,
	  cache_far_from_the_arena_is_found_where_each_thread_has_one_or_the_dummy,
	  symbol_that_is_anothers_is_not_believed,
	  threads_without_a_dtv_are_looked_at_near_their_pointer,
	  every_one_of_many_threads_is_read, release_without_caches_has_none,
	  shared_dummy_is_no_cache, word_in_which_many_hold_no_arena_is_not_the_arenas,
	  where_no_word_can_be_a_cache_there_is_none,
	  thread_that_ends_while_it_is_asked_does_not_hide_the_caches_of_others,
	  cache_of_another_thread_is_not_ones_own, arena_newer_than_the_ring_has_no_index,
	  wild_arena_of_one_thread_is_not_known,
	  thread_in_swap_is_not_known_and_keeps_its_place,
	  list_that_leads_to_no_struct_pthread_is_not_glibcs,
	  thread_that_has_ended_has_no_arena, lists_of_stacks_lead_to_the_threads,
	  who_is_on_no_list_is_not_glibcs, lists_that_are_none_end,
	  threads_are_found_by_what_they_look_like,
	  search_that_leaves_something_out_says_nothing_of_the_rest,
	  program_without_threads_has_main_arena, thread_pointers_of_a_core_are_followed,
	  pointer_of_two_threads_is_that_of_the_one_it_names,
	  count_of_threads_stands_for_attached_threads_that_are_not_counted,
	  count_that_lacks_a_thread_is_not_told,
	  threads_that_are_not_as_many_as_glibc_counts_are_noted,
	  noise_ends_and_is_no_arena_that_is_not_there)
