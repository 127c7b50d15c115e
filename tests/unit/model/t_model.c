// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "model/model.h"
#include "unit.h"

static struct ari_model *new_model(void)
{
	struct ari_error err;
	struct ari_model *model = model_new(&err);

	ck_assert_ptr_nonnull(model);
	return model;
}

TEST(new_arena_and_heap_know_nothing)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);
	struct ari_heap *heap = model_add_heap(arena, &err);

	ck_assert_uint_eq(arena->system_bytes, ARI_UNKNOWN);
	ck_assert_uint_eq(arena->fast.chunks, ARI_UNKNOWN);
	ck_assert_int_eq(arena->idle, ARI_MAYBE);
	ck_assert(!arena->damage.known);
	ck_assert_uint_eq(heap->bytes, ARI_UNKNOWN);
	ck_assert(!heap->pins.known);
	ck_assert_uint_eq(model->arenas.count, 1);
	ck_assert_uint_eq(arena->heaps.count, 1);
	ari_model_free(model);
}

TEST(cleared_arena_frees_what_it_had_and_knows_nothing)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);

	ck_assert_ptr_nonnull(model_add_heap(arena, &err));
	ck_works(model_add_damage(arena, RING_LOOPS, 1, &err), &err);
	arena->system_bytes = 7;
	model_clear_arena(arena);
	ck_assert_uint_eq(arena->heaps.count, 0);
	ck_assert_uint_eq(arena->damage.count, 0);
	ck_assert_uint_eq(arena->system_bytes, ARI_UNKNOWN);
	ari_model_free(model);
}

TEST(damage_has_a_word_an_address_and_a_message)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);

	ck_works(model_add_damage(arena, HEAP_CHAIN_LOOPS, 0x1000, &err), &err);
	ck_assert_str_eq(arena->damage.at[0].id, "heap-chain-loops");
	ck_assert_uint_eq(arena->damage.at[0].address, 0x1000);
	ck_assert_uint_gt(strlen(arena->damage.at[0].message), 10);
	ari_model_free(model);
}

TEST(every_kind_of_damage_has_a_word_of_its_own)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);

	for (int id = 0; id < DAMAGES; id++)
		ck_works(model_add_damage(arena, (enum damage)id, 0, &err), &err);
	ck_assert_uint_eq(arena->damage.count, DAMAGES);
	for (size_t i = 0; i < DAMAGES; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(arena->damage.at[i].id, arena->damage.at[j].id);
	ari_model_free(model);
}

TEST(damage_without_end_is_cut_at_a_hundred_rows)
{
	struct ari_model *model = new_model();
	struct ari_error err;
	struct ari_arena *arena = model_add_arena(model, &err);

	for (uint64_t i = 0; i < 1000; i++)
		ck_works(model_add_damage(arena, HEAP_UNREADABLE, i, &err), &err);
	ck_assert_uint_eq(arena->damage.count, 100);
	ck_assert_uint_eq(arena->damage.at[99].address, 99);
	ari_model_free(model);
}

TEST(string_is_replaced_by_a_copy)
{
	char text[] = "one", *slot = NULL;
	struct ari_error err;

	ck_works(model_set_string(&slot, text, &err), &err);
	text[0] = 'x';
	ck_assert_str_eq(slot, "one");
	ck_works(model_set_string(&slot, "two", &err), &err);
	ck_assert_str_eq(slot, "two");
	ck_works(model_set_string(&slot, slot, &err), &err);
	ck_assert_str_eq(slot, "two");
	ck_works(model_set_string(&slot, NULL, &err), &err);
	ck_assert_ptr_null(slot);
}

TEST(notes_and_proofs_are_formatted_and_kept_in_order)
{
	struct ari_model *model = new_model();
	struct ari_error err;

	ck_works(model_add_note(model, &err, "%d of %s", 1, "two"), &err);
	ck_works(model_add_note(model, &err, "second"), &err);
	ck_works(model_add_proof(model, &err, "proof"), &err);
	ck_assert_uint_eq(model->quality.notes.count, 2);
	ck_assert_str_eq(model->quality.notes.at[0], "1 of two");
	ck_assert_str_eq(model->quality.notes.at[1], "second");
	ck_assert_str_eq(model->libc.proof.at[0], "proof");
	ari_model_free(model);
}

UNIT_MAIN("model/model", new_arena_and_heap_know_nothing,
	  cleared_arena_frees_what_it_had_and_knows_nothing,
	  damage_has_a_word_an_address_and_a_message,
	  every_kind_of_damage_has_a_word_of_its_own,
	  damage_without_end_is_cut_at_a_hundred_rows, string_is_replaced_by_a_copy,
	  notes_and_proofs_are_formatted_and_kept_in_order)
