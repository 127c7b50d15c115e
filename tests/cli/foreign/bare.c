/* SPDX-License-Identifier: Apache-2.0 */
/* A program without any libc, which says "ready" and rests. */
static long call(long number, long a, const void *b, long c)
{
	long ret;

#ifdef __x86_64__
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register const void *x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	ret = x0;
#endif
	return ret;
}

#ifdef __x86_64__
enum { READ = 0, WRITE = 1, EXIT = 60 };
#else
enum { READ = 63, WRITE = 64, EXIT = 93 };
#endif

#ifdef OWN_MALLOC
static char buffer[4096];

void *malloc(unsigned long bytes);
void *malloc(unsigned long bytes)
{
	return bytes > sizeof buffer ? (void *)0 : buffer;
}
#endif

void _start(void);
void _start(void)
{
	char c;

#ifdef OWN_MALLOC
	*(volatile char *)malloc(100) = 1;
#endif
	call(WRITE, 1, "ready\n", 6);
	while (call(READ, 0, &c, 1) > 0)
		;
	call(EXIT, 0, 0, 0);
	for (;;)
		;
}
