/* SPDX-License-Identifier: Apache-2.0
 *
 * connect(): blocking and not, to what is there and what is not.
 */
#include "check.h"

static int tcp(int family, int flags)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static int echo_command(int fd)
{
	return write(fd, "echo\n", 5) == 5 && echoes(fd);
}

static void blocking(void)
{
	int fd = tcp(AF_INET, 0);

	CHECK_OK("blocking", connect_to(fd, peer_v4, PEER_PORT));
	check("blocking carries data", echo_command(fd), "no echo");
	CHECK_FAILS("connected twice", connect_to(fd, peer_v4, PEER_PORT), EISCONN);
	CHECK_FAILS("connected twice, elsewhere", connect_to(fd, peer_v4, CLOSED_PORT), EISCONN);
	CHECK_FAILS("connected, to loopback", connect_to(fd, "127.0.0.1", CLOSED_PORT), EISCONN);
	check("still carries data", echoes(fd), "no echo");
	close(fd);

	fd = tcp(AF_INET6, 0);
	CHECK_OK("IPv6", connect_to(fd, peer_v6, PEER_PORT));
	check("IPv6 carries data", echo_command(fd), "no echo");
	close(fd);

	fd = tcp(AF_INET6, 0);
	CHECK_OK("IPv6 only", connect_to(fd, peer_v6, PEER_PORT_V6));
	check("IPv6 only carries data", echo_command(fd), "no echo");
	close(fd);

	fd = tcp(AF_INET6, 0);
	CHECK_OK("v4-mapped", connect_to(fd, mapped(peer_v4), PEER_PORT));
	check("v4-mapped carries data", echo_command(fd), "no echo");
	close(fd);

	fd = tcp(AF_INET6, 0);
	CHECK_OK("v4-mapped to an IPv4 listener", connect_to(fd, mapped(peer_v4), PEER_PORT_V4));
	check("v4-mapped to an IPv4 listener carries data", echo_command(fd), "no echo");
	close(fd);

	fd = tcp(AF_INET6, 0);
	set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	CHECK_FAILS("v4-mapped with IPV6_V6ONLY", connect_to(fd, mapped(peer_v4), PEER_PORT), ENETUNREACH);
	close(fd);
}

/* Waits as each of the three does, then repeats connect() until it says that it is connected. */
static void finish_connect(const char *how, int fd)
{
	char name[64];
	int code;

	snprintf(name, sizeof(name), "SO_ERROR after %s", how);
	check(name, option_of(fd, SOL_SOCKET, SO_ERROR) == 0, "%d", option_of(fd, SOL_SOCKET, SO_ERROR));
	errno = 0;
	code = connect_to(fd, peer_v4, PEER_PORT);
	snprintf(name, sizeof(name), "repeated after %s", how);
	check(name, code == 0, "%d, %s", code, strerror(errno));
	snprintf(name, sizeof(name), "repeated again after %s", how);
	CHECK_FAILS(name, connect_to(fd, peer_v4, PEER_PORT), EISCONN);
	snprintf(name, sizeof(name), "data after %s", how);
	check(name, echo_command(fd), "no echo");
	close(fd);
}

static int started(void)
{
	int fd = tcp(AF_INET, SOCK_NONBLOCK);
	int code = connect_to(fd, peer_v4, PEER_PORT);

	check("non-blocking starts", code == 0 || errno == EINPROGRESS, "%d, %s", code, strerror(errno));
	return fd;
}

