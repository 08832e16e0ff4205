/* SPDX-License-Identifier: Apache-2.0
 *
 * What a seccomp filter may take from the library: notices when the program installs one, and lists the system calls that
 * the library makes where the program would not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "slim_socket.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64

static long raw_call(long number, const long arguments[6])
{
	register long fourth __asm__("r10") = arguments[3];
	register long fifth __asm__("r8") = arguments[4];
	register long sixth __asm__("r9") = arguments[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(fourth), "r"(fifth),
			   "r"(sixth)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64

static long raw_call(long number, const long arguments[6])
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = arguments[0];
	register long x1 __asm__("x1") = arguments[1];
	register long x2 __asm__("x2") = arguments[2];
	register long x3 __asm__("x3") = arguments[3];
	register long x4 __asm__("x4") = arguments[4];
	register long x5 __asm__("x5") = arguments[5];

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "an architecture whose system calls this file does not know"
#endif

static uint32_t permitted = SLIM_MAY_LOOK | SLIM_MAY_ACCEPT | SLIM_MAY_ASK;

uint32_t slim_permitted(void)
{
	return __atomic_load_n(&permitted, __ATOMIC_RELAXED);
}

void slim_forbid(uint32_t what)
{
	__atomic_and_fetch(&permitted, ~what, __ATOMIC_RELAXED);
}

const struct slim_call *slim_own_calls(size_t *count)
{
/* A descriptor like any other; pointers that no filter can look behind. */
#define CALL(what, name, ...) { what, { SYS_##name, ARCHITECTURE, 0, { __VA_ARGS__ } } }
#define CARRY(level, name) CALL(SLIM_MAY_ASK, getsockopt, 9, level, name), CALL(SLIM_MAY_ASK, setsockopt, 9, level, name)
	static const struct slim_call calls[] = {
		CALL(SLIM_MAY_LOOK, getsockopt, 9, SOL_SOCKET, SO_COOKIE),
		CALL(SLIM_MAY_LOOK, getsockopt, 9, SOL_SOCKET, SLIM_SO_NETNS_COOKIE),
		CALL(SLIM_MAY_LOOK, getsockopt, 9, SOL_SOCKET, SO_DOMAIN),
		CALL(SLIM_MAY_LOOK, getsockopt, 9, SOL_SOCKET, SO_PROTOCOL),
		CALL(SLIM_MAY_LOOK | SLIM_MAY_ACCEPT, getpeername, 9),
		CALL(SLIM_MAY_LOOK | SLIM_MAY_ACCEPT, rt_sigprocmask, (uint32_t)-1, 0, 0, 8),
		CALL(SLIM_MAY_ACCEPT, fcntl, 9, F_DUPFD_CLOEXEC),
		CALL(SLIM_MAY_ACCEPT, fcntl, 9, F_SETFL, O_RDWR | O_NONBLOCK),
		CALL(SLIM_MAY_ACCEPT, recvmsg, 9),
		CALL(SLIM_MAY_ACCEPT, recvmsg, 9, 0, MSG_CMSG_CLOEXEC),
		CALL(SLIM_MAY_ACCEPT, close, 9),
		CALL(SLIM_MAY_ASK, getsockopt, 9, IPPROTO_TCP, TCP_INFO),
		CALL(SLIM_MAY_ASK, getsockname, 9),
		CALL(SLIM_MAY_ASK, socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC),
		CALL(SLIM_MAY_ASK, socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP),
		CALL(SLIM_MAY_ASK, socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC),
		CARRY(IPPROTO_TCP, TCP_NODELAY), CARRY(IPPROTO_TCP, TCP_KEEPIDLE), CARRY(IPPROTO_TCP, TCP_KEEPINTVL),
		CARRY(IPPROTO_TCP, TCP_KEEPCNT), CARRY(IPPROTO_TCP, TCP_USER_TIMEOUT), CARRY(IPPROTO_TCP, TCP_LINGER2),
		CARRY(IPPROTO_TCP, TCP_NOTSENT_LOWAT), CARRY(SOL_SOCKET, SO_KEEPALIVE), CARRY(SOL_SOCKET, SO_RCVTIMEO),
		CARRY(SOL_SOCKET, SO_SNDTIMEO), CARRY(SOL_SOCKET, SO_LINGER), CARRY(SOL_SOCKET, SO_OOBINLINE),
		CALL(SLIM_MAY_ASK, connect, 9),
		CALL(SLIM_MAY_ASK, bind, 9),
		CALL(SLIM_MAY_ASK, shutdown, 9, SHUT_RDWR),
		CALL(SLIM_MAY_ASK, sendmsg, 9, 0, MSG_NOSIGNAL),
		CALL(SLIM_MAY_ASK, sendmsg, 9, 0, MSG_DONTWAIT | MSG_NOSIGNAL),
		CALL(SLIM_MAY_ASK, recvmsg, 9, 0, MSG_CMSG_CLOEXEC | MSG_DONTWAIT),
		CALL(SLIM_MAY_ASK, dup3, 9, 8, O_CLOEXEC),
		CALL(SLIM_MAY_ASK, fcntl, 9, F_SETFL, O_RDWR),
		CALL(SLIM_MAY_ASK, fcntl, 9, F_SETFL, O_RDWR | O_NONBLOCK),
		CALL(SLIM_MAY_ASK, fcntl, 9, F_GETFD),
		CALL(SLIM_MAY_ASK, fcntl, 9, F_GETFL),
		CALL(SLIM_MAY_ASK, sched_yield, 0),
		CALL(SLIM_MAY_ASK, nanosleep, 0),
		CALL(SLIM_MAY_ASK, clock_gettime, 1),
		CALL(SLIM_MAY_ASK, mmap, 0, 4096, 3, 0x22, (uint32_t)-1),
		CALL(SLIM_MAY_ASK, munmap, 0, 4096),
		CALL(SLIM_MAY_ASK, madvise, 0, 4096, 18),
	};

	*count = sizeof(calls) / sizeof(calls[0]);
	return calls;
}

static long checked(long result)
{
	if (result < 0 && result >= -4095) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

/* A filter that is about to be installed: what it takes from the library is given up before. */
static long install(long number, const long arguments[6], const void *program)
{
	uint32_t before = slim_permitted();
	long result;

	slim_yield_to_filter(program);
	result = checked(raw_call(number, arguments));
	if (result == -1 && before != slim_permitted()) {
		__atomic_store_n(&permitted, before, __ATOMIC_RELAXED);
		setenv("SLIM_ROUTER", slim_router_name(), 1);
	}
	return result;
}

long slim_system_call(long number, const long arguments[6])
{
	if (number == SYS_seccomp && arguments[0] <= SECCOMP_SET_MODE_FILTER && arguments[0] >= SECCOMP_SET_MODE_STRICT)
		return install(number, arguments,
			       arguments[0] == SECCOMP_SET_MODE_FILTER ? (const void *)arguments[2] : NULL);
	if (number == SYS_prctl && arguments[0] == PR_SET_SECCOMP)
		return install(number, arguments,
			       arguments[1] == SECCOMP_MODE_FILTER ? (const void *)arguments[2] : NULL);
	return checked(raw_call(number, arguments));
}

void slim_pass_on(void)
{
	setenv("SLIM_ROUTER", SLIM_NO_ROUTER, 1);
}
