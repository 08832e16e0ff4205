// SPDX-License-Identifier: GPL-2.0
/* The system calls of 32-bit programs, which a 64-bit one can make too. */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include "test.h"

#define COMPAT_IOCTL 54
#define COMPAT_SOCKETCALL 102
#define COMPAT_BIND 361
#define COMPAT_CONNECT 362
#define COMPAT_LISTEN 363
#define COMPAT_GETSOCKOPT 365
#define COMPAT_SETSOCKOPT 366
#define COMPAT_GETPEERNAME 368
#define COMPAT_SENDTO 369

/*
 * Pointers are below 4 GiB: this program is linked statically to a fixed address, and what is
 * passed is static.
 */
static long compat(long number, long one, long two, long three, long four, long five, long six)
{
	long result;

	asm volatile("push %%rbp\n\tmov %7, %%rbp\n\tint $0x80\n\tpop %%rbp"
		     : "=a"(result)
		     : "a"(number), "b"(one), "c"(two), "d"(three), "S"(four), "D"(five), "r"(six)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static long address_of(const void *pointer)
{
	EXPECT((uintptr_t)pointer <= UINT32_MAX);
	return (uintptr_t)pointer;
}

void refuses_32_bit_calls(int family)
{
	static struct sockaddr_storage address, unspecified;
	static const unsigned int controls[] = {
		SIOCGIFCONF, SIOCGIFNAME, SIOCGIFADDR, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFMAP, SIOCETHTOOL,
		SIOCGIFBR, SIOCGIFVLAN, SIOCDEVPRIVATE, 0x8b01, 0x894c, SIOCADDRT, SIOCBONDINFOQUERY, SIOCGIFCOUNT,
	};
	static char value[256] = "lo", byte[] = "x";
	static int length, one = 1;
	static unsigned int arguments[6];
	struct sockaddr_storage other;
	int client, server, size = loopback(family, 9, &other);
	unsigned int index;

	address = other;
	connected_pair(family, &client, &server);
	/* They work here at all. */
	EXPECT(compat(COMPAT_SETSOCKOPT, client, SOL_SOCKET, SO_REUSEPORT, address_of(&one), 4, 0) == 0);
	EXPECT(compat(COMPAT_IOCTL, client, SIOCGIFINDEX, address_of(value), 0, 0, 0) == 0);
	EXPECT(tag(client, family) == 0);

	EXPECT(compat(COMPAT_CONNECT, client, address_of(&unspecified), 16, 0, 0, 0) == -EPERM);
	EXPECT(compat(COMPAT_BIND, client, address_of(&address), size, 0, 0, 0) == -EPERM);
	EXPECT(compat(COMPAT_LISTEN, client, 5, 0, 0, 0, 0) == -EPERM);
	EXPECT(compat(COMPAT_SENDTO, client, address_of(byte), 1, MSG_NOSIGNAL, address_of(&address), size) == -EPERM);
	EXPECT(compat(COMPAT_SENDTO, client, address_of(byte), 1, 0x20000000, address_of(&address), size) == -EPERM);
	EXPECT(compat(COMPAT_SETSOCKOPT, client, SOL_SOCKET, SO_REUSEPORT, address_of(&one), 4, 0) == -EPERM);
	EXPECT(compat(COMPAT_SETSOCKOPT, client, SOL_SOCKET, SO_BINDTODEVICE, address_of(value), 3, 0) == -EPERM);
	EXPECT(compat(COMPAT_SETSOCKOPT, client, SOL_IP, IP_TRANSPARENT, address_of(&one), 4, 0) == -EPERM);
	EXPECT(compat(COMPAT_SETSOCKOPT, client, SOL_TCP, TCP_NODELAY, address_of(&one), 4, 0) == 0);
	length = 4;
	EXPECT(compat(COMPAT_GETSOCKOPT, client, SOL_SOCKET, SO_MARK, address_of(value), address_of(&length), 0) ==
	       -EPERM);
	EXPECT(compat(COMPAT_GETSOCKOPT, client, SOL_IP, 80, address_of(value), address_of(&length), 0) == -EPERM);
	length = sizeof(value);
	EXPECT(compat(COMPAT_GETPEERNAME, client, address_of(value), address_of(&length), 0, 0, 0) == 0);
	EXPECT(((struct sockaddr_in *)value)->sin_port == htons(OVERLAY_PEER_PORT));
	for (index = 0; index < sizeof(controls) / sizeof(*controls); index++) {
		strcpy(value, "lo");
		if (compat(COMPAT_IOCTL, client, controls[index], address_of(value), 0, 0, 0) != -EPERM) {
			printf("    ioctl %#x\n", controls[index]);
			EXPECT(!"controlled");
		}
	}
	/* socketcall: SYS_BIND is 2, SYS_SETSOCKOPT 14 */
	arguments[0] = client;
	arguments[1] = address_of(&address);
	arguments[2] = size;
	EXPECT(compat(COMPAT_SOCKETCALL, 2, address_of(arguments), 0, 0, 0, 0) == -EPERM);
	arguments[1] = SOL_SOCKET;
	arguments[2] = SO_PRIORITY;
	arguments[3] = address_of(&one);
	arguments[4] = 4;
	EXPECT(compat(COMPAT_SOCKETCALL, 14, address_of(arguments), 0, 0, 0, 0) == -EPERM);
	EXPECT(carries_data(client, server));

	/* The device's own requests have one layout for both. */
	{
		static struct slim_guard_query query;

		query.fd = client;
		EXPECT(compat(COMPAT_IOCTL, slim_device(), SLIM_GUARD_QUERY, address_of(&query), 0, 0, 0) == 0);
		EXPECT(query.entry.cookie == cookie_of(client) && query.entry.id == 7);
	}
}
