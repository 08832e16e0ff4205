// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "test.h"

int failures;

void expect(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
	printf("    %s:%d: %s (errno: %s)\n", file, line, what, strerror(errno));
	fflush(stdout);
}

/* Writes the loopback address and returns its length. */
int loopback(int family, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr = in6addr_loopback;
	return sizeof(*in6);
}

/* A listener on loopback, and its address. */
int listener(int family, struct sockaddr_storage *address, int *length)
{
	socklen_t size = sizeof(*address);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*length = loopback(family, 0, address);
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *length) || listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)address, &size)) {
		perror("listener");
		exit(1);
	}
	return fd;
}

void connected_pair(int family, int *client, int *server)
{
	struct sockaddr_storage address;
	int length, waiting = listener(family, &address, &length);

	*client = socket(family, SOCK_STREAM, 0);
	if (connect(*client, (struct sockaddr *)&address, length)) {
		perror("connect");
		exit(1);
	}
	*server = accept(waiting, NULL, NULL);
	close(waiting);
}

int slim_device(void)
{
	static int device = -1;

	if (device < 0)
		device = open(SLIM_GUARD_DEVICE, O_RDWR | O_CLOEXEC);
	return device;
}

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

static struct slim_guard_address overlay(int family, uint8_t last, uint16_t port)
{
	struct slim_guard_address address = { .family = family, .port = port };

	if (family == AF_INET)
		memcpy(address.bytes, (uint8_t[]){ 10, 32, 1, last }, 4);
	else
		memcpy(address.bytes, (uint8_t[16]){ 0xfd, 0, 0, 0x32, [15] = last }, 16);
	return address;
}

/* The request to tag a socket with the overlay addresses .2 (own) and .3 (peer). */
struct slim_guard_tag tag_for(int fd, int family)
{
	return (struct slim_guard_tag){
		.fd = fd,
		.cookie = cookie_of(fd),
		.id = 7,
		.generation = 42,
		.local = overlay(family, 2, OVERLAY_LOCAL_PORT),
		.peer = overlay(family, 3, OVERLAY_PEER_PORT),
	};
}

int tag(int fd, int family)
{
	struct slim_guard_tag request = tag_for(fd, family);

	return ioctl(slim_device(), SLIM_GUARD_TAG, &request);
}

int tag_prepared(int fd, int family, const struct sockaddr_storage *destination)
{
	struct slim_guard_tag request = tag_for(fd, family);
	const struct sockaddr_in *in = (const struct sockaddr_in *)destination;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)destination;

	request.flags = SLIM_GUARD_TAG_PREPARED;
	request.destination.family = family;
	if (family == AF_INET) {
		request.destination.port = ntohs(in->sin_port);
		memcpy(request.destination.bytes, &in->sin_addr, 4);
	} else {
		request.destination.port = ntohs(in6->sin6_port);
		memcpy(request.destination.bytes, &in6->sin6_addr, 16);
	}
	return ioctl(slim_device(), SLIM_GUARD_TAG, &request);
}

/* Revokes by descriptor; 0 when it was tagged. */
int cut(int fd)
{
	struct slim_guard_revocation item = { .fd = fd };
	struct slim_guard_revoke request = { .items = (uintptr_t)&item, .count = 1 };

	if (ioctl(slim_device(), SLIM_GUARD_REVOKE, &request))
		return -1;
	errno = item.error;
	return request.done == 1 && !item.error ? 0 : -1;
}

struct slim_guard_statistics statistics(void)
{
	struct slim_guard_statistics told = { 0 };

	EXPECT(ioctl(slim_device(), SLIM_GUARD_STATISTICS, &told) == 0);
	return told;
}

struct slim_guard_entry query(int fd)
{
	struct slim_guard_query query = { .fd = fd };

	EXPECT(ioctl(slim_device(), SLIM_GUARD_QUERY, &query) == 0);
	return query.entry;
}

/* Whether getsockname (0) or getpeername (1) tells what tag() said. */
bool shows_overlay(int fd, int peer)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	const struct sockaddr_in *in = (struct sockaddr_in *)&address;
	const struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
	struct slim_guard_address expected;
	uint16_t port = peer ? OVERLAY_PEER_PORT : OVERLAY_LOCAL_PORT;

	memset(&address, 0xff, sizeof(address));
	if ((peer ? getpeername : getsockname)(fd, (struct sockaddr *)&address, &length))
		return false;
	expected = overlay(address.ss_family, peer ? 3 : 2, port);
	if (address.ss_family == AF_INET)
		return length == sizeof(*in) && ntohs(in->sin_port) == port &&
		       !memcmp(&in->sin_addr, expected.bytes, 4);
	return length == sizeof(*in6) && ntohs(in6->sin6_port) == port &&
	       !memcmp(&in6->sin6_addr, expected.bytes, 16) && !in6->sin6_scope_id;
}

/* Whether a word goes from one end to the other and back. */
bool carries_data(int one, int other)
{
	char buffer[8];

	return write(one, "there", 5) == 5 && read(other, buffer, sizeof(buffer)) == 5 &&
	       !memcmp(buffer, "there", 5) && send(other, "back", 4, 0) == 4 &&
	       recv(one, buffer, sizeof(buffer), 0) == 4 && !memcmp(buffer, "back", 4);
}

int send_descriptor(int channel, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &fd, sizeof(int));
	return sendmsg(channel, &message, 0) == 1 ? 0 : -1;
}

int receive_descriptor(int channel)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(channel, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

/* Runs the body in a process of its own and counts its failures as one of ours. */
int run(void (*body)(void *), void *argument)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		failures = 0;
		body(argument);
		fflush(stdout);
		_exit(failures ? 1 : 0);
	}
	waitpid(child, &status, 0);
	EXPECT(status == 0);
	return status;
}
