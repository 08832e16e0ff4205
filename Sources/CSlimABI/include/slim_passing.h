/* SPDX-License-Identifier: Apache-2.0
 *
 * How a message of the local protocol is sent: whole, without SIGPIPE, with at most one descriptor. For C files only (it is
 * in no module): both ends of the protocol use it.
 */
#pragma once
#include <string.h>
#include <sys/socket.h>

/* `passed` is -1 for none. */
static inline ssize_t slim_pass(int fd, const void *message, size_t length, int passed, int flags)
{
	struct iovec vector = { .iov_base = (void *)message, .iov_len = length };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (passed >= 0) {
		struct cmsghdr *part;

		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
		part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(part), &passed, sizeof(int));
	}
	return sendmsg(fd, &header, flags | MSG_NOSIGNAL);
}
