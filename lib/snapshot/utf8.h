/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNAPSHOT_UTF8_H
#define SNAPSHOT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes of a valid UTF-8 sequence start at `at` (RFC 3629); 0: none. */
size_t utf8_length(const unsigned char *at);

/* Up to its NUL. */
bool utf8_is_valid(const char *text);

#endif
