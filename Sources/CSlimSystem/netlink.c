/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_netlink.h"
#include <sched.h>
#include <sys/socket.h>

int slim_receive_batch(int fd, void *buffer, size_t stride, unsigned int *lengths)
{
	struct mmsghdr headers[SLIM_MESSAGES_IN_BATCH] = { 0 };
	struct iovec vectors[SLIM_MESSAGES_IN_BATCH];
	int count;

	for (int i = 0; i < SLIM_MESSAGES_IN_BATCH; i++) {
		vectors[i].iov_base = (char *)buffer + i * stride;
		vectors[i].iov_len = stride;
		headers[i].msg_hdr.msg_iov = &vectors[i];
		headers[i].msg_hdr.msg_iovlen = 1;
	}
	count = recvmmsg(fd, headers, SLIM_MESSAGES_IN_BATCH, 0, NULL);
	for (int i = 0; i < count; i++)
		lengths[i] = headers[i].msg_len;
	return count;
}

int slim_unshare_network(void)
{
	return unshare(CLONE_NEWNET);
}
