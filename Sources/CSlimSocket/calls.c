/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that the library makes for itself. None of them is interposed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "slim_passing.h"
#include "slim_socket.h"

#define SAME(mine, theirs) _Static_assert((mine) == (theirs), #theirs)
SAME(SLIM_AF_UNIX, AF_UNIX);
SAME(SLIM_AF_INET, AF_INET);
SAME(SLIM_AF_INET6, AF_INET6);
SAME(SLIM_SOCK_STREAM, SOCK_STREAM);
SAME(SLIM_SOCK_SEQPACKET, SOCK_SEQPACKET);
SAME(SLIM_SOCK_NONBLOCK, SOCK_NONBLOCK);
SAME(SLIM_SOCK_CLOEXEC, SOCK_CLOEXEC);
SAME(SLIM_SOL_SOCKET, SOL_SOCKET);
SAME(SLIM_SO_TYPE, SO_TYPE);
SAME(SLIM_SO_ERROR, SO_ERROR);
SAME(SLIM_SO_SNDBUF, SO_SNDBUF);
SAME(SLIM_SO_RCVBUF, SO_RCVBUF);
SAME(SLIM_SO_RCVTIMEO, SO_RCVTIMEO);
SAME(SLIM_SO_SNDTIMEO, SO_SNDTIMEO);
SAME(SLIM_SO_ACCEPTCONN, SO_ACCEPTCONN);
SAME(SLIM_SO_PROTOCOL, SO_PROTOCOL);
SAME(SLIM_SO_DOMAIN, SO_DOMAIN);
SAME(SLIM_SO_COOKIE, SO_COOKIE);
SAME(SLIM_IPPROTO_TCP, IPPROTO_TCP);
SAME(SLIM_IPPROTO_IPV6, IPPROTO_IPV6);
SAME(SLIM_IPV6_V6ONLY, IPV6_V6ONLY);
SAME(SLIM_TCP_INFO, TCP_INFO);
SAME(SLIM_TCP_CLOSE, TCP_CLOSE);
SAME(SLIM_F_GETFD, F_GETFD);
SAME(SLIM_F_GETFL, F_GETFL);
SAME(SLIM_F_SETFL, F_SETFL);
SAME(SLIM_F_DUPFD_CLOEXEC, F_DUPFD_CLOEXEC);
SAME(SLIM_FD_CLOEXEC, FD_CLOEXEC);
SAME(SLIM_O_NONBLOCK, O_NONBLOCK);
SAME(SLIM_O_CLOEXEC, O_CLOEXEC);
SAME(SLIM_O_RDWR, O_RDWR);
SAME(SLIM_O_ASYNC, O_ASYNC);
SAME(SLIM_EPOLL_ADD, EPOLL_CTL_ADD);
SAME(SLIM_EPOLL_DEL, EPOLL_CTL_DEL);
SAME(SLIM_EPOLL_MOD, EPOLL_CTL_MOD);
SAME(SLIM_EINTR, EINTR);
SAME(SLIM_EBADF, EBADF);
SAME(SLIM_EAGAIN, EAGAIN);
SAME(SLIM_EFAULT, EFAULT);
SAME(SLIM_EINVAL, EINVAL);
SAME(SLIM_ENOTSOCK, ENOTSOCK);
SAME(SLIM_EOPNOTSUPP, EOPNOTSUPP);
SAME(SLIM_EADDRINUSE, EADDRINUSE);
SAME(SLIM_ECONNRESET, ECONNRESET);
SAME(SLIM_EISCONN, EISCONN);
SAME(SLIM_ENOTCONN, ENOTCONN);
SAME(SLIM_ECONNREFUSED, ECONNREFUSED);
SAME(SLIM_EALREADY, EALREADY);
SAME(SLIM_EINPROGRESS, EINPROGRESS);
SAME(SLIM_EHOSTUNREACH, EHOSTUNREACH);
SAME(SLIM_ENETUNREACH, ENETUNREACH);
SAME(SLIM_EMFILE, EMFILE);
SAME(SLIM_SHUT_RD, SHUT_RD);
SAME(SLIM_SHUT_WR, SHUT_WR);
SAME(SLIM_SHUT_RDWR, SHUT_RDWR);
SAME(SLIM_MSG_CMSG_CLOEXEC, MSG_CMSG_CLOEXEC);
SAME(SLIM_MSG_DONTWAIT, MSG_DONTWAIT);

