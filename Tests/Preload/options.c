/* SPDX-License-Identifier: Apache-2.0
 *
 * getsockopt() and setsockopt() on sockets that are not connected yet, that are connected, that listen, and that were
 * accepted: what was set before is there afterwards.
 */
#include "check.h"

static const struct kept {
	const char *name;
	int level, option, value, expected;
} kept[] = {
	{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1, 1 },
	{ "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1, 1 },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 70000, 140000 },
	{ "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 60000, 120000 },
	{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 7, 7 },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1, 1 },
	{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 33, 33 },
	{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 44, 44 },
	{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 5, 5 },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 12345, 12345 },
	{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 3, 3 },
	{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384, 16384 },
	{ "IP_TOS", IPPROTO_IP, IP_TOS, 0x20, 0x20 },
	{ "IP_TTL", IPPROTO_IP, IP_TTL, 55, 55 },
};
#define KEPT (int)(sizeof(kept) / sizeof(kept[0]))

static void set_all(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 3 };
	int index;

	for (index = 0; index < KEPT; index++)
		if (set_option(fd, kept[index].level, kept[index].option, kept[index].value))
			check(kept[index].name, 0, "cannot be set: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	set_timeout(fd, SO_SNDTIMEO, 4500);
	set_timeout(fd, SO_RCVTIMEO, 3500);
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

static void has_all(const char *where, int fd)
{
	struct linger linger = { 0 };
	struct timeval limit = { 0 };
	char name[64], congestion[16] = "";
	socklen_t length;
	int index;

	for (index = 0; index < KEPT; index++) {
		int value = option_of(fd, kept[index].level, kept[index].option);

		snprintf(name, sizeof(name), "%s, %s", kept[index].name, where);
		check(name, value == kept[index].expected, "%d, not %d", value, kept[index].expected);
	}
	length = sizeof(linger);
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length);
	snprintf(name, sizeof(name), "SO_LINGER, %s", where);
	check(name, linger.l_onoff == 1 && linger.l_linger == 3, "%d %d", linger.l_onoff, linger.l_linger);
	length = sizeof(limit);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length);
	snprintf(name, sizeof(name), "SO_SNDTIMEO, %s", where);
	check(name, limit.tv_sec == 4 && limit.tv_usec / 1000 / 10 == 50, "%ld", (long)limit.tv_sec);
	length = sizeof(limit);
	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length);
	snprintf(name, sizeof(name), "SO_RCVTIMEO, %s", where);
	check(name, limit.tv_sec == 3, "%ld", (long)limit.tv_sec);
	length = sizeof(congestion);
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, &length);
	snprintf(name, sizeof(name), "TCP_CONGESTION, %s", where);
	check(name, !strcmp(congestion, "reno"), "%s", congestion);
}

static void is(const char *what, int fd, int family, int accepting)
{
	char name[64];

	snprintf(name, sizeof(name), "SO_DOMAIN, %s", what);
	check(name, option_of(fd, SOL_SOCKET, SO_DOMAIN) == family, "%d", option_of(fd, SOL_SOCKET, SO_DOMAIN));
	snprintf(name, sizeof(name), "SO_TYPE, %s", what);
	check(name, option_of(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM, "%d", option_of(fd, SOL_SOCKET, SO_TYPE));
	snprintf(name, sizeof(name), "SO_PROTOCOL, %s", what);
	check(name, option_of(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP, "%d", option_of(fd, SOL_SOCKET, SO_PROTOCOL));
	snprintf(name, sizeof(name), "SO_ACCEPTCONN, %s", what);
	check(name, option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == accepting, "%d", option_of(fd, SOL_SOCKET, SO_ACCEPTCONN));
	snprintf(name, sizeof(name), "SO_ERROR, %s", what);
	check(name, option_of(fd, SOL_SOCKET, SO_ERROR) == 0, "%d", option_of(fd, SOL_SOCKET, SO_ERROR));
}

static int state_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) ? -errno : info.tcpi_state;
}

static void connecting(int family, const char *host)
{
	int fd = socket(family, SOCK_STREAM, 0);
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	is("unconnected", fd, family, 0);
	set_all(fd);
	if (family == AF_INET6) {
		set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x28);
		set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44);
	}
	has_all("before connect", fd);
	check("TCP_INFO before connect", state_of(fd) == TCP_CLOSE, "%d", state_of(fd));
	CHECK_OK("connect", connect_to(fd, host, PEER_PORT));
	has_all("after connect", fd);
	is("connected", fd, family, 0);
	if (family == AF_INET6) {
		check("IPV6_TCLASS", option_of(fd, IPPROTO_IPV6, IPV6_TCLASS) == 0x28, "%d",
		      option_of(fd, IPPROTO_IPV6, IPV6_TCLASS));
		check("IPV6_UNICAST_HOPS", option_of(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 44, "%d",
		      option_of(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS));
	}
	check("carries data", write(fd, "echo\n", 5) == 5 && (set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 1), echoes(fd)), "no echo");
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	check("TCP_INFO", info.tcpi_state == TCP_ESTABLISHED && info.tcpi_rtt > 0 && info.tcpi_snd_mss > 0, "%d %u",
	      info.tcpi_state, info.tcpi_rtt);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 0);
	check("changed when connected", option_of(fd, IPPROTO_TCP, TCP_NODELAY) == 0, "no");
	/* In secure mode what is not known to be harmless is refused. */
	check("unknown option", set_option(fd, IPPROTO_TCP, 9999, 1) == -1 && (errno == ENOPROTOOPT || (is_secure() && errno == EPERM)), "%d", errno);
	CHECK_FAILS("bad value", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, "", 1), EINVAL);
	CHECK_FAILS("wild value", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (void *)16, 4), EFAULT);
	close(fd);
}

