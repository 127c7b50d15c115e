// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "layout/code.h"
#include "model/model.h"
#include "walk/proof_text.h"

/* malloc_trim's code names main_arena, whatever the compiler made of it. */
static bool tell_code(const struct image *image, uint64_t main_arena,
		      struct ari_model *model, struct ari_error *err)
{
	uint64_t references[CODE_REFERENCES_MAX];
	size_t count = code_references(image, "malloc_trim", references);

	for (size_t i = 0; i < count; i++)
		if (references[i] == main_arena)
			return model_add_proof(model, err,
					       "malloc_trim's code refers to main_arena");
	return count == 0 ||
	       model_add_proof(model, err,
			       "malloc_trim's code refers to %zu addresses, but not to "
			       "main_arena",
			       count);
}

/* What did not hold, and is damage then. */
static bool tell_odd(const struct proof *state, struct ari_model *model,
		     struct ari_error *err)
{
	if (!state->passed &&
	    !model_add_proof(model, err, "taken for damage: %s", state->failed))
		return false;
	return state->odd == 0 ||
	       model_add_proof(model, err, "taken for damage, %zu times: %s", state->odd,
			       state->odd_check);
}

static const char ring_closes[] = "closes; the heap of each but main names its arena";
static const char ring_is_odd[] = "not all holds that it leads to";

bool proof_tell(const struct image *image, const struct symbols *symbols,
		const struct proof *state, struct ari_model *model, struct ari_error *err)
{
	uint64_t main_arena = symbols->address[SYM_MAIN_ARENA];

	if (!model_add_proof(model, err, "main_arena is at 0x%" PRIx64 " (%s)",
			     main_arena, ari_symbol_source_name(symbols->source)) ||
	    !tell_code(image, main_arena, model, err))
		return false;
	if (!state->initialised)
		return model_add_proof(model, err,
				       "it is blank: malloc has not been called yet");
	return model_add_proof(
		       model, err,
		       "%zu of its 127 bins are empty and point at themselves, the "
		       "others at memory that can be written",
		       state->empty_bins) &&
	       model_add_proof(
		       model, err, "the ring has %zu arenas, and %s", state->arenas,
		       state->passed && state->odd == 0 ? ring_closes : ring_is_odd) &&
	       tell_odd(state, model, err) &&
	       model_add_proof(model, err, "%zu tops are chunks and end their segments",
			       state->tops) &&
	       model_add_proof(
		       model, err, "mp_ is at 0x%" PRIx64 "%s", symbols->address[SYM_MP],
		       state->flags & 2 || state->top_end == 0
			       ? ""
			       : ": its sbrk_base and main's system_mem give the end "
				 "of main's top");
}
