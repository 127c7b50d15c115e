/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_FACTS_H
#define CMD_FACTS_H

#include "out/document.h"

/* Facts of a model that more than one command tells. */

/* The libc, and where symbols and layout came from; nothing if none was found. */
void facts_libc(struct document *document, const struct ari_model *model);

/* One fact per line of proof that the layout is the right one. */
void facts_proof(struct document *document, const struct ari_model *model);

/* Who provides malloc, glibc's share of the anonymous memory, and who else is loaded. */
void facts_allocator(struct document *document, const struct ari_model *model);

/* The systemd unit and the container it runs in; nothing where there is neither. */
void facts_cgroup(struct document *document, const struct ari_model *model);

/* Its id in its own pid namespace, if that is not ours. */
void facts_namespace(struct document *document, const struct ari_model *model);

/*
 * How many arenas there may be, how that is known, and of how many processors the
 * container may use when the limit comes from those of the host.
 */
void facts_arena_limit(struct document *document, const struct ari_model *model);

/* malloc's settings in force and the environment that bears on them. */
void facts_settings(struct document *document, const struct ari_model *model);

#endif
