/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_VERSION_H
#define LAYOUT_VERSION_H

#include "layout/image.h"

/*
 * Whether an image is glibc, or has it linked in, and which release, from the
 * texts in its file: sets is_glibc, version and release.
 */
void version_find(struct image *image);

#endif
