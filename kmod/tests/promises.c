// SPDX-License-Identifier: GPL-2.0
/* What a tagged socket refuses, what it shows, and what it still does. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include "test.h"

void refuses_what_is_promised(int family)
{
	int client, server, unconnected = socket(family, SOCK_STREAM, 0);

	connected_pair(family, &client, &server);
	EXPECT(tag(client, family) == 0);
	EXPECT(tag(server, family) == 0);
	EXPECT(tag(unconnected, family) == 0);
	attack(client, family);
	attack(server, family);
	attack(unconnected, family);
	EXPECT(carries_data(client, server));
	/* There is no way to take a tag off. */
	REFUSED(tag(client, family), EALREADY);
	shutdown(client, SHUT_RDWR);
	attack(client, family);
}

void shows_overlay_addresses(int family)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int client, server;

	connected_pair(family, &client, &server);
	EXPECT(!shows_overlay(client, 0));
	EXPECT(tag(client, family) == 0);
	EXPECT(shows_overlay(client, 0));
	EXPECT(shows_overlay(client, 1));
	EXPECT(!shows_overlay(server, 1));
	length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	EXPECT(getsockopt(client, SOL_SOCKET, SO_PEERNAME, &address, &length) == 0);
	EXPECT(((struct sockaddr_in *)&address)->sin_port == htons(OVERLAY_PEER_PORT));

	/* Where the kernel has no peer to tell of, neither has the guard. */
	client = socket(family, SOCK_STREAM, 0);
	EXPECT(tag(client, family) == 0);
	EXPECT(shows_overlay(client, 0));
	length = sizeof(address);
	REFUSED(getpeername(client, (struct sockaddr *)&address, &length), ENOTCONN);
}

void shows_v4_overlay_addresses_on_v6(int family)
{
	struct sockaddr_in6 address;
	socklen_t length = sizeof(address);
	struct slim_guard_tag request;
	int client, server;

	connected_pair(family, &client, &server);
	request = tag_for(client, AF_INET);
	EXPECT(ioctl(slim_device(), SLIM_GUARD_TAG, &request) == 0);
	if (family == AF_INET)
		return;
	EXPECT(getpeername(client, (struct sockaddr *)&address, &length) == 0);
	EXPECT(length == sizeof(address) && address.sin6_family == AF_INET6);
	EXPECT(IN6_IS_ADDR_V4MAPPED(&address.sin6_addr) && address.sin6_addr.s6_addr[15] == 3);
}

/* Moves a mebibyte from a file by sendfile, and out of the socket by splice. */
static void moves_a_mebibyte(int from, int to)
{
	enum { SIZE = 1 << 20 };
	off_t sent = 0;
	size_t received = 0;
	int file = open("/", O_TMPFILE | O_RDWR, 0600), ends[2];

	EXPECT(ftruncate(file, SIZE) == 0 && pipe(ends) == 0);
	fcntl(from, F_SETFL, O_NONBLOCK);
	while (received < SIZE) {
		ssize_t moved = sent < SIZE ? sendfile(from, file, &sent, SIZE - sent) : 0;

		EXPECT(moved >= 0 || errno == EAGAIN);
		moved = splice(to, NULL, ends[1], NULL, 65536, 0);
		EXPECT(moved > 0);
		if (moved <= 0)
			break;
		received += moved;
		while (moved > 0) {
			static char buffer[65536];
			ssize_t part = read(ends[0], buffer, sizeof(buffer));

			EXPECT(part > 0);
			if (part <= 0)
				return;
			moved -= part;
		}
	}
	fcntl(from, F_SETFL, 0);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

static void completes_zero_copy(int from, int to)
{
	char buffer[4096] = { 0 }, control[512];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd waiting = { .fd = from };
	int one = 1;

	EXPECT(setsockopt(from, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0);
	EXPECT(send(from, buffer, sizeof(buffer), MSG_ZEROCOPY) == sizeof(buffer));
	EXPECT(recv(to, buffer, sizeof(buffer), MSG_WAITALL) == sizeof(buffer));
	EXPECT(poll(&waiting, 1, 10000) == 1 && waiting.revents == POLLERR);
	EXPECT(recvmsg(from, &message, MSG_ERRQUEUE) == 0 && CMSG_FIRSTHDR(&message));
	REFUSED(recvmsg(from, &message, MSG_ERRQUEUE | MSG_DONTWAIT), EAGAIN);
}

void carries_data_as_before(int family)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	char buffer[16];
	int client, server, waiting = 0, epoll = epoll_create1(0);

	connected_pair(family, &client, &server);
	/* Registered before the socket is tagged. */
	EXPECT(epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event) == 0);
	EXPECT(tag(client, family) == 0 && tag(server, family) == 0);
	EXPECT(write(server, "edge", 4) == 4);
	EXPECT(epoll_wait(epoll, &event, 1, 10000) == 1 && event.events == EPOLLIN);
	EXPECT(ioctl(client, FIONREAD, &waiting) == 0 && waiting == 4);
	EXPECT(recv(client, buffer, sizeof(buffer), MSG_PEEK) == 4);
	EXPECT(recv(client, buffer, sizeof(buffer), 0) == 4);
	EXPECT(ioctl(client, SIOCOUTQ, &waiting) == 0 && waiting == 0);
	REFUSED(recv(client, buffer, sizeof(buffer), MSG_DONTWAIT), EAGAIN);
	EXPECT(!isatty(client) && errno == ENOTTY);
	EXPECT(carries_data(client, server));
	moves_a_mebibyte(client, server);
	moves_a_mebibyte(server, client);
	completes_zero_copy(client, server);
	EXPECT(send(client, "!", 1, MSG_OOB) == 1 && recv(server, buffer, 1, MSG_OOB) == 1);
	EXPECT(write(client, "last", 4) == 4 && shutdown(client, SHUT_WR) == 0);
	EXPECT(recv(server, buffer, sizeof(buffer), MSG_WAITALL) == 4 && read(server, buffer, 1) == 0);
	EXPECT(write(server, "more", 4) == 4 && read(client, buffer, sizeof(buffer)) == 4);
	close(server);
	EXPECT(read(client, buffer, 1) == 0);
}