int slim_fcntl(int fd, int command, int argument)
{
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

int slim_dup3(int from, int to, int flags)
{
	return (int)syscall(SYS_dup3, from, to, flags);
}

void slim_yield(void)
{
	syscall(SYS_sched_yield);
}

int slim_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

uint64_t slim_nanoseconds(void)
{
	struct timespec now = { 0 };

	/* By libc: it asks no kernel. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void slim_nap(void)
{
	struct timespec nap = { .tv_nsec = 1000000 };

	syscall(SYS_nanosleep, &nap, NULL);
}

int slim_readable(const void *address)
{
	/* The kernel reads the signal set before it sees that it is not told what to do with it. Eight aligned bytes lie in
	 * one page. */
	return syscall(SYS_rt_sigprocmask, -1, (uintptr_t)address & ~(uintptr_t)7, NULL, 8) == 0 || errno != EFAULT;
}

const struct slim_option *slim_kept_options(size_t *count)
{
	static const struct slim_option kept[] = {
		/* SLIM_CARRIED_OPTIONS: these mean nothing to a SYN. */
		{ IPPROTO_TCP, TCP_NODELAY }, { SOL_SOCKET, SO_KEEPALIVE }, { IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT }, { IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ SOL_SOCKET, SO_RCVTIMEO }, { SOL_SOCKET, SO_SNDTIMEO }, { SOL_SOCKET, SO_LINGER },
		{ IPPROTO_TCP, TCP_LINGER2 }, { IPPROTO_TCP, TCP_NOTSENT_LOWAT }, { SOL_SOCKET, SO_OOBINLINE },

		{ SOL_SOCKET, SO_RCVLOWAT }, { SOL_SOCKET, SO_ZEROCOPY }, { IPPROTO_TCP, TCP_CORK },
		{ IPPROTO_TCP, TCP_SYNCNT }, { IPPROTO_TCP, TCP_CONGESTION }, { IPPROTO_IP, IP_TOS },
		{ IPPROTO_IP, IP_TTL }, { IPPROTO_IPV6, IPV6_TCLASS }, { IPPROTO_IPV6, IPV6_UNICAST_HOPS },
	};

	*count = sizeof(kept) / sizeof(kept[0]);
	return kept;
}

int slim_name(int fd, const char *name, size_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (length >= sizeof(address.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path + 1, name, length);
	return (int)syscall(SYS_bind, fd, &address, offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

int slim_pair(int fds[2])
{
	return (int)syscall(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

void slim_write_error(const char *text, size_t length)
{
	(void)!syscall(SYS_write, 2, text, length);
}

int slim_dial(const char *name, int timeout_seconds)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = timeout_seconds };
	size_t length = strlen(name);
	socklen_t size;
	int fd, code;

	if (length == 0 || length >= sizeof(address.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path, name, length);
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (name[0] == '@')
		address.sun_path[0] = 0;
	else
		size++;
	fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* A router that hangs costs this long, once, and never for ever. */
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (syscall(SYS_connect, fd, &address, size) == 0)
		return fd;
	code = errno;
	slim_close(fd);
	errno = code;
	return -1;
}

long slim_send(int fd, const void *message, size_t length, int passed)
{
	return slim_pass(fd, message, length, passed, 0);
}

long slim_send_at_once(int fd, const void *bytes, size_t length)
{
	return slim_pass(fd, bytes, length, -1, MSG_DONTWAIT);
}

static long receive(int fd, void *message, size_t length, int *passed, size_t room, int flags)
{
	struct iovec vector = { .iov_base = message, .iov_len = length };
	union {
		char bytes[CMSG_SPACE(SLIM_MOST_PASSED * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr header = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes,
		/* Without the padding, in which one more would find room. */
		.msg_controllen = CMSG_LEN(room * sizeof(int)),
	};
	struct cmsghdr *part;
	size_t index;
	long count;

	for (index = 0; index < room; index++)
		passed[index] = -1;
	count = recvmsg(fd, &header, flags);
	if (count < 0)
		return count;
	part = CMSG_FIRSTHDR(&header);
	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
	    part->cmsg_len >= CMSG_LEN(sizeof(int)) && part->cmsg_len <= CMSG_LEN(room * sizeof(int)))
		memcpy(passed, CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
	return count;
}

long slim_receive(int fd, void *message, size_t length, int *passed, int flags)
{
	return receive(fd, message, length, passed, 1, flags);
}

long slim_receive_two(int fd, void *message, size_t length, int *passed, int flags)
{
	return receive(fd, message, length, passed, 2, flags);
}
