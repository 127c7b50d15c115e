/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_SAY_H
#define ANALYSE_SAY_H

#include "arenainspect.h"

/*
 * A template with the model's numbers and words in it, for free():
 *
 *   {trimmable_bytes}            a number: "812.0 MiB", or "at least 812.0 MiB"
 *   {trimmable_bytes%rss_bytes}  a share: "85 %"
 *   {idle_arenas:arena|arenas}   a count with its noun: "1 arena", "11 arenas"
 *   {trim}                       a word: what is said for this process
 *
 * What a template asks for and nobody has is a bug.  err: ARI_NO_MEMORY.
 */
bool say(const char *template, const struct ari_model *model, char **ret,
	 struct ari_error *err) __attribute__((warn_unused_result));

#endif
