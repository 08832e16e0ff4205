// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/sockios.h>
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include "options.h"
#include "uapi/slim_options.h"

/* A socket's level and option as one number, for switch. */
#define SLIM_OPTION(level, option) (((u64)(u32)(level) << 32) | (u32)(option))
#define SLIM_OPTION_CASE(level, option) case SLIM_OPTION(level, option):

enum slim_permission slim_may_set(int level, int option)
{
	switch (SLIM_OPTION(level, option)) {
	SLIM_OPTIONS_SET(SLIM_OPTION_CASE)
		return SLIM_PERMITTED;
	SLIM_OPTIONS_IGNORED(SLIM_OPTION_CASE)
		return SLIM_IGNORED;
	default:
		return SLIM_REFUSED;
	}
}

bool slim_may_get(int level, int option)
{
	switch (SLIM_OPTION(level, option)) {
	SLIM_OPTIONS_SET(SLIM_OPTION_CASE)
	SLIM_OPTIONS_READ(SLIM_OPTION_CASE)
	/* Answered by the socket's getname, with the address of the overlay. */
	case SLIM_OPTION(SOL_SOCKET, SO_PEERNAME):
		return true;
	default:
		return false;
	}
}

#define SLIM_CONTROL_CASE(command) case command:

bool slim_may_control(unsigned int command)
{
	switch (command) {
	SLIM_CONTROLS(SLIM_CONTROL_CASE)
		return true;
	}
	switch (_IOC_TYPE(command)) {
	SLIM_CONTROL_RANGES(SLIM_CONTROL_CASE)
		return false;
	default:
		return true;
	}
}

static void slim_option_clear(struct socket *sock, int level, int option)
{
	int zero = 0;

	/*
	 * An option that the socket does not have need not be cleared: errors are of no interest.
	 */
	if (level == SOL_SOCKET)
		sock_setsockopt(sock, level, option, KERNEL_SOCKPTR(&zero), sizeof(zero));
	else
		sock->ops->setsockopt(sock, level, option, KERNEL_SOCKPTR(&zero), sizeof(zero));
}

/*
 * Takes away what would show addresses and interfaces of the host beside data and in the error
 * queue, and empties that.
 */
void slim_options_clear(struct socket *sock)
{
	slim_option_clear(sock, SOL_SOCKET, SO_TIMESTAMPING_OLD);
	slim_option_clear(sock, SOL_IP, IP_PKTINFO);
	if (sock->sk->sk_family == AF_INET6) {
		slim_option_clear(sock, SOL_IPV6, IPV6_RECVPKTINFO);
		slim_option_clear(sock, SOL_IPV6, IPV6_RECVERR);
	}
	slim_option_clear(sock, SOL_IP, IP_RECVERR);
}
