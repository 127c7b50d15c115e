// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "base/text.h"
#include "model/fields.h"
#include "model/model.h"

#define DAMAGE_MAX 100

static const struct damage_row {
	const char *word, *text;
} damages[DAMAGES] = {
#define DAMAGE(id, word, text) [id] = { word, text },
#include "model/damage.def"
#undef DAMAGE
};

/* The record of the list at `offset` of an arena or the model. */
static const struct record *inner_record(const struct record *of, size_t offset)
{
	for (size_t i = 0; i < of->count; i++)
		if (of->fields[i].offset == offset)
			return of->fields[i].record;
	return NULL;
}

static const struct record *arena_record(void)
{
	return inner_record(&model_record, offsetof(struct ari_model, arenas));
}

struct ari_model *model_new(struct ari_error *err)
{
	struct ari_model *model = calloc(1, sizeof(*model));

	if (model == NULL)
		fail_memory(err);
	else
		record_clear(&model_record, model);
	return model;
}

void ari_model_free(struct ari_model *model)
{
	if (model == NULL)
		return;
	record_done(&model_record, model);
	for (size_t i = 0; i < model->words.count; i++)
		free(model->words.at[i]);
	list_done(&model->words);
	free(model);
}

struct ari_arena *model_add_arena(struct ari_model *model, struct ari_error *err)
{
	struct ari_arena *arena = list_add(&model->arenas, err);

	if (arena != NULL)
		record_clear(arena_record(), arena);
	return arena;
}

struct ari_thread *model_add_thread(struct ari_model *model, struct ari_error *err)
{
	struct ari_thread *thread = list_add(&model->threads, err);

	if (thread != NULL)
		record_clear(
			inner_record(&model_record, offsetof(struct ari_model, threads)),
			thread);
	return thread;
}

void model_clear_arena(struct ari_arena *arena)
{
	record_done(arena_record(), arena);
	record_clear(arena_record(), arena);
}

struct ari_heap *model_add_heap(struct ari_arena *arena, struct ari_error *err)
{
	struct ari_heap *heap = list_add(&arena->heaps, err);

	if (heap != NULL)
		record_clear(
			inner_record(arena_record(), offsetof(struct ari_arena, heaps)),
			heap);
	return heap;
}

bool model_add_proof(struct ari_model *model, struct ari_error *err, const char *format,
		     ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = text_list_add(&model->libc.proof.raw, err, format, ap);
	va_end(ap);
	return done;
}

bool model_add_note(struct ari_model *model, struct ari_error *err, const char *format,
		    ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = text_list_add(&model->quality.notes.raw, err, format, ap);
	va_end(ap);
	return done;
}

bool model_add_damage(struct ari_arena *arena, enum damage id, uint64_t address,
		      struct ari_error *err)
{
	struct ari_damage *damage;

	if (arena->damage.count == DAMAGE_MAX)
		return true;
	damage = list_add(&arena->damage, err);
	if (damage == NULL)
		return false;
	damage->id = damages[id].word;
	damage->address = address;
	return model_set_string(&damage->message, damages[id].text, err);
}

bool model_set_string(char **slot, const char *text, struct ari_error *err)
{
	char *copy = NULL;

	if (text != NULL) {
		copy = strdup(text);
		if (copy == NULL)
			return fail_memory(err);
	}
	free(*slot);
	*slot = copy;
	return true;
}
