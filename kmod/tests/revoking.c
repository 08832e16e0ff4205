// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "test.h"

static void is_dead(int fd, int family)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN | POLLOUT };
	struct sockaddr_storage address;
	int length, listening = listener(family, &address, &length);
	char byte;
	int again;

	for (again = 0; again < 2; again++) {
		REFUSED(read(fd, &byte, 1), ECONNABORTED);
		REFUSED(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), ECONNABORTED);
		REFUSED(send(fd, "x", 1, MSG_NOSIGNAL), ECONNABORTED);
		REFUSED(write(fd, "x", 1), ECONNABORTED);
	}
	EXPECT(poll(&waiting, 1, 0) == 1);
	EXPECT((waiting.revents & (POLLIN | POLLERR | POLLHUP)) == (POLLIN | POLLERR | POLLHUP));
	REFUSED(connect(fd, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr)), EPERM);
	REFUSED(connect(fd, (struct sockaddr *)&address, length), EPERM);
	REFUSED(sendto(fd, "x", 1, 0x20000000 /* MSG_FASTOPEN */, (struct sockaddr *)&address, length),
		ECONNABORTED);
	REFUSED(bind(fd, (struct sockaddr *)&address, length), EPERM);
	REFUSED(listen(fd, 1), EPERM);
	close(listening);
}

void revokes_for_every_holder(int family)
{
	int client, server, copy;
	char buffer[8];
	pid_t child;
	int status, go[2];

	connected_pair(family, &client, &server);
	copy = dup(client);
	EXPECT(pipe(go) == 0);
	EXPECT(tag(client, family) == 0);
	EXPECT(write(server, "unread", 6) == 6);
	child = fork();
	if (!child) {
		failures = 0;
		EXPECT(read(go[0], buffer, 1) == 1);
		is_dead(client, family);
		fflush(stdout);
		_exit(failures != 0);
	}
	REFUSED(cut(server), ENOENT);
	EXPECT(query(client).state == SLIM_GUARD_STATE_TAGGED);
	EXPECT(cut(client) == 0);
	EXPECT(query(client).state == SLIM_GUARD_STATE_REVOKED);
	is_dead(client, family);
	is_dead(copy, family);
	EXPECT(write(go[1], "x", 1) == 1);
	waitpid(child, &status, 0);
	EXPECT(status == 0);
	EXPECT(cut(client) == 0); /* again is no error */
	/* The other end is told at once. */
	EXPECT(read(server, buffer, sizeof(buffer)) == -1 && errno == ECONNRESET);
}

struct blocked {
	int fd;
	int kind;
	ssize_t result;
	int error;
	bool entered;
};

static void *block(void *argument)
{
	struct blocked *blocked = argument;
	static char large[1 << 22];
	struct pollfd waiting = { .fd = blocked->fd, .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };
	int epoll;

	__atomic_store_n(&blocked->entered, true, __ATOMIC_RELEASE);
	switch (blocked->kind) {
	case 0:
	case 1:
		blocked->result = recv(blocked->fd, large, 1, 0);
		break;
	case 2:
		do
			blocked->result = send(blocked->fd, large, sizeof(large), MSG_NOSIGNAL);
		while (blocked->result > 0);
		break;
	case 3:
		blocked->result = poll(&waiting, 1, -1) == 1 && (waiting.revents & POLLERR) ? -1 : 0;
		errno = ECONNABORTED;
		break;
	case 4:
		epoll = epoll_create1(0);
		epoll_ctl(epoll, EPOLL_CTL_ADD, blocked->fd, &event);
		blocked->result = epoll_wait(epoll, &event, 1, -1) == 1 && (event.events & EPOLLERR) ? -1 : 0;
		errno = ECONNABORTED;
		break;
	}
	blocked->error = errno;
	return NULL;
}

