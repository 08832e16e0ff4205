/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_message.h"
#include "slim_passing.h"
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_EVENTS 256

ssize_t slim_send_message(int fd, const void *message, size_t length, int passed, int flags)
{
	return slim_pass(fd, message, length, passed, flags);
}

ssize_t slim_send_message_two(int fd, const void *message, size_t length, int first, int second, int flags)
{
	const int passed[] = { first, second };

	return slim_pass_all(fd, message, length, passed, 2, flags);
}

int slim_unread_bytes(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

ssize_t slim_receive_message(int fd, void *message, size_t length, int *passed, int *count, int *truncated, int flags)
{
	struct iovec vector = { .iov_base = message, .iov_len = length };
	union {
		char bytes[CMSG_SPACE(SLIM_MOST_DESCRIPTORS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr header = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *part;
	ssize_t received;

	*count = 0;
	*truncated = 0;
	received = recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
	if (received < 0)
		return received;
	*truncated = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	for (part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
		size_t here;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(passed + *count, CMSG_DATA(part), here * sizeof(int));
		*count += here;
	}
	return received;
}

ssize_t slim_fast_open(int fd, const void *data, size_t length, const void *address, unsigned int address_length)
{
	return sendto(fd, data, length, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL, address, address_length);
}

int slim_accept_closing(int fd, void *address, unsigned int *address_length, int nonblocking)
{
	return accept4(fd, address, address_length, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
}

int slim_epoll_add(int epoll, int fd, unsigned int events, uint64_t token)
{
	struct epoll_event event = { .events = events, .data.u64 = token };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int slim_epoll_change(int epoll, int fd, unsigned int events, uint64_t token)
{
	struct epoll_event event = { .events = events, .data.u64 = token };

	return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

int slim_epoll_wait(int epoll, unsigned int *events, uint64_t *tokens, int capacity, int milliseconds)
{
	struct epoll_event happened[MOST_EVENTS];
	int count, index;

	count = epoll_wait(epoll, happened, capacity < MOST_EVENTS ? capacity : MOST_EVENTS, milliseconds);
	for (index = 0; index < count; index++) {
		events[index] = happened[index].events;
		tokens[index] = happened[index].data.u64;
	}
	return count;
}
