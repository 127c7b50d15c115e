// LDFLAGS: -static
/* SPDX-License-Identifier: Apache-2.0 */
/* static: glibc's malloc without a libc.so.6 in the maps. */
#include "target.h"

#include <pthread.h>

static void *park(void *arg)
{
	target_block(1000);
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	pthread_t thread;

	target_block(5000);
	if (pthread_create(&thread, NULL, park, NULL) != 0)
		target_fail("pthread_create");
	target_rest();
}
