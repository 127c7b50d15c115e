/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "arenainspect.h"

/* Hands one line to the caller's log callback, if there is one. */
void log_line(const struct ari_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
