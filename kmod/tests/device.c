// SPDX-License-Identifier: GPL-2.0
/* /dev/slim: what it takes, what it refuses, and random bytes. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "test.h"

void tags_plain_tcp_only(int family)
{
	struct sockaddr_storage address;
	int length, waiting = listener(family, &address, &length), client, server, pair[2], fd;

	REFUSED(tag(waiting, family), EINVAL);
	fd = socket(family, SOCK_DGRAM, 0);
	REFUSED(tag(fd, family), EOPNOTSUPP);
	fd = socket(family, SOCK_RAW, IPPROTO_ICMP);
	REFUSED(tag(fd, family), EOPNOTSUPP);
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	REFUSED(tag(pair[0], family), EOPNOTSUPP);
	fd = socket(family, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
	EXPECT(fd >= 0);
	REFUSED(tag(fd, family), EOPNOTSUPP);
	connect(fd, (struct sockaddr *)&address, length);
	REFUSED(tag(fd, family), EOPNOTSUPP);
	fd = socket(43 /* AF_SMC */, SOCK_STREAM, family == AF_INET6);
	EXPECT(fd >= 0);
	REFUSED(tag(fd, family), EOPNOTSUPP);
	connected_pair(family, &client, &server);
	EXPECT(setsockopt(client, SOL_TCP, 31 /* TCP_ULP */, "tls", 4) == 0);
	REFUSED(tag(client, family), EOPNOTSUPP);
	EXPECT(carries_data(client, server));
	REFUSED(tag(0, family), ENOTSOCK);
	REFUSED(tag(-1, family), EBADF);
	REFUSED(tag(4000, family), EBADF);
	if (family == AF_INET6) {
		int zero = 0, v4;
		struct sockaddr_storage mapped;

		/* A socket that became IPv4's: its operations are IPv4's, and so is its tag. */
		close(waiting);
		waiting = listener(AF_INET, &mapped, &length);
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		setsockopt(fd, SOL_IPV6, 26 /* IPV6_V6ONLY */, &zero, sizeof(zero));
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = ((struct sockaddr_in *)&mapped)->sin_port };

		in6.sin6_addr.s6_addr[10] = 0xff;
		in6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&in6.sin6_addr.s6_addr[12], &((struct sockaddr_in *)&mapped)->sin_addr, 4);
		EXPECT(connect(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0);
		v4 = AF_INET;
		EXPECT(setsockopt(fd, SOL_IPV6, 1 /* IPV6_ADDRFORM */, &v4, sizeof(v4)) == 0);
		REFUSED(tag(fd, AF_INET6), EINVAL);
		EXPECT(tag(fd, AF_INET) == 0);
		EXPECT(shows_overlay(fd, 1));
		attack(fd, AF_INET);
	}
}