void keeps_harmless_options(int family)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 }, { SOL_SOCKET, SO_RCVBUF, 65536 }, { SOL_SOCKET, SO_SNDBUF, 65536 },
		{ SOL_SOCKET, SO_RCVLOWAT, 2 }, { SOL_SOCKET, SO_OOBINLINE, 1 },
		{ SOL_TCP, TCP_NODELAY, 1 }, { SOL_TCP, TCP_CORK, 1 }, { SOL_TCP, TCP_QUICKACK, 1 },
		{ SOL_TCP, TCP_KEEPIDLE, 77 }, { SOL_TCP, TCP_KEEPINTVL, 7 }, { SOL_TCP, TCP_KEEPCNT, 5 },
		{ SOL_TCP, TCP_USER_TIMEOUT, 9000 }, { SOL_TCP, TCP_NOTSENT_LOWAT, 16384 },
	};
	struct timeval second = { .tv_sec = 1 }, got;
	struct linger linger = { .l_onoff = 1 };
	struct tcp_info info;
	int client, server, value, one = 1;
	socklen_t length;
	unsigned int index;

	connected_pair(family, &client, &server);
	EXPECT(tag(client, family) == 0);
	for (index = 0; index < sizeof(options) / sizeof(*options); index++) {
		value = 0;
		length = sizeof(value);
		EXPECT(setsockopt(client, options[index].level, options[index].option, &options[index].value,
				  sizeof(int)) == 0);
		EXPECT(getsockopt(client, options[index].level, options[index].option, &value, &length) == 0);
		/* The kernel doubles buffers. */
		EXPECT(value == options[index].value || value == 2 * options[index].value);
	}
	EXPECT(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	EXPECT(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) == 0);
	length = sizeof(got);
	EXPECT(getsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &got, &length) == 0 && got.tv_sec == 1);
	length = sizeof(info);
	EXPECT(getsockopt(client, SOL_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state == TCP_ESTABLISHED);
	length = sizeof(value);
	EXPECT(getsockopt(client, SOL_SOCKET, SO_ERROR, &value, &length) == 0 && value == 0);
	EXPECT(cookie_of(client) != 0);

	/* Marking packets is the host's: accepted, without effect. */
	value = 0xb8;
	if (family == AF_INET)
		EXPECT(setsockopt(client, SOL_IP, IP_TOS, &value, sizeof(value)) == 0);
	else
		EXPECT(setsockopt(client, SOL_IPV6, IPV6_TCLASS, &value, sizeof(value)) == 0);
	value = -1;
	length = sizeof(value);
	EXPECT(getsockopt(client, family == AF_INET ? SOL_IP : SOL_IPV6, family == AF_INET ? IP_TOS : IPV6_TCLASS,
			  &value, &length) == 0 && value == 0);
	/* So is the sharing of ports. */
	EXPECT(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	length = sizeof(value);
	EXPECT(getsockopt(client, SOL_SOCKET, SO_REUSEADDR, &value, &length) == 0 && value == 0);
	/* The kernel's own errors stay. */
	REFUSED(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &one, 1), EINVAL);
	REFUSED(setsockopt(client, SOL_TCP, TCP_NODELAY, (void *)8, sizeof(int)), EFAULT);
}

