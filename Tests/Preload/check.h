/* SPDX-License-Identifier: Apache-2.0
 *
 * What the programs of this folder share. Each is run as PROGRAM PEER PEER6 OWN OWN6: the addresses of the container in
 * which `peer` serves and of the one that the program is in, which may be the same. It prints one line a check, and its
 * exit status says whether all held. What holds without the library must hold with it.
 */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PEER_PORT 7000     /* where the peer serves, IPv4 and IPv6 on one socket */
#define PEER_PORT_V4 7001  /* on an IPv4 socket */
#define PEER_PORT_V6 7002  /* on an IPv6 socket, IPV6_V6ONLY */
#define CLOSED_PORT 7009   /* where nobody listens */

static const char *peer_v4, *peer_v6, *own_v4, *own_v6;
static int failures;

/* Whether the lab is a secure one, see Fixture.isSecure of the integration tests. */
__attribute__((unused)) static int is_secure(void)
{
	const char *value = getenv("SLIM_TEST_SECURE");

	return value && !strcmp(value, "1");
}

/* One check, by name; the rest says, printf-like, what was found instead. */
__attribute__((format(printf, 3, 4), unused)) static int check(const char *name, int holds, const char *why, ...)
{
	va_list arguments;

	if (holds) {
		printf("ok %s\n", name);
	} else {
		char text[512];

		va_start(arguments, why);
		vsnprintf(text, sizeof(text), why, arguments);
		va_end(arguments);
		printf("FAIL %s: %s\n", name, text);
		failures++;
	}
	fflush(stdout);
	return holds;
}

/* A call that gives `result`, and where that is -1, `code` in errno. */
#define CHECK_CALL(name, call, result, code)                                                                           \
	do {                                                                                                           \
		long got_;                                                                                             \
		errno = 0;                                                                                             \
		got_ = (call);                                                                                         \
		check(name, got_ == (result) && (got_ != -1 || errno == (code)), "%s: %ld, %s", #call, got_,           \
		      strerror(errno));                                                                                \
	} while (0)

#define CHECK_OK(name, call) CHECK_CALL(name, call, 0, 0)
#define CHECK_FAILS(name, call, code) CHECK_CALL(name, call, -1, code)

struct name {
	struct sockaddr_storage address;
	socklen_t length;
};

__attribute__((unused)) static struct name name_of(const char *host, int port)
{
	struct name result = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&result.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&result.address;

	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		result.length = sizeof(*v4);
	} else {
		memset(&result.address, 0, sizeof(result.address));
		inet_pton(AF_INET6, host, &v6->sin6_addr);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		result.length = sizeof(*v6);
	}
	return result;
}

/* ::ffff:HOST */
__attribute__((unused)) static const char *mapped(const char *host)
{
	static __thread char text[2][80];
	static __thread int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "::ffff:%s", host);
	return text[turn];
}

__attribute__((unused)) static int connect_to(int fd, const char *host, int port)
{
	struct name to = name_of(host, port);

	return connect(fd, (struct sockaddr *)&to.address, to.length);
}

__attribute__((unused)) static int bind_to(int fd, const char *host, int port)
{
	struct name to = name_of(host, port);

	return bind(fd, (struct sockaddr *)&to.address, to.length);
}

/* "10.32.1.2 4711" */
__attribute__((unused)) static const char *text_of(const struct sockaddr_storage *address)
{
	static __thread char text[4][96];
	static __thread int turn;
	char host[64] = "?";
	int port = 0;

	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		port = ntohs(v4->sin_port);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		port = ntohs(v6->sin6_port);
	}
	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(text[turn]), "%s %d", host, port);
	return text[turn];
}

__attribute__((unused)) static const char *own_name(int fd)
{
	struct name name = { .length = sizeof(name.address) };

	return getsockname(fd, (struct sockaddr *)&name.address, &name.length) ? strerror(errno) : text_of(&name.address);
}

__attribute__((unused)) static const char *peer_name(int fd)
{
	struct name name = { .length = sizeof(name.address) };

	return getpeername(fd, (struct sockaddr *)&name.address, &name.length) ? strerror(errno) : text_of(&name.address);
}

__attribute__((unused)) static int port_of(int fd)
{
	const char *name = own_name(fd), *blank = strrchr(name, ' ');

	return blank ? atoi(blank) : -1;
}

__attribute__((unused)) static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, option, &value, &length) ? -errno : value;
}

__attribute__((unused)) static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

