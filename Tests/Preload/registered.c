/* SPDX-License-Identifier: Apache-2.0
 *
 * epoll: a registration that was made before connect() or listen() is there afterwards, with its mode and its data.
 * And what else belongs to a descriptor: O_NONBLOCK, FIONBIO, close-on-exec.
 */
#include "check.h"

static int wait_for(int epoll, struct epoll_event *event, int limit)
{
	memset(event, 0, sizeof(*event));
	return epoll_wait(epoll, event, 1, limit);
}

static int add(int epoll, int fd, unsigned events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void before_connect(const char *what, unsigned mode)
{
	int epoll = epoll_create1(0), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), code, rounds = 0;
	struct epoll_event event, change = { .events = EPOLLIN | mode, .data.u64 = 0x1122334455667788 };
	char name[96], byte;

	CHECK_OK("add before connect", add(epoll, fd, EPOLLOUT | EPOLLRDHUP | mode, 0x123456789abcdef0));
	connect_to(fd, peer_v4, PEER_PORT);
	/* An unconnected socket has hung up: that may have been noted before. */
	do {
		code = wait_for(epoll, &event, 5000);
	} while (code == 1 && event.events & EPOLLHUP && rounds++ < 1000000);
	snprintf(name, sizeof(name), "connected, %s", what);
	check(name, code == 1 && event.events == EPOLLOUT, "%d, %x", code, event.events);
	snprintf(name, sizeof(name), "data, %s", what);
	check(name, event.data.u64 == 0x123456789abcdef0, "%llx", (unsigned long long)event.data.u64);
	code = wait_for(epoll, &event, 50);
	snprintf(name, sizeof(name), "once or again, %s", what);
	check(name, mode & (EPOLLET | EPOLLONESHOT) ? code == 0 : code == 1, "%d", code);
	if (mode & EPOLLEXCLUSIVE) {
		/* The kernel does not let these be changed. */
		CHECK_FAILS("change of EPOLLEXCLUSIVE", epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &change), EINVAL);
		CHECK_OK("delete", epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL));
		CHECK_OK("add again", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &change));
	} else {
		CHECK_OK("change", epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &change));
	}
	snprintf(name, sizeof(name), "added twice, %s", what);
	CHECK_FAILS(name, add(epoll, fd, EPOLLIN, 1), EEXIST);
	if (write(fd, "echo\nx", 6) != 6)
		perror("write");
	code = wait_for(epoll, &event, 5000);
	snprintf(name, sizeof(name), "readable, %s", what);
	check(name, code == 1 && event.events == EPOLLIN && event.data.u64 == 0x1122334455667788, "%d, %x", code, event.events);
	check("data", read(fd, &byte, 1) == 1 && byte == 'x', "%c", byte);
	if (write(fd, "y", 1) != 1)
		perror("write");
	code = wait_for(epoll, &event, mode & EPOLLONESHOT ? 100 : 5000);
	snprintf(name, sizeof(name), "readable again, %s", what);
	check(name, code == (mode & EPOLLONESHOT ? 0 : 1), "%d", code);
	snprintf(name, sizeof(name), "deleted, %s", what);
	CHECK_OK(name, epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL));
	CHECK_FAILS("deleted twice", epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), ENOENT);
	close(fd);
	close(epoll);
}

static void before_listen(const char *what, unsigned mode)
{
	int epoll = epoll_create1(0), listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), code, control, fd, rounds = 0;
	struct epoll_event event;
	char name[96];

	set_option(listening, SOL_SOCKET, SO_REUSEADDR, 1);
	bind_to(listening, "0.0.0.0", 6501);
	CHECK_OK("add before listen", add(epoll, listening, EPOLLIN | mode, 0xfedcba9876543210));
	CHECK_OK("listen", listen(listening, 16));
	while (wait_for(epoll, &event, 20) == 1 && event.events & EPOLLHUP && rounds++ < 1000)
		;
	if (mode & EPOLLONESHOT) {
		/* The hang-up of the unbound socket may have used it up. */
		event.events = EPOLLIN | mode;
		event.data.u64 = 0xfedcba9876543210;
		epoll_ctl(epoll, EPOLL_CTL_MOD, listening, &event);
	}
	snprintf(name, sizeof(name), "idle, %s", what);
	code = wait_for(epoll, &event, 50);
	check(name, code == 0, "%d, %x", code, event.events);
	control = dialled(own_v4, 6501);
	code = wait_for(epoll, &event, 5000);
	snprintf(name, sizeof(name), "a connection, %s", what);
	check(name, code == 1 && event.events == EPOLLIN && event.data.u64 == 0xfedcba9876543210, "%d, %x", code, event.events);
	code = wait_for(epoll, &event, 50);
	snprintf(name, sizeof(name), "told once or again, %s", what);
	check(name, mode & (EPOLLET | EPOLLONESHOT) ? code == 0 : code == 1, "%d", code);
	fd = accept(listening, NULL, NULL);
	check("accepted", fd >= 0 && echoes(fd), "%s", strerror(errno));
	close(fd);
	close(control);
	control = dialled(own_v4, 6501);
	code = wait_for(epoll, &event, mode & EPOLLONESHOT ? 100 : 5000);
	snprintf(name, sizeof(name), "the next connection, %s", what);
	check(name, code == (mode & EPOLLONESHOT ? 0 : 1), "%d", code);
	close(control);
	CHECK_OK("delete", epoll_ctl(epoll, EPOLL_CTL_DEL, listening, NULL));
	close(listening);
	close(epoll);
}