void revoking_wakes_blocked_calls(int family)
{
	struct blocked blocked[5];
	pthread_t threads[5];
	int client, server, index;

	connected_pair(family, &client, &server);
	EXPECT(tag(client, family) == 0);
	for (index = 0; index < 5; index++) {
		blocked[index] = (struct blocked){ .fd = client, .kind = index };
		pthread_create(&threads[index], NULL, block, &blocked[index]);
	}
	for (index = 0; index < 5; index++)
		while (!__atomic_load_n(&blocked[index].entered, __ATOMIC_ACQUIRE))
			usleep(1000);
	usleep(300000); /* most of them wait by now; one that does not must fail as well */
	EXPECT(cut(client) == 0);
	for (index = 0; index < 5; index++) {
		pthread_join(threads[index], NULL);
		if (blocked[index].result != -1 || blocked[index].error != ECONNABORTED)
			printf("    kind %d: %zd, %s\n", index, blocked[index].result, strerror(blocked[index].error));
		EXPECT(blocked[index].result == -1 && blocked[index].error == ECONNABORTED);
	}
}

static void *block_connecting(void *argument)
{
	struct blocked *blocked = argument;
	struct sockaddr_storage address;
	int length = loopback(blocked->kind, 9, &address);

	__atomic_store_n(&blocked->entered, true, __ATOMIC_RELEASE);
	blocked->result = connect(blocked->fd, (struct sockaddr *)&address, length);
	blocked->error = errno;
	return NULL;
}

/* A listener with a full backlog answers no SYN: whoever connects waits. */
void revoking_wakes_a_blocked_connect(int family)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int length = loopback(family, 0, &address), waiting = socket(family, SOCK_STREAM, 0), client, index;
	struct blocked blocked;
	pthread_t thread;

	EXPECT(bind(waiting, (struct sockaddr *)&address, length) == 0 && listen(waiting, 0) == 0);
	EXPECT(getsockname(waiting, (struct sockaddr *)&address, &size) == 0);
	for (index = 0; index < 4; index++) {
		client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(client, (struct sockaddr *)&address, length);
	}
	EXPECT(tag(client, family) == 0);
	fcntl(client, F_SETFL, 0);
	blocked = (struct blocked){ .fd = client, .kind = family };
	pthread_create(&thread, NULL, block_connecting, &blocked);
	while (!__atomic_load_n(&blocked.entered, __ATOMIC_ACQUIRE))
		usleep(1000);
	usleep(100000);
	EXPECT(cut(client) == 0);
	pthread_join(thread, NULL);
	EXPECT(blocked.result == -1 && (blocked.error == ECONNABORTED || blocked.error == EPERM));
	is_dead(client, family);
}

void revokes_in_batches(int family)
{
	enum { COUNT = 500 };
	static struct slim_guard_revocation items[COUNT + 3];
	struct slim_guard_revoke request = { .items = (uintptr_t)items, .count = COUNT + 3 };
	struct rlimit limit = { 4096, 4096 };
	static int clients[COUNT], servers[COUNT];
	uint64_t namespace = 0;
	socklen_t size = sizeof(namespace);
	int index, refused = 0;
	char byte;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (index = 0; index < COUNT; index++) {
		connected_pair(family, &clients[index], &servers[index]);
		items[index] = (struct slim_guard_revocation){ .cookie = cookie_of(clients[index]), .fd = -1 };
		EXPECT(tag(clients[index], family) == 0);
	}
	getsockopt(clients[0], SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, &namespace, &size);
	items[0].namespace_cookie = namespace;
	items[1].namespace_cookie = namespace + 1; /* not this one's */
	items[2] = (struct slim_guard_revocation){ .fd = clients[2] };
	items[COUNT] = (struct slim_guard_revocation){ .fd = servers[0] };
	items[COUNT + 1] = (struct slim_guard_revocation){ .fd = 4000 };
	items[COUNT + 2] = (struct slim_guard_revocation){ .fd = clients[3], .cookie = 1 };
	EXPECT(ioctl(slim_device(), SLIM_GUARD_REVOKE, &request) == 0);
	EXPECT(request.done == COUNT - 1);
	EXPECT(items[0].error == 0 && items[1].error == ENOENT && items[2].error == 0);
	EXPECT(items[COUNT].error == ENOENT && items[COUNT + 1].error == EBADF && items[COUNT + 2].error == EINVAL);
	for (index = 0; index < COUNT; index++)
		refused += recv(clients[index], &byte, 1, MSG_DONTWAIT) == -1 && errno == ECONNABORTED;
	EXPECT(refused == COUNT - 1);
	EXPECT(carries_data(clients[1], servers[1]));
}