__attribute__((unused)) static int milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)(now.tv_sec % 100000 * 1000 + now.tv_nsec / 1000000);
}

__attribute__((unused)) static int set_timeout(int fd, int option, int limit)
{
	struct timeval timeout = { .tv_sec = limit / 1000, .tv_usec = limit % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof(timeout));
}

/* What poll() says of a descriptor within `limit` milliseconds. */
__attribute__((unused)) static int ready(int fd, int events, int limit)
{
	struct pollfd waiting = { .fd = fd, .events = (short)events };

	return poll(&waiting, 1, limit) < 0 ? -1 : waiting.revents;
}

/* Reads a line, without what ends it; the empty text when there is none. */
__attribute__((unused)) static const char *read_line(int fd)
{
	static __thread char line[512];
	size_t count = 0;

	while (count < sizeof(line) - 1 && read(fd, line + count, 1) == 1 && line[count] != '\n')
		count++;
	line[count] = 0;
	return line;
}

/* Sends a line to an echo and reads it back. */
__attribute__((unused)) static int echoes(int fd)
{
	char line[32], back[32] = "";
	int length = snprintf(line, sizeof(line), "ping %d\n", rand() % 100000);
	int count = 0, more = 1;

	if (send(fd, line, length, MSG_NOSIGNAL) != length)
		return 0;
	while (count < length && more > 0) {
		more = (int)recv(fd, back + count, length - count, 0);
		if (more < 0 && errno == EAGAIN && ready(fd, POLLIN, 5000) > 0)
			more = 1;
		else if (more > 0)
			count += more;
	}
	return count == length && !memcmp(line, back, length);
}

/* A connection to the peer on which a command was given. */
__attribute__((unused)) static int command(const char *format, ...)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[256];
	va_list arguments;

	if (connect_to(fd, peer_v4, PEER_PORT_V4)) {
		printf("FAIL peer: %s does not answer: %s\n", peer_v4, strerror(errno));
		exit(1);
	}
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		perror("command");
	return fd;
}

/* Has the peer connect to a port of this container; it echoes there until the descriptor is closed. */
__attribute__((unused)) static int dialled(const char *host, int port)
{
	return command("dial %s %d\n", host, port);
}

/* Whether nobody listens at a port of this container, soon. */
__attribute__((unused)) static int refuses(int port)
{
	int round;

	for (round = 0; round < 100; round++) {
		int control = dialled(own_v4, port), is_refused = !strncmp(read_line(control), "error 111", 9);

		close(control);
		if (is_refused)
			return 1;
		usleep(10000);
	}
	return 0;
}

__attribute__((unused)) static int listener(const char *host, int port, int backlog)
{
	struct name at = name_of(host, port);
	int fd = socket(at.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&at.address, at.length) || listen(fd, backlog)) {
		printf("FAIL listener: %s %d: %s\n", host, port, strerror(errno));
		failures++;
	}
	return fd;
}

static void on_signal(int number)
{
	(void)number;
}

/*
 * A signal in `after` milliseconds and each time as long after that, 0: none any more; restarts system calls or not. One
 * alone could come before the call that it is to interrupt, on a machine that has other things to do.
 */
__attribute__((unused)) static void interrupt(int after, int restarts)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = restarts ? SA_RESTART : 0 };
	struct timeval pause = { .tv_sec = after / 1000, .tv_usec = after % 1000 * 1000 };
	struct itimerval timer = { .it_interval = pause, .it_value = pause };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

__attribute__((unused)) static void hand_over(int channel, int fd)
{
	char byte = 'x';
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &fd, sizeof(int));
	if (sendmsg(channel, &header, 0) != 1)
		perror("sendmsg");
}

__attribute__((unused)) static int take_over(int channel)
{
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(channel, &header, 0) == 1 && CMSG_FIRSTHDR(&header))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(int));
	return fd;
}

/* Waits for a child; 0 when it has ended well. */
__attribute__((unused)) static int end_of(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

__attribute__((unused)) static int begin(int count, char **arguments)
{
	if (count < 5) {
		fprintf(stderr, "usage: %s PEER PEER6 OWN OWN6\n", arguments[0]);
		exit(2);
	}
	peer_v4 = arguments[1];
	peer_v6 = arguments[2];
	own_v4 = arguments[3];
	own_v6 = arguments[4];
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

__attribute__((unused)) static int finish(void)
{
	return failures ? 1 : 0;
}