static void nonblocking(void)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int fd = started(), epoll, code, count = 0;
	struct timeval limit = { .tv_sec = 5 };
	fd_set writable;

	check("poll", ready(fd, POLLOUT, 5000) == POLLOUT, "%x", ready(fd, POLLOUT, 0));
	finish_connect("poll", fd);

	fd = started();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.u64 = 77;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	code = epoll_wait(epoll, &event, 1, 5000);
	check("epoll", code == 1 && event.events == EPOLLOUT && event.data.u64 == 77, "%d, %x", code, event.events);
	close(epoll);
	finish_connect("epoll", fd);

	fd = started();
	FD_ZERO(&writable);
	FD_SET(fd, &writable);
	code = select(fd + 1, NULL, &writable, NULL, &limit);
	check("select", code == 1 && FD_ISSET(fd, &writable), "%d", code);
	finish_connect("select", fd);

	fd = started();
	do {
		code = connect_to(fd, peer_v4, PEER_PORT);
	} while (code && errno == EALREADY && count++ < 10000000);
	check("repeated until connected", code == 0 || errno == EISCONN, "%d, %s", code, strerror(errno));
	CHECK_FAILS("repeated once more", connect_to(fd, peer_v4, PEER_PORT), EISCONN);
	close(fd);
}

static void unspecific(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = tcp(AF_INET, 0);

	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	CHECK_OK("AF_UNSPEC when fresh", connect(fd, &none, sizeof(none)));
	CHECK_OK("after AF_UNSPEC when fresh", connect_to(fd, peer_v4, PEER_PORT));
	CHECK_OK("AF_UNSPEC", connect(fd, &none, sizeof(none)));
	check("unconnected after AF_UNSPEC", !strcmp(peer_name(fd), strerror(ENOTCONN)), "%s", peer_name(fd));
	check("unnamed after AF_UNSPEC", !strncmp(own_name(fd), "0.0.0.0 ", 8), "%s", own_name(fd));
	check("options after AF_UNSPEC", option_of(fd, IPPROTO_TCP, TCP_NODELAY) == 1, "%d",
	      option_of(fd, IPPROTO_TCP, TCP_NODELAY));
	CHECK_OK("after AF_UNSPEC", connect_to(fd, peer_v4, PEER_PORT_V4));
	check("data after AF_UNSPEC", echo_command(fd), "no echo");
	connect(fd, &none, sizeof(none));
	CHECK_FAILS("refused after AF_UNSPEC", connect_to(fd, peer_v4, CLOSED_PORT), ECONNREFUSED);
	CHECK_OK("after refused after AF_UNSPEC", connect_to(fd, peer_v4, PEER_PORT));
	connect(fd, &none, sizeof(none));
	CHECK_OK("listen after AF_UNSPEC", listen(fd, 1));
	check("listens after AF_UNSPEC", option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1, "no");
	CHECK_FAILS("connect of a listener", connect_to(fd, peer_v4, PEER_PORT), EISCONN);
	close(fd);

	fd = tcp(AF_INET, SOCK_NONBLOCK);
	connect_to(fd, peer_v4, PEER_PORT);
	CHECK_OK("AF_UNSPEC in progress", connect(fd, &none, sizeof(none)));
	check("still non-blocking", fcntl(fd, F_GETFL) & O_NONBLOCK, "no");
	check("still close-on-exec", fcntl(fd, F_GETFD) & FD_CLOEXEC, "no");
	connect_to(fd, peer_v4, PEER_PORT);
	check("after AF_UNSPEC in progress", ready(fd, POLLOUT, 5000) == POLLOUT && echo_command(fd), "no echo");
	close(fd);
}

