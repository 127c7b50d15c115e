/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_MEANINGS_H
#define CMD_MEANINGS_H

/* What the classes of malloc's bytes are: the same words in every table and fact. */
#define MEANS_IN_USE	   "held by the application"
#define MEANS_TCACHE	   "in threads' caches"
#define MEANS_TRIMMABLE	   "malloc_trim(0) would give it back"
#define MEANS_RETAINED_TOP "what malloc_trim leaves of" /* "the top", or "tops" */
#define MEANS_PINNED_FREE  "on pages that hold something else, too"
#define MEANS_METADATA	   "malloc's own"
#define MEANS_UNWALKED	   "not walked"

#endif