void refuses_malformed_requests(int family)
{
	int client, server, device = slim_device();
	struct slim_guard_tag good, bad;
	struct slim_guard_greeting greeting = { .version = SLIM_GUARD_VERSION };
	struct slim_guard_revocation item = { .fd = -1 };
	struct slim_guard_revoke revoke_request;
	struct slim_guard_list list;
	struct slim_guard_query query_request;
	struct slim_guard_statistics told = { .tagged = 1 };
	struct stat status;

	EXPECT(stat(SLIM_GUARD_DEVICE, &status) == 0 && (status.st_mode & 07777) == 0600);
	EXPECT(ioctl(device, SLIM_GUARD_GREET, &greeting) == 0);
	EXPECT(greeting.version == SLIM_GUARD_VERSION && greeting.batch == SLIM_GUARD_BATCH);
	greeting = (struct slim_guard_greeting){ .version = 999 };
	REFUSED(ioctl(device, SLIM_GUARD_GREET, &greeting), EPROTONOSUPPORT);
	EXPECT(greeting.version == SLIM_GUARD_VERSION);
	greeting = (struct slim_guard_greeting){ .version = SLIM_GUARD_VERSION, .reserved2 = { 0, 1 } };
	REFUSED(ioctl(device, SLIM_GUARD_GREET, &greeting), EINVAL);

	connected_pair(family, &client, &server);
	good = tag_for(client, family);
#define BAD(change, error)						\
	do {								\
		bad = good;						\
		change;							\
		REFUSED(ioctl(device, SLIM_GUARD_TAG, &bad), error);	\
	} while (0)
	BAD(bad.flags = 2, EINVAL);
	BAD(bad.flags = 1, EINVAL);
	BAD(bad.reserved[0] = 1, EINVAL);
	BAD(bad.reserved[1] = 1, EINVAL);
	BAD(bad.local.family = 0, EINVAL);
	BAD(bad.peer.family = AF_UNIX, EINVAL);
	BAD(bad.destination = bad.peer, EINVAL);
	BAD(bad.destination.bytes[3] = 1, EINVAL);
	BAD(bad.cookie = 0, ESTALE);
	BAD(bad.cookie++, ESTALE);
	BAD(bad.fd = server, ESTALE);
	BAD((bad.flags = 1, bad.destination = bad.peer), EISCONN);
	if (family == AF_INET) {
		BAD(bad.local.bytes[4] = 1, EINVAL);
		BAD(bad.peer.scope = 1, EINVAL);
		BAD(bad.peer.family = AF_INET6, EINVAL);
	} else {
		BAD((bad.flags = 1, bad.destination = bad.peer, bad.destination.port = 0), EINVAL);
		BAD((bad.flags = 1, bad.destination.family = AF_INET, bad.destination.port = 1), EINVAL);
	}
	REFUSED(ioctl(device, SLIM_GUARD_TAG, NULL), EFAULT);
	REFUSED(ioctl(device, SLIM_GUARD_TAG, (void *)-8), EFAULT);
	EXPECT(ioctl(device, SLIM_GUARD_TAG, &good) == 0);

	revoke_request = (struct slim_guard_revoke){ .items = (uintptr_t)&item };
	REFUSED(ioctl(device, SLIM_GUARD_REVOKE, &revoke_request), EINVAL);
	revoke_request.count = SLIM_GUARD_BATCH + 1;
	REFUSED(ioctl(device, SLIM_GUARD_REVOKE, &revoke_request), EINVAL);
	revoke_request.count = 2;
	revoke_request.items = 8;
	REFUSED(ioctl(device, SLIM_GUARD_REVOKE, &revoke_request), EFAULT);
	revoke_request = (struct slim_guard_revoke){ .items = (uintptr_t)&item, .count = 1, .reserved = { 0, 1 } };
	REFUSED(ioctl(device, SLIM_GUARD_REVOKE, &revoke_request), EINVAL);
	revoke_request = (struct slim_guard_revoke){ .items = (uintptr_t)&item, .count = 1 };
	EXPECT(ioctl(device, SLIM_GUARD_REVOKE, &revoke_request) == 0 && item.error == EINVAL);

	list = (struct slim_guard_list){ .entries = 8, .capacity = 0 };
	REFUSED(ioctl(device, SLIM_GUARD_LIST, &list), EINVAL);
	list.capacity = SLIM_GUARD_BATCH + 1;
	REFUSED(ioctl(device, SLIM_GUARD_LIST, &list), EINVAL);
	list.capacity = 1;
	REFUSED(ioctl(device, SLIM_GUARD_LIST, &list), EFAULT);
	query_request = (struct slim_guard_query){ .fd = client, .reserved = 1 };
	REFUSED(ioctl(device, SLIM_GUARD_QUERY, &query_request), EINVAL);
	query_request = (struct slim_guard_query){ .fd = server };
	REFUSED(ioctl(device, SLIM_GUARD_QUERY, &query_request), ENOENT);
	REFUSED(ioctl(device, SLIM_GUARD_STATISTICS, &told), EINVAL);
	REFUSED(ioctl(device, _IO(SLIM_GUARD_IOCTL, 1), NULL), ENOTTY);
	REFUSED(ioctl(device, _IOWR(SLIM_GUARD_IOCTL, 2, struct slim_guard_tag), &good), ENOTTY);
	REFUSED(ioctl(device, FIONREAD, &server), ENOTTY);
	REFUSED(read(device, &told, sizeof(told)), EINVAL);
}

void lists_in_pages(int family)
{
	enum { COUNT = 300 };
	static struct slim_guard_entry entries[64];
	static int clients[COUNT];
	static uint64_t cookies[COUNT];
	struct rlimit limit = { 4096, 4096 };
	struct slim_guard_list list = { .entries = (uintptr_t)entries, .capacity = 64 };
	uint64_t previous = 0;
	int index, found = 0, pages = 0;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (index = 0; index < COUNT; index++) {
		clients[index] = socket(family, SOCK_STREAM, 0);
		cookies[index] = cookie_of(clients[index]);
		EXPECT(tag(clients[index], family) == 0);
	}
	do {
		list.count = 0;
		EXPECT(ioctl(slim_device(), SLIM_GUARD_LIST, &list) == 0);
		for (uint32_t entry = 0; entry < list.count; entry++) {
			EXPECT(entries[entry].cookie > previous);
			previous = entries[entry].cookie;
			EXPECT(entries[entry].generation == 42 && entries[entry].local.port == OVERLAY_LOCAL_PORT);
			for (index = 0; index < COUNT; index++)
				found += cookies[index] == entries[entry].cookie;
		}
		list.after = previous;
		pages++;
	} while (list.count == list.capacity && pages < 100);
	EXPECT(found == COUNT && pages == 5);
}

