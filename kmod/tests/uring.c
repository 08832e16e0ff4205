// SPDX-License-Identifier: GPL-2.0
/* io_uring, which comes to sockets without their system calls. */
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "test.h"

/* Newer than the headers of the machine that this is compiled on may be. */
#define URING_COMMAND 46
#define URING_BIND 56
#define URING_LISTEN 57
#define URING_SOCKET_GETSOCKOPT 2
#define URING_SOCKET_SETSOCKOPT 3

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *results;
};

static bool ring_open(struct ring *ring)
{
	struct io_uring_params parameters = { 0 };
	char *submit, *complete;

	ring->fd = syscall(SYS_io_uring_setup, 8, &parameters);
	if (ring->fd < 0)
		return false;
	submit = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * 4, PROT_READ | PROT_WRITE,
		      MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	complete = mmap(NULL, parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->entries = mmap(NULL, parameters.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			     MAP_SHARED, ring->fd, IORING_OFF_SQES);
	ring->sq_tail = (void *)(submit + parameters.sq_off.tail);
	ring->sq_mask = (void *)(submit + parameters.sq_off.ring_mask);
	ring->sq_array = (void *)(submit + parameters.sq_off.array);
	ring->cq_head = (void *)(complete + parameters.cq_off.head);
	ring->cq_tail = (void *)(complete + parameters.cq_off.tail);
	ring->cq_mask = (void *)(complete + parameters.cq_off.ring_mask);
	ring->results = (void *)(complete + parameters.cq_off.cqes);
	return true;
}

/* Has one request done and returns its result. */
static int ring_do(struct ring *ring, struct io_uring_sqe entry)
{
	unsigned int tail = *ring->sq_tail, head = *ring->cq_head;
	int result;

	ring->entries[tail & *ring->sq_mask] = entry;
	ring->sq_array[tail & *ring->sq_mask] = tail & *ring->sq_mask;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head)
		;
	result = ring->results[head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

static struct io_uring_sqe request(int operation, int fd, const void *address, unsigned int length)
{
	return (struct io_uring_sqe){
		.opcode = operation, .fd = fd, .addr = (uintptr_t)address, .len = length,
	};
}

/* What this kernel does not have answers EINVAL or EOPNOTSUPP. */
static bool is_refused(int result)
{
	return result == -EPERM || result == -EINVAL || result == -EOPNOTSUPP;
}

static void attack_by_ring(struct ring *ring, int fd, int family)
{
	struct sockaddr_storage address, unspecified = { .ss_family = AF_UNSPEC };
	struct iovec vector = { "x", 1 };
	struct msghdr message = { .msg_name = &address, .msg_iov = &vector, .msg_iovlen = 1 };
	int length, waiting = listener(family, &address, &length), one = 1, result;
	struct io_uring_sqe entry;

	message.msg_namelen = length;
	entry = request(IORING_OP_CONNECT, fd, &unspecified, 0);
	entry.off = sizeof(unspecified);
	EXPECT(ring_do(ring, entry) == -EPERM);
	entry = request(IORING_OP_CONNECT, fd, &address, 0);
	entry.off = length;
	result = ring_do(ring, entry);
	EXPECT(result == -EPERM || result == -EISCONN);
	EXPECT(ring_do(ring, request(IORING_OP_SENDMSG, fd, &message, 1)) == -EPERM);
	entry = request(IORING_OP_SENDMSG, fd, &message, 1);
	entry.msg_flags = 0x20000000; /* MSG_FASTOPEN */
	EXPECT(ring_do(ring, entry) == -EPERM);
	/* send with an address, Linux 6.0 */
	entry = request(IORING_OP_SEND, fd, "x", 1);
	entry.off = (uintptr_t)&address; /* addr2 */
	entry.splice_fd_in = length;	 /* addr_len, the lower half */
	EXPECT(is_refused(ring_do(ring, entry)));
	EXPECT(is_refused(ring_do(ring, request(URING_BIND, fd, &address, 0))));
	EXPECT(is_refused(ring_do(ring, request(URING_LISTEN, fd, NULL, 5))));
	/*
	 * socket options, Linux 6.7: level and name where an address would be, then the value's
	 * length and address
	 */
	entry = request(URING_COMMAND, fd, NULL, 0);
	entry.off = URING_SOCKET_SETSOCKOPT;
	((uint32_t *)&entry.addr)[0] = SOL_SOCKET;
	((uint32_t *)&entry.addr)[1] = SO_REUSEPORT;
	entry.splice_fd_in = sizeof(one);
	((uint64_t *)&entry)[6] = (uintptr_t)&one;
	EXPECT(is_refused(ring_do(ring, entry)));
	entry.off = URING_SOCKET_GETSOCKOPT;
	((uint32_t *)&entry.addr)[1] = SO_MARK;
	EXPECT(is_refused(ring_do(ring, entry)));
	close(waiting);
}

void refuses_through_io_uring(int family)
{
	int client, server, unconnected = socket(family, SOCK_STREAM, 0);
	struct ring ring;
	char buffer[8];

	if (!ring_open(&ring)) {
		EXPECT(!"io_uring");
		return;
	}
	connected_pair(family, &client, &server);
	EXPECT(tag(client, family) == 0 && tag(unconnected, family) == 0);
	attack_by_ring(&ring, client, family);
	attack_by_ring(&ring, unconnected, family);
	EXPECT(ring_do(&ring, request(IORING_OP_SEND, client, "hello", 5)) == 5);
	EXPECT(ring_do(&ring, request(IORING_OP_RECV, server, buffer, 8)) == 5);
	EXPECT(cut(client) == 0);
	EXPECT(ring_do(&ring, request(IORING_OP_RECV, client, buffer, 8)) == -ECONNABORTED);
	EXPECT(ring_do(&ring, request(IORING_OP_SEND, client, "hello", 5)) == -ECONNABORTED);
}
