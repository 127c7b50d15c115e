/* SPDX-License-Identifier: Apache-2.0 */
/* For targets that must not run libc's code any more. */
#ifndef RAW_H
#define RAW_H

#include <sys/syscall.h>

/* A system call without libc: even syscall(2)'s own page would come back. */
static inline long raw(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
#else /* aarch64 */
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
#endif
}

/* Says so, rests until stdin closes, and ends. */
static inline void raw_rest(void)
{
	static const char ready[] = "ready\n";
	char c;

	raw(SYS_write, 1, (long)ready, sizeof ready - 1, 0);
	while (raw(SYS_read, 0, (long)&c, 1, 0) > 0)
		;
	raw(SYS_exit_group, 0, 0, 0, 0);
}

#endif