void counts_what_it_refuses(int family)
{
	struct slim_guard_statistics before, after;
	int client, server, one = 1;
	socklen_t size = sizeof(one);

	connected_pair(family, &client, &server);
	before = statistics();
	EXPECT(tag(client, family) == 0);
	listen(client, 1);
	bind(client, &(struct sockaddr){ .sa_family = family }, sizeof(struct sockaddr));
	connect(client, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr));
	setsockopt(client, SOL_SOCKET, SO_MARK, &one, sizeof(one));
	getsockopt(client, SOL_SOCKET, SO_MARK, &one, &size);
	ioctl(client, 0x8912 /* SIOCGIFCONF */, &one);
	cut(client);
	after = statistics();
	EXPECT(after.tagged == before.tagged + 1 && after.tags == before.tags + 1);
	EXPECT(after.refused_listen == before.refused_listen + 1);
	EXPECT(after.refused_bind == before.refused_bind + 1);
	EXPECT(after.refused_connect == before.refused_connect + 1);
	EXPECT(after.refused_set_option == before.refused_set_option + 1);
	EXPECT(after.refused_get_option == before.refused_get_option + 1);
	EXPECT(after.refused_control == before.refused_control + 1);
	EXPECT(after.revoked == before.revoked + 1);
}

static uint64_t random_state = 0x5eed5eed5eed5eed;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Requests near to good ones and far from them, on all kinds of descriptors. */
void survives_fuzzed_requests(int family)
{
	enum { REQUESTS = 40000 };
	static const unsigned long commands[] = {
		SLIM_GUARD_GREET, SLIM_GUARD_TAG, SLIM_GUARD_REVOKE, SLIM_GUARD_QUERY, SLIM_GUARD_LIST,
		SLIM_GUARD_STATISTICS,
	};
	unsigned char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int index, byte, client, server, fds[8], live = 0;

	mprotect(page + 2 * 4096, 4096, PROT_NONE);
	random_state += family;
	connected_pair(family, &client, &server);
	fds[0] = client;
	fds[1] = server;
	fds[2] = socket(family, SOCK_STREAM, 0);
	fds[3] = socket(family, SOCK_DGRAM, 0);
	fds[4] = open("/proc/self/stat", O_RDONLY);
	fds[5] = slim_device();
	fds[6] = -1;
	fds[7] = 4000;
	for (index = 0; index < REQUESTS; index++) {
		unsigned long command = commands[random_number() % 6];
		unsigned char *place = page + 4096;
		uint64_t kind = random_number() % 8;

		memset(page, 0, 2 * 4096);
		if (kind == 0) {
			/* any bytes */
			for (byte = 0; byte < 256; byte += 8)
				*(uint64_t *)(place + byte) = random_number();
		} else if (command == SLIM_GUARD_TAG) {
			struct slim_guard_tag request = tag_for(fds[random_number() % 8], family);

			memcpy(place, &request, sizeof(request));
		} else if (command == SLIM_GUARD_REVOKE || command == SLIM_GUARD_LIST) {
			*(uint64_t *)place = (uintptr_t)(kind & 1 ? page : place + 4000);
			((uint32_t *)place)[command == SLIM_GUARD_REVOKE ? 2 : 4] = random_number() % 8;
			*(uint32_t *)(page + 16) = fds[2 + random_number() % 6];
		}
		/* one or two fields changed */
		if (kind & 2)
			place[random_number() % 128] = random_number();
		if (kind & 4)
			*(uint32_t *)(place + random_number() % 32 * 4) = random_number();
		/* across the end of what is mapped */
		if (kind == 7 && random_number() % 4 == 0)
			place = page + 2 * 4096 - random_number() % 200;
		if (random_number() % 32 == 0)
			command ^= random_number() % 0xffffffff;
		live += ioctl(slim_device(), command, place) == 0;
		if (index % 64 == 0) {
			close(fds[2]);
			fds[2] = socket(family, SOCK_STREAM, 0);
		}
	}
	EXPECT(live > 100); /* not all of it is refused at the door */
	munmap(page, 3 * 4096);
}
