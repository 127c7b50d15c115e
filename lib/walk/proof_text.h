/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_PROOF_TEXT_H
#define WALK_PROOF_TEXT_H

#include "layout/image.h"
#include "layout/symbols.h"
#include "walk/prove.h"

/* The proof of main_arena and mp_, line by line, into model->libc.proof. */
bool proof_tell(const struct image *image, const struct symbols *symbols,
		const struct proof *state, struct ari_model *model, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
