/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "arenainspect.h"

/* A model of which nothing is known yet; NULL: ARI_NO_MEMORY. */
struct ari_model *model_new(struct ari_error *err);

/* Appends with every member unknown; the pointer is valid until the next one. */
struct ari_arena *model_add_arena(struct ari_model *model, struct ari_error *err);
struct ari_heap *model_add_heap(struct ari_arena *arena, struct ari_error *err);

struct ari_thread *model_add_thread(struct ari_model *model, struct ari_error *err);

/* Frees what an arena owns and makes every member unknown again. */
void model_clear_arena(struct ari_arena *arena);

/* Appends a copy of text to a list of strings. */
bool model_add_proof(struct ari_model *model, struct ari_error *err, const char *format,
		     ...) __attribute__((format(printf, 3, 4), warn_unused_result));
bool model_add_note(struct ari_model *model, struct ari_error *err, const char *format,
		    ...) __attribute__((format(printf, 3, 4), warn_unused_result));

/*
 * Records what is odd in the target's heap.  Lists are cut at 100 rows an arena:
 * a ruined heap must not cost us memory.  id is one of damage.def's words.
 */
enum damage {
#define DAMAGE(id, word, text) id,
#include "model/damage.def"
#undef DAMAGE
	DAMAGES
};

bool model_add_damage(struct ari_arena *arena, enum damage id, uint64_t address,
		      struct ari_error *err) __attribute__((warn_unused_result));

/* Replaces *slot by a copy of text (NULL stays NULL). */
bool model_set_string(char **slot, const char *text, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