/*
 * What an application had the router set before the socket was tagged does not become a way to see
 * the host.
 */
void clears_what_would_tell_of_the_host(int family)
{
	int client, server, one = 1, stamps = 0xffff & ~0x8000, value = -1;
	socklen_t length = sizeof(value);
	char control[512];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };

	connected_pair(family, &client, &server);
	EXPECT(setsockopt(client, SOL_IP, IP_RECVERR, &one, sizeof(one)) == 0);
	EXPECT(setsockopt(client, SOL_IP, IP_PKTINFO, &one, sizeof(one)) == 0);
	if (family == AF_INET6)
		EXPECT(setsockopt(client, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one)) == 0);
	stamps = (1 << 1) | (1 << 4) | (1 << 8) | (1 << 10); /* TX_SOFTWARE, SOFTWARE, OPT_TSONLY... */
	setsockopt(client, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
	EXPECT(tag(client, family) == 0);
	EXPECT(carries_data(client, server));
	REFUSED(recvmsg(client, &message, MSG_ERRQUEUE | MSG_DONTWAIT), EAGAIN);
	EXPECT(getsockopt(client, SOL_IP, IP_RECVERR, &value, &length) == 0 && value == 0);
	if (family == AF_INET6) {
		value = -1;
		EXPECT(getsockopt(client, SOL_IPV6, IPV6_RECVERR, &value, &length) == 0 && value == 0);
	}
}

/* connect() on a socket that is connecting waits for it: so a preloaded library waits. */
void waits_for_a_pending_connection(int family)
{
	struct sockaddr_storage address, closed;
	int length, waiting = listener(family, &address, &length);
	int client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	connect(client, (struct sockaddr *)&address, length);
	EXPECT(tag(client, family) == 0);
	fcntl(client, F_SETFL, 0);
	loopback(family, 9, &closed);
	/*
	 * Loopback has connected it already, or has not: both is right, and neither goes anywhere
	 * else.
	 */
	EXPECT(connect(client, (struct sockaddr *)&closed, length) == 0 || errno == EISCONN);
	REFUSED(connect(client, (struct sockaddr *)&closed, length), EISCONN);
	EXPECT(carries_data(client, accept(waiting, NULL, NULL)));

	/* A connection that failed does not leave a socket that can be connected. */
	close(waiting);
	client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(client, (struct sockaddr *)&closed, length);
	if (tag(client, family) == 0) {
		fcntl(client, F_SETFL, 0);
		waiting = listener(family, &address, &length);
		connect(client, (struct sockaddr *)&address, length);
		REFUSED(connect(client, (struct sockaddr *)&address, length), EPERM);
		REFUSED(accept4(waiting, NULL, NULL, fcntl(waiting, F_SETFL, O_NONBLOCK)), EAGAIN);
	}
}

void untagged_sockets_are_untouched(int family)
{
	struct sockaddr_storage address;
	char interface[1024] = { 0 };
	struct ifconf configuration = { .ifc_len = sizeof(interface), .ifc_buf = interface };
	int length, waiting = listener(family, &address, &length);
	int client, server, tagged, one = 1, value;
	socklen_t size = sizeof(value);

	connected_pair(family, &tagged, &server);
	EXPECT(tag(tagged, family) == 0);
	client = socket(family, SOCK_STREAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&address, length) == 0);
	EXPECT(setsockopt(client, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0);
	EXPECT(setsockopt(client, SOL_SOCKET, SO_PRIORITY, &one, sizeof(one)) == 0);
	EXPECT(getsockopt(client, SOL_SOCKET, SO_MARK, &value, &size) == 0);
	EXPECT(ioctl(client, SIOCGIFCONF, &configuration) == 0 && configuration.ifc_len > 0);
	strcpy(interface, "lo");
	EXPECT(ioctl(client, SIOCGIFINDEX, interface) == 0);
	EXPECT(connect(client, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr)) == 0);
	EXPECT(listen(client, 1) == 0);
	close(waiting);
	(void)server;
}
