/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_STOPPED_H
#define SNAPSHOT_STOPPED_H

#include "arenainspect.h"

/* The document's word for why a visit ended before it was through, and back. */
const char *stopped_word(enum ari_code code);
enum ari_code stopped_code(const char *word);

#endif
