/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RANDOM_H
#define RANDOM_H

#include "arenainspect.h"

/*
 * A model with random numbers, texts and lists, and with some of each unknown; the same
 * for the same seed.  For ari_model_free().
 */
struct ari_model *random_model(uint64_t seed);

#endif
