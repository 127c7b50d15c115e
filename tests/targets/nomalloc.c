/* SPDX-License-Identifier: Apache-2.0 */
/* nomalloc: a process that never calls malloc, so that main_arena is as libc's file has
 * it. */
#include "target.h"

int main(void)
{
	target_rest();
}