static void listening(int family, const char *at)
{
	int listening = socket(family, SOCK_STREAM, 0), control, fd, value;
	struct sockaddr_in *none = (void *)16;
	socklen_t length;

	set_option(listening, SOL_SOCKET, SO_REUSEADDR, 1);
	set_all(listening);
	bind_to(listening, at, 6401);
	listen(listening, 5);
	is("listening", listening, family, 1);
	has_all("listening", listening);
	check("SO_REUSEADDR, listening", option_of(listening, SOL_SOCKET, SO_REUSEADDR) == 1, "no");
	check("TCP_INFO, listening", state_of(listening) == TCP_LISTEN, "%d", state_of(listening));
	if (family == AF_INET6)
		check("IPV6_V6ONLY, listening", option_of(listening, IPPROTO_IPV6, IPV6_V6ONLY) == 0, "no");
	CHECK_FAILS("unknown option of a listener", option_of(listening, IPPROTO_TCP, 9999) == -ENOPROTOOPT ? (errno = ENOPROTOOPT, -1) : 0,
		    ENOPROTOOPT);
	CHECK_FAILS("unknown option to a listener", set_option(listening, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
	length = sizeof(value);
	CHECK_FAILS("wild value of a listener", getsockopt(listening, SOL_SOCKET, SO_TYPE, none, &length), EFAULT);
	length = 2;
	value = 0x55555555;
	CHECK_OK("short value of a listener", getsockopt(listening, SOL_SOCKET, SO_TYPE, &value, &length));
	check("short value", length == 2 && value == (0x55550000 | SOCK_STREAM), "%x", value);
	length = -1;
	CHECK_FAILS("negative length", getsockopt(listening, SOL_SOCKET, SO_TYPE, &value, &length), EINVAL);

	control = dialled(own_v4, 6401);
	fd = accept(listening, NULL, NULL);
	has_all("accepted", fd);
	is("accepted", fd, family, 0);
	check("TCP_INFO, accepted", state_of(fd) == TCP_ESTABLISHED, "%d", state_of(fd));
	close(fd);
	close(control);

	CHECK_OK("set on a listener", set_option(listening, IPPROTO_TCP, TCP_KEEPIDLE, 66));
	CHECK_OK("set TCP_NODELAY on a listener", set_option(listening, IPPROTO_TCP, TCP_NODELAY, 0));
	CHECK_OK("set TCP_DEFER_ACCEPT", set_option(listening, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0));
	CHECK_OK("set SO_RCVLOWAT on a listener", set_option(listening, SOL_SOCKET, SO_RCVLOWAT, 1));
	check("told by the listener", option_of(listening, IPPROTO_TCP, TCP_KEEPIDLE) == 66, "%d",
	      option_of(listening, IPPROTO_TCP, TCP_KEEPIDLE));
	control = dialled(own_v4, 6401);
	fd = accept(listening, NULL, NULL);
	check("set after listen, accepted", option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 66, "%d",
	      option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE));
	check("unset after listen, accepted", option_of(fd, IPPROTO_TCP, TCP_NODELAY) == 0, "set");
	check("accepted carries data", echoes(fd), "no echo");
	close(fd);
	close(control);
	close(listening);
}

static void fresh(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0), pair[2], index;
	int buffers[2][2];

	/* Sockets on which nothing was set have what every new socket has. */
	connect_to(fd, peer_v4, PEER_PORT);
	for (index = 0; index < KEPT; index++) {
		if (kept[index].option == SO_RCVBUF || kept[index].option == SO_SNDBUF)
			continue;
		check("standard value", option_of(fd, kept[index].level, kept[index].option) ==
		      option_of(other, kept[index].level, kept[index].option), "%s: %d, not %d", kept[index].name,
		      option_of(fd, kept[index].level, kept[index].option), option_of(other, kept[index].level, kept[index].option));
	}
	buffers[0][0] = option_of(fd, SOL_SOCKET, SO_RCVBUF);
	buffers[0][1] = option_of(fd, SOL_SOCKET, SO_SNDBUF);
	buffers[1][0] = option_of(other, SOL_SOCKET, SO_RCVBUF);
	buffers[1][1] = option_of(other, SOL_SOCKET, SO_SNDBUF);
	check("buffers", buffers[0][0] >= buffers[1][0] && buffers[0][1] >= buffers[1][1], "%d %d", buffers[0][0], buffers[0][1]);
	close(fd);
	close(other);
	CHECK_FAILS("closed descriptor", set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1), EBADF);
	check("closed descriptor, get", option_of(fd, SOL_SOCKET, SO_KEEPALIVE) == -EBADF, "no");
	check("no socket", option_of(0, SOL_SOCKET, SO_KEEPALIVE) == -ENOTSOCK, "no");
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	check("a Unix socket", option_of(pair[0], SOL_SOCKET, SO_DOMAIN) == AF_UNIX && !option_of(pair[0], SOL_SOCKET, SO_ACCEPTCONN),
	      "no");
	CHECK_OK("a Unix socket, set", set_option(pair[0], SOL_SOCKET, SO_PASSCRED, 1));
	close(pair[0]);
	close(pair[1]);
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	connecting(AF_INET, peer_v4);
	connecting(AF_INET6, peer_v6);
	listening(AF_INET, "0.0.0.0");
	listening(AF_INET6, "::");
	fresh();
	return finish();
}
