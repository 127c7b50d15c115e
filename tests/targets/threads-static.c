// LDFLAGS: -static
/* SPDX-License-Identifier: Apache-2.0 */
/* threads-static [raw|fork|odd] INFO_XML TRUTH_JSON: threads, with a libc that is part of
 * it.
 */
#include "threads.c"
