/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's 32-bit system calls, from a 64-bit program.
 */
#pragma once
#include "attacks.h"
#include <sys/mman.h>

#if defined(__x86_64__)
#define COMPAT_IOCTL 54
#define COMPAT_SOCKETCALL 102
#define COMPAT_CONNECT 362
#define COMPAT_LISTEN 363
#define COMPAT_GETSOCKOPT 365
#define COMPAT_SETSOCKOPT 366
#define COMPAT_GETPEERNAME 368

/* What a pointer of 32 bits can point to: one page that is used again and again. */
static inline void *low_memory(void)
{
	static void *page;

	if (!page)
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return page == MAP_FAILED ? NULL : page;
}

/* -errno on failure. */
static inline int compat(int number, long a, long b, long c, long d, long e)
{
	int result;

	/* r8 to r11 do not survive on every kernel. */
	__asm__ volatile("int $0x80"
		: "=a"(result)
		: "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
		: "memory", "r8", "r9", "r10", "r11");
	return result;
}
#else
static inline void *low_memory(void)
{
	return NULL;
}

static inline int compat(int number, long a, long b, long c, long d, long e)
{
	(void)number, (void)a, (void)b, (void)c, (void)d, (void)e;
	return -ENOSYS;
}
#define COMPAT_IOCTL 0
#define COMPAT_SOCKETCALL 0
#define COMPAT_CONNECT 0
#define COMPAT_LISTEN 0
#define COMPAT_GETSOCKOPT 0
#define COMPAT_SETSOCKOPT 0
#define COMPAT_GETPEERNAME 0
#endif
