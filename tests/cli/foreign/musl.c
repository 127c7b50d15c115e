/* SPDX-License-Identifier: Apache-2.0 */
/* A process with another libc's malloc. */
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	volatile char *block = malloc(1000);
	char c;

	block[0] = 1;
	if (write(1, "ready\n", 6) != 6)
		return 1;
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
