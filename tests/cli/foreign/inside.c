/* SPDX-License-Identifier: Apache-2.0 */
/* A library that takes memory from the malloc it finds, and says in which file it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

const char *use_inside(void);
const char *use_inside(void)
{
	void *(*volatile asked)(size_t) = malloc;
	Dl_info info;

	for (int i = 0; i < 1000; i++) {
		volatile char *block = asked(1000);

		if (block == NULL)
			return "nowhere";
		block[0] = 1;
	}
	return dladdr((void *)asked, &info) == 0 ? "unknown" : info.dli_fname;
}