static void stale(void)
{
	/* A note of an epoll that is gone, or whose number is something else now, must not matter. */
	int epoll = epoll_create1(0), fd = socket(AF_INET, SOCK_STREAM, 0), other;
	struct epoll_event event;

	add(epoll, fd, EPOLLIN, 1);
	close(epoll);
	CHECK_OK("epoll closed, connect", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);
	epoll = epoll_create1(0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	add(epoll, fd, EPOLLIN, 1);
	close(fd);
	other = socket(AF_INET, SOCK_STREAM, 0);
	check("the same number", other == fd, "%d, %d", other, fd);
	CHECK_OK("not registered, connect", connect_to(other, peer_v4, PEER_PORT));
	check("no event", wait_for(epoll, &event, 20) == 0, "%x", event.events);
	CHECK_FAILS("not registered afterwards", epoll_ctl(epoll, EPOLL_CTL_DEL, other, NULL), ENOENT);
	close(other);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	add(epoll, fd, EPOLLIN, 1);
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	CHECK_OK("deleted, connect", connect_to(fd, peer_v4, PEER_PORT));
	CHECK_FAILS("deleted, not there", epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), ENOENT);
	close(fd);
	CHECK_FAILS("wild event", epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, (void *)16), EFAULT);
	close(epoll);
}

static void flags(void)
{
	int index;

	for (index = 0; index < 8; index++) {
		int nonblocking = index & 1, by_ioctl = index & 2, on_exec = index & 4, value = 1;
		int fd = socket(AF_INET, SOCK_STREAM, 0), listening = socket(AF_INET, SOCK_STREAM, 0), sockets[2] = { fd, listening }, each;
		char name[64];

		set_option(listening, SOL_SOCKET, SO_REUSEADDR, 1);
		bind_to(listening, "0.0.0.0", 6502);
		for (each = 0; each < 2; each++) {
			if (nonblocking && by_ioctl)
				ioctl(sockets[each], FIONBIO, &value);
			else if (nonblocking)
				fcntl(sockets[each], F_SETFL, O_NONBLOCK);
			if (on_exec && by_ioctl)
				ioctl(sockets[each], FIOCLEX);
			else if (on_exec)
				fcntl(sockets[each], F_SETFD, FD_CLOEXEC);
		}
		if (connect_to(fd, peer_v4, PEER_PORT))
			ready(fd, POLLOUT, 5000);
		listen(listening, 5);
		for (each = 0; each < 2; each++) {
			snprintf(name, sizeof(name), "%s%s%s, %s", nonblocking ? "non-blocking" : "blocking",
				 on_exec ? ", close-on-exec" : "", by_ioctl ? " by ioctl" : "", each ? "listen" : "connect");
			check(name, !(fcntl(sockets[each], F_GETFL) & O_NONBLOCK) == !nonblocking &&
				      !(fcntl(sockets[each], F_GETFD) & FD_CLOEXEC) == !on_exec,
			      "%x, %x", fcntl(sockets[each], F_GETFL), fcntl(sockets[each], F_GETFD));
			check("access mode", (fcntl(sockets[each], F_GETFL) & O_ACCMODE) == O_RDWR, "%x",
			      fcntl(sockets[each], F_GETFL));
		}
		close(fd);
		close(listening);
	}
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	before_connect("level", 0);
	before_connect("edge", EPOLLET);
	before_connect("one shot", EPOLLONESHOT);
	before_connect("one shot and edge", EPOLLONESHOT | EPOLLET);
	before_listen("level", 0);
	before_listen("edge", EPOLLET);
	before_listen("one shot", EPOLLONESHOT);
	before_listen("exclusive", EPOLLEXCLUSIVE);
	before_listen("exclusive and edge", EPOLLEXCLUSIVE | EPOLLET);
	stale();
	flags();
	return finish();
}
