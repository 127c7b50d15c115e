// LDFLAGS: -static
/* SPDX-License-Identifier: Apache-2.0 */
/* trim-static SCENARIO SEED [TUNABLES]: trim, with a malloc that is part of it. */
#include "trim.c"
