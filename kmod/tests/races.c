// SPDX-License-Identifier: GPL-2.0
/* Tag, use, revoke and close at once, from as many threads. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include "test.h"

enum { SLOTS = 64, ROUNDS = 6000 };

static struct {
	int fds[SLOTS];
	uint64_t cookies[SLOTS];
	int family;
	int refused, tagged, stop;
} race;

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

/* Opens, tags and closes. */
static void *turn_over(void *argument)
{
	struct sockaddr_storage address;
	unsigned int state = (uintptr_t)argument;
	int round, length, waiting = listener(race.family, &address, &length);

	fcntl(waiting, F_SETFL, O_NONBLOCK); /* another thread may take what is waiting */
	for (round = 0; round < ROUNDS; round++) {
		int slot = next_random(&state) % SLOTS, fd = socket(race.family, SOCK_STREAM | SOCK_NONBLOCK, 0), old;
		uint64_t cookie = cookie_of(fd);

		if (fd < 0)
			continue;
		if (round % 8 == 0)
			connect(fd, (struct sockaddr *)&address, length);
		old = __atomic_exchange_n(&race.fds[slot], fd, __ATOMIC_ACQ_REL);
		__atomic_store_n(&race.cookies[slot], cookie, __ATOMIC_RELEASE);
		if (round % 8 == 1 ? tag_prepared(fd, race.family, &address) : tag(fd, race.family))
			__atomic_add_fetch(&race.refused, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&race.tagged, 1, __ATOMIC_RELAXED);
		if (old >= 0)
			close(old);
		if (round % 8 == 0) {
			old = accept4(waiting, NULL, NULL, SOCK_NONBLOCK);
			if (old >= 0)
				close(old);
		}
	}
	close(waiting);
	return NULL;
}

/* Revokes, lists and asks, by cookie and by descriptor. */
static void *revoke_any(void *argument)
{
	unsigned int state = (uintptr_t)argument;
	static __thread struct slim_guard_entry entries[32];

	while (!__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		struct slim_guard_revocation items[8];
		struct slim_guard_revoke request = { .items = (uintptr_t)items, .count = 8 };
		struct slim_guard_list list = { .entries = (uintptr_t)entries, .capacity = 32 };
		struct slim_guard_query query = { .fd = race.fds[next_random(&state) % SLOTS] };
		int index;

		for (index = 0; index < 8; index++) {
			int slot = next_random(&state) % SLOTS;

			items[index] = index & 1 ?
				(struct slim_guard_revocation){ .fd = race.fds[slot] } :
				(struct slim_guard_revocation){ .cookie = race.cookies[slot], .fd = -1 };
		}
		ioctl(slim_device(), SLIM_GUARD_REVOKE, &request);
		ioctl(slim_device(), SLIM_GUARD_LIST, &list);
		ioctl(slim_device(), SLIM_GUARD_QUERY, &query);
	}
	return NULL;
}

/* What a container would do meanwhile. Nothing is expected but that nothing breaks. */
static void *use(void *argument)
{
	unsigned int state = (uintptr_t)argument;
	struct sockaddr_storage address;
	socklen_t length;
	char buffer[64] = { 0 };

	while (!__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE)) {
		int fd = race.fds[next_random(&state) % SLOTS], size = loopback(race.family, 9, &address), value = 1;

		send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL | MSG_DONTWAIT);
		recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value));
		setsockopt(fd, SOL_SOCKET, SO_MARK, &value, sizeof(value));
		length = sizeof(value);
		getsockopt(fd, SOL_SOCKET, SO_MARK, &value, &length);
		ioctl(fd, 0x8912, NULL);
		/* lends the socket's operations to one that is released at once */
		accept4(fd, NULL, NULL, SOCK_NONBLOCK);
		listen(fd, 1);
		length = sizeof(address);
		getsockname(fd, (struct sockaddr *)&address, &length);
		size = loopback(race.family, 9, &address);
		if (next_random(&state) % 4 == 0)
			sendto(fd, buffer, 1, 0x20000000 | MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size);
	}
	return NULL;
}

void stands_tag_close_and_revoke_at_once(int family)
{
	struct rlimit limit = { 4096, 4096 };
	pthread_t threads[6];
	int index;

	setrlimit(RLIMIT_NOFILE, &limit);
	race.family = family;
	for (index = 0; index < SLOTS; index++)
		race.fds[index] = -1;
	for (index = 0; index < 6; index++)
		pthread_create(&threads[index], NULL, index < 2 ? turn_over : index < 5 ? revoke_any : use,
			       (void *)(uintptr_t)(index + 1));
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	__atomic_store_n(&race.stop, 1, __ATOMIC_RELEASE);
	for (index = 2; index < 6; index++)
		pthread_join(threads[index], NULL);
	printf("    %d tags, %d refused, %llu revoked in all\n", race.tagged, race.refused,
	       (unsigned long long)statistics().revoked);
	EXPECT(race.tagged > ROUNDS);
	for (index = 0; index < SLOTS; index++)
		if (race.fds[index] >= 0)
			close(race.fds[index]);
}