static void refused(void)
{
	int fd = tcp(AF_INET, 0), code, event;

	CHECK_FAILS("refused", connect_to(fd, peer_v4, CLOSED_PORT), ECONNREFUSED);
	check("no SO_ERROR once told", option_of(fd, SOL_SOCKET, SO_ERROR) == 0, "set");
	CHECK_OK("after refused", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);

	fd = tcp(AF_INET6, 0);
	CHECK_FAILS("refused, IPv6", connect_to(fd, peer_v6, CLOSED_PORT), ECONNREFUSED);
	CHECK_FAILS("an IPv4 listener on IPv6", connect_to(fd, peer_v6, PEER_PORT_V4), ECONNREFUSED);
	CHECK_OK("after refused, IPv6", connect_to(fd, peer_v6, PEER_PORT));
	close(fd);
	fd = tcp(AF_INET, 0);
	CHECK_FAILS("an IPv6-only listener on IPv4", connect_to(fd, peer_v4, PEER_PORT_V6), ECONNREFUSED);
	close(fd);

	fd = tcp(AF_INET, SOCK_NONBLOCK);
	code = connect_to(fd, peer_v4, CLOSED_PORT);
	if (code && errno == EINPROGRESS) {
		event = ready(fd, POLLOUT, 5000);
		check("refused, poll", event == (POLLOUT | POLLERR | POLLHUP), "%x", event);
		check("refused, SO_ERROR", option_of(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED, "no");
	} else {
		check("refused at once", code == -1 && errno == ECONNREFUSED, "%d, %s", code, strerror(errno));
	}
	close(fd);

	fd = tcp(AF_INET, 0);
	CHECK_FAILS("to port 0", connect_to(fd, peer_v4, 0), ECONNREFUSED);
	close(fd);
	fd = tcp(AF_INET, 0);
	CHECK_FAILS("refused on loopback", connect_to(fd, "127.0.0.1", CLOSED_PORT), ECONNREFUSED);
	close(fd);
	fd = tcp(AF_INET, 0);
	CHECK_FAILS("to a network that is not there", connect_to(fd, "240.0.0.1", PEER_PORT), ENETUNREACH);
	close(fd);
}

static void bound(void)
{
	char expected[64];
	int fd = tcp(AF_INET, 0), other;

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_OK("bind to the own address and a port", bind_to(fd, own_v4, 6101));
	CHECK_OK("connect when bound", connect_to(fd, peer_v4, PEER_PORT));
	snprintf(expected, sizeof(expected), "%s 6101", own_v4);
	check("bound name", !strcmp(own_name(fd), expected), "%s", own_name(fd));
	CHECK_FAILS("bind when connected", bind_to(fd, own_v4, 6102), EINVAL);
	CHECK_FAILS("listen when connected", listen(fd, 1), EINVAL);
	CHECK_FAILS("accept when connected", accept(fd, NULL, NULL), EINVAL);
	close(fd);

	fd = tcp(AF_INET, 0);
	CHECK_OK("bind to the own address, port 0", bind_to(fd, own_v4, 0));
	other = port_of(fd);
	CHECK_OK("connect when bound to port 0", connect_to(fd, peer_v4, PEER_PORT));
	check("the port stays", port_of(fd) == other, "%d, not %d", port_of(fd), other);
	close(fd);

	fd = tcp(AF_INET6, 0);
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_OK("bind to ::", bind_to(fd, "::", 6103));
	CHECK_OK("connect when bound to ::", connect_to(fd, peer_v6, PEER_PORT));
	snprintf(expected, sizeof(expected), "%s 6103", own_v6);
	check("name when bound to ::", !strcmp(own_name(fd), expected), "%s", own_name(fd));
	close(fd);

	fd = tcp(AF_INET, 0);
	CHECK_OK("bind to loopback", bind_to(fd, "127.0.0.1", 0));
	if (strcmp(peer_v4, own_v4))
		check("from loopback to elsewhere", connect_to(fd, peer_v4, PEER_PORT) == -1, "connected");
	else
		CHECK_OK("from loopback to the own address", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);

	fd = tcp(AF_INET, 0);
	CHECK_FAILS("refused when fresh, then bound", connect_to(fd, peer_v4, CLOSED_PORT), ECONNREFUSED);
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_OK("bind after refused", bind_to(fd, own_v4, 6104));
	CHECK_OK("connect after bind after refused", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);
}

static void ended(void)
{
	int fd = tcp(AF_INET, 0);
	char byte;

	connect_to(fd, peer_v4, PEER_PORT);
	check("ask for a reset", write(fd, "reset\n", 6) == 6, "%s", strerror(errno));
	check("reset", read(fd, &byte, 1) == -1 && errno == ECONNRESET, "%s", strerror(errno));
	CHECK_FAILS("again after a reset", connect_to(fd, peer_v4, PEER_PORT), EISCONN);
	close(fd);

	fd = tcp(AF_INET, 0);
	connect_to(fd, peer_v4, PEER_PORT);
	check("ask for the end", write(fd, "close\n", 6) == 6, "%s", strerror(errno));
	check("end", read(fd, &byte, 1) == 0, "%s", strerror(errno));
	CHECK_FAILS("again after the end", connect_to(fd, peer_v4, PEER_PORT), EISCONN);
	CHECK_OK("shutdown after the end", shutdown(fd, SHUT_RDWR));
	close(fd);
}

static void odd(void)
{
	struct name to = name_of(peer_v4, PEER_PORT);
	int fd = tcp(AF_INET, 0), pair[2];

	CHECK_FAILS("short address", connect(fd, (struct sockaddr *)&to.address, 8), EINVAL);
	CHECK_FAILS("no address", connect(fd, NULL, sizeof(struct sockaddr_in)), EFAULT);
	CHECK_FAILS("wild address", connect(fd, (struct sockaddr *)16, sizeof(struct sockaddr_in)), EFAULT);
	to.address.ss_family = 77;
	CHECK_FAILS("odd family", connect(fd, (struct sockaddr *)&to.address, to.length), EAFNOSUPPORT);
	CHECK_FAILS("IPv6 address on an IPv4 socket", connect_to(fd, peer_v6, PEER_PORT), EAFNOSUPPORT);
	CHECK_OK("and then as usual", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);
	CHECK_FAILS("closed descriptor", connect_to(fd, peer_v4, PEER_PORT), EBADF);
	/* As programs do that do not look whether socket() has failed. */
	CHECK_FAILS("a socket that cannot be", socket(AF_INET, 99, 0), EINVAL);
	CHECK_FAILS("a family that cannot be", socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_FAILS("connect without socket", connect_to(-1, peer_v4, PEER_PORT), EBADF);
	CHECK_FAILS("bind without socket", bind_to(-1, "0.0.0.0", 0), EBADF);
	CHECK_FAILS("listen without socket", listen(-1, 5), EBADF);
	CHECK_FAILS("accept without socket", accept(-1, NULL, NULL), EBADF);
	CHECK_FAILS("shutdown without socket", shutdown(-1, SHUT_RDWR), EBADF);
	CHECK_FAILS("options without socket", set_option(-1, SOL_SOCKET, SO_KEEPALIVE, 1), EBADF);
	check("names without socket", !strcmp(own_name(-1), strerror(EBADF)) && !strcmp(peer_name(-1), strerror(EBADF)), "%s",
	      own_name(-1));
	fd = open("/dev/null", O_RDWR);
	CHECK_FAILS("no socket", connect_to(fd, peer_v4, PEER_PORT), ENOTSOCK);
	close(fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	CHECK_FAILS("a Unix socket", connect_to(pair[0], peer_v4, PEER_PORT), EINVAL);
	close(pair[0]);
	close(pair[1]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_OK("UDP", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);
}

static void preserved(void)
{
	int fd = tcp(AF_INET, 0), value = 1;
	struct name name = { .length = sizeof(name.address) };

	errno = 1234;
	connect_to(fd, peer_v4, PEER_PORT);
	check("errno after connect", errno == 1234, "%d", errno);
	getpeername(fd, (struct sockaddr *)&name.address, &name.length);
	check("errno after getpeername", errno == 1234, "%d", errno);
	name.length = sizeof(name.address);
	getsockname(fd, (struct sockaddr *)&name.address, &name.length);
	check("errno after getsockname", errno == 1234, "%d", errno);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
	option_of(fd, SOL_SOCKET, SO_ERROR);
	check("errno after options", errno == 1234, "%d", errno);
	shutdown(fd, SHUT_WR);
	check("errno after shutdown", errno == 1234, "%d", errno);
	close(fd);
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	blocking();
	nonblocking();
	unspecific();
	refused();
	bound();
	ended();
	odd();
	preserved();
	return finish();
}
