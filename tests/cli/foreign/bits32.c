/* SPDX-License-Identifier: Apache-2.0 */
/* A 32-bit process; without a libc, so that no 32-bit one is needed to build it. */

static int call(int number, int a, const void *b, int c)
{
	int ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return ret;
}

void _start(void);
void _start(void)
{
	enum { EXIT = 1, READ = 3, WRITE = 4 };
	char c;

	call(WRITE, 1, "ready\n", 6);
	while (call(READ, 0, &c, 1) > 0)
		;
	call(EXIT, 0, 0, 0);
	for (;;)
		;
}
