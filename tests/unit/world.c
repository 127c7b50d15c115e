// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "layout/members.h"
#include "model/model.h"
#include "unit.h"
#include "world.h"

#define LIBC_DATA ((uint64_t)0x7ffff7f80000)
#define HEAPS	  ((uint64_t)0x7fff00000000)

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static void place_row(struct layout *layout, const struct member_row *row)
{
	static const uint32_t bytes[] = {
		[TYPE_U8] = 1,	 [TYPE_U16] = 2,  [TYPE_INT] = 4,
		[TYPE_UINT] = 4, [TYPE_WORD] = 8,
	};
	uint32_t size = bytes[row->type];
	uint32_t offset = (uint32_t)align_up(layout->bytes[row->in], size);

	layout->members[row->id] = (struct layout_place){ offset, size, row->count };
	layout->bytes[row->in] = offset + size * row->count;
}

void world_layout(struct layout *ret, unsigned int release)
{
	*ret = (struct layout){ .arch = &arch_x86_64, .source = ARI_LAYOUT_TABLE };
	for (size_t i = 0; i < member_rows_count; i++)
		if (member_rows[i].since <= release && release < member_rows[i].until)
			place_row(ret, &member_rows[i]);
	for (int id = 0; id < LAYOUT_STRUCTS; id++)
		ret->bytes[id] = (uint32_t)align_up(
			ret->bytes[id],
			struct_rows[id].align == ALIGN_AS_MALLOC ? 16 : 8);
	layout_set_traits(ret, release);
}

static void put(struct world *world, uint64_t address, uint32_t size, uint64_t value)
{
	memcpy(fake_at(&world->fake, address, size), &value, size);
}

void world_set(struct world *world, uint64_t address, enum layout_member member,
	       uint64_t value)
{
	const struct layout_place *place = &world->layout.members[member];

	if (place->size != 0)
		put(world, address + place->offset, place->size, value);
}

uint64_t world_get(struct world *world, uint64_t address, enum layout_member member)
{
	const struct layout_place *place = &world->layout.members[member];
	uint64_t value = 0;

	memcpy(&value, fake_at(&world->fake, address + place->offset, place->size),
	       place->size);
	return value;
}

/* Bins are empty: each names itself, as a chunk. */
static void make_state(struct world *world, const struct world_arena *arena,
		       uint64_t flags)
{
	uint64_t bins = arena->address + world->layout.members[MS_BINS].offset;

	for (uint64_t pair = bins; pair < bins + UINT64_C(254) * 8; pair += 16) {
		fake_put(&world->fake, pair, pair - 16);
		fake_put(&world->fake, pair + 8, pair - 16);
	}
	world_set(world, arena->address, MS_FLAGS, flags);
	world_set(world, arena->address, MS_TOP, arena->top);
	world_set(world, arena->address, MS_ATTACHED_THREADS, 1);
	world_set(world, arena->address, MS_SYSTEM_MEM, arena->system_mem);
	world_set(world, arena->address, MS_MAX_SYSTEM_MEM, arena->system_mem + 0x1000);
	fake_put(&world->fake, arena->top + 8, arena->top_bytes | 1);
}

static struct world_arena *new_arena(struct world *world)
{
	must(world->count < WORLD_ARENAS);
	return &world->arenas[world->count++];
}

static void make_main(struct world *world)
{
	struct world_arena *arena = new_arena(world);
	uint64_t mp = world->symbols.address[SYM_MP];

	arena->address = world->symbols.address[SYM_MAIN_ARENA];
	arena->system_mem = align_up(WORLD_HEAP_BYTES, world->fake.mem.page_bytes);
	arena->top = WORLD_BRK + 0x2000;
	arena->top_bytes = arena->system_mem - 0x2000;
	arena->heap[0] = WORLD_BRK;
	arena->heaps = 1;
	fake_map(&world->fake, WORLD_BRK, arena->system_mem, "rw-p", "[heap]");
	make_state(world, arena, 0);
	world_set(world, arena->address, MS_NEXT, arena->address);
	world_set(world, mp, MP_SBRK_BASE, WORLD_BRK);
	world_set(world, mp, MP_TRIM_THRESHOLD, 131072);
	world_set(world, mp, MP_TOP_PAD, 131072);
	world_set(world, mp, MP_MMAP_THRESHOLD, 131072);
	world_set(world, mp, MP_ARENA_TEST, 8);
	world_set(world, mp, MP_N_MMAPS_MAX, 65536);
	world_set(world, mp, MP_TCACHE_MAX_BYTES, 1032);
	world_set(world, mp, MP_TCACHE_COUNT, 7);
}

void world_init_pages(struct world *world, unsigned int release, uint64_t page_bytes)
{
	*world = (struct world){ .span = (uint64_t)64 << 20, .next_heap = HEAPS };
	fake_init(&world->fake, page_bytes);
	world_layout(&world->layout, release);
	fake_map(&world->fake, LIBC_DATA, align_up(0x4000, page_bytes), "rw-p",
		 "/usr/lib/x86_64-linux-gnu/libc.so.6");
	world->symbols.address[SYM_MAIN_ARENA] = LIBC_DATA + 0xc60;
	world->symbols.address[SYM_MP] = LIBC_DATA + 0x2000;
	world->symbols.address[SYM_FREE_LIST] = LIBC_DATA + 0x3000;
	world->symbols.address[SYM_NARENAS_LIMIT] = LIBC_DATA + 0x3008;
	world->walk = (struct walk){ .mem = &world->fake.mem,
				     .tries = 5,
				     .layout = &world->layout,
				     .symbols = &world->symbols };
	make_main(world);
}

