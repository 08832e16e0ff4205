/* SPDX-License-Identifier: Apache-2.0
 *
 * How a message of the local protocol is sent: whole, without SIGPIPE, with at most two descriptors. For C files only (it is
 * in no module): both ends of the protocol use it.
 */
#pragma once
#include <string.h>
#include <sys/socket.h>

#define SLIM_MOST_PASSED 2

static inline ssize_t slim_pass_all(int fd, const void *message, size_t length, const int *passed, size_t count, int flags)
{
	struct iovec vector = { .iov_base = (void *)message, .iov_len = length };
	union {
		char bytes[CMSG_SPACE(SLIM_MOST_PASSED * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (count > 0 && count <= SLIM_MOST_PASSED) {
		struct cmsghdr *part;

		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(part), passed, count * sizeof(int));
	}
	return sendmsg(fd, &header, flags | MSG_NOSIGNAL);
}

/* `passed` is -1 for none. */
static inline ssize_t slim_pass(int fd, const void *message, size_t length, int passed, int flags)
{
	return slim_pass_all(fd, message, length, &passed, passed >= 0, flags);
}