void world_init(struct world *world, unsigned int release)
{
	world_init_pages(world, release, 4096);
}

void world_done(struct world *world)
{
	ari_model_free(world->walk.model);
	fake_done(&world->fake);
}

static void add_heap(struct world *world, struct world_arena *arena)
{
	uint64_t bytes = align_up(WORLD_HEAP_BYTES, world->fake.mem.page_bytes);
	uint64_t heap = align_up(world->next_heap, world->span);
	uint64_t prev = arena->heaps == 0 ? 0 : arena->heap[arena->heaps - 1];

	must(arena->heaps < sizeof(arena->heap) / sizeof(*arena->heap));
	world->next_heap = heap + world->span;
	fake_map(&world->fake, heap, bytes, "rw-p", "");
	if (arena->heaps == 0)
		arena->address = heap + world->layout.bytes[HEAP_INFO];
	arena->heap[arena->heaps++] = heap;
	world_set(world, heap, HI_AR_PTR, arena->address);
	world_set(world, heap, HI_PREV, prev);
	world_set(world, heap, HI_SIZE, bytes);
	world_set(world, heap, HI_MPROTECT_SIZE, bytes);
	world_set(world, heap, HI_PAGESIZE, world->fake.mem.page_bytes);
	arena->system_mem += bytes;
	arena->top = heap + 0x2000;
	arena->top_bytes = bytes - 0x2000;
}

struct world_arena *world_add_arena(struct world *world, size_t heaps)
{
	struct world_arena *arena = new_arena(world);
	uint64_t main_arena = world->arenas[0].address;

	for (size_t i = 0; i < heaps; i++)
		add_heap(world, arena);
	make_state(world, arena, 2);
	world_set(world, arena->address, MS_NEXT, world_get(world, main_arena, MS_NEXT));
	world_set(world, main_arena, MS_NEXT, arena->address);
	return arena;
}

void world_init_three(struct world *world, unsigned int release)
{
	world_init(world, release);
	world_add_arena(world, 1);
	world_add_arena(world, 2);
}

bool world_walk(struct world *world, struct ari_error *err)
{
	ari_model_free(world->walk.model);
	world->walk.model = model_new(err);
	must(world->walk.model != NULL);
	return walk_settings(&world->walk, err) && walk_arenas(&world->walk, err) &&
	       walk_finish(&world->walk, err);
}

const struct ari_arena *world_find(const struct world *world, uint64_t address)
{
	const struct ari_model *model = world->walk.model;

	for (size_t i = 0; i < model->arenas.count; i++)
		if (model->arenas.at[i].address == address)
			return &model->arenas.at[i];
	return NULL;
}

void world_expect_right(const struct world *world, const struct world_arena *built)
{
	const struct ari_arena *arena = world_find(world, built->address);

	ck_assert_msg(arena != NULL, "arena 0x%" PRIx64 " is missing", built->address);
	ck_assert_uint_eq(arena->state, ARI_STATE_STEADY);
	ck_assert_uint_eq(arena->damage.count, 0);
	ck_assert_uint_eq(arena->system_bytes, built->system_mem);
	ck_assert_uint_eq(arena->max_system_bytes, built->system_mem + 0x1000);
	ck_assert_uint_eq(arena->top.address, built->top);
	ck_assert_uint_eq(arena->top.bytes, built->top_bytes);
	ck_assert_uint_eq(arena->heaps.count, built->heaps);
	for (size_t i = 0; i < built->heaps; i++)
		ck_assert_uint_eq(arena->heaps.at[i].address, built->heap[i]);
}

size_t world_damages(const struct world *world, const char *word)
{
	const struct ari_model *model = world->walk.model;
	size_t count = 0;

	for (size_t i = 0; i < model->arenas.count; i++)
		for (size_t j = 0; j < model->arenas.at[i].damage.count; j++)
			count += word == NULL ||
				 strcmp(model->arenas.at[i].damage.at[j].id, word) == 0;
	return count;
}

void world_expect_damage(const struct world *world, uint64_t of, const char *word,
			 uint64_t address)
{
	const struct ari_arena *arena = world_find(world, of);

	ck_assert_msg(arena != NULL, "arena 0x%" PRIx64 " is missing", of);
	for (size_t i = 0; i < arena->damage.count; i++)
		if (strcmp(arena->damage.at[i].id, word) != 0)
			ck_abort_msg("damage %s at 0x%" PRIx64 " is recorded, too",
				     arena->damage.at[i].id, arena->damage.at[i].address);
	ck_assert_uint_eq(arena->damage.count, 1);
	ck_assert_uint_eq(arena->damage.at[0].address, address);
	ck_assert_ptr_nonnull(arena->damage.at[0].message);
	ck_assert_uint_eq(world_damages(world, NULL), 1);
}
