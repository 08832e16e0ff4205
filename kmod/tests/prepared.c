// SPDX-License-Identifier: GPL-2.0
/* A socket that may be connected once, to the destination that its tag names. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "test.h"

#define MSG_FASTOPEN_FLAG 0x20000000

static int prepare(int family, struct sockaddr_storage *address, int *length, int *waiting)
{
	int client = socket(family, SOCK_STREAM, 0), one = 1;

	*waiting = listener(family, address, length);
	setsockopt(*waiting, SOL_TCP, 23 /* TCP_FASTOPEN */, &(int){ 64 }, sizeof(int));
	setsockopt(client, SOL_TCP, 34 /* TCP_FASTOPEN_NO_COOKIE */, &one, sizeof(one));
	setsockopt(*waiting, SOL_TCP, 34, &one, sizeof(one));
	EXPECT(tag_prepared(client, family, address) == 0);
	EXPECT(query(client).state == SLIM_GUARD_STATE_PREPARED);
	return client;
}

void prepared_connects_once_to_its_destination(int family)
{
	struct sockaddr_storage address, other;
	struct sockaddr *destination = (struct sockaddr *)&address;
	int length, waiting, client = prepare(family, &address, &length, &waiting), server;
	socklen_t size = sizeof(other);

	EXPECT(shows_overlay(client, 0));
	REFUSED(getpeername(client, (struct sockaddr *)&other, &size), ENOTCONN);
	EXPECT(connect(client, destination, length) == 0);
	EXPECT(query(client).state == SLIM_GUARD_STATE_TAGGED);
	server = accept(waiting, NULL, NULL);
	EXPECT(carries_data(client, server));
	EXPECT(shows_overlay(client, 0) && shows_overlay(client, 1));
	attack(client, family);
	shutdown(client, SHUT_RDWR);
	close(server);
	EXPECT(connect(client, destination, length) == -1);
	fcntl(waiting, F_SETFL, O_NONBLOCK);
	REFUSED(accept(waiting, NULL, NULL), EAGAIN);

	/* One refused connection spends it too. */
	client = socket(family, SOCK_STREAM, 0);
	loopback(family, 9, &other);
	EXPECT(tag_prepared(client, family, &other) == 0);
	REFUSED(connect(client, (struct sockaddr *)&other, length), ECONNREFUSED);
	REFUSED(connect(client, (struct sockaddr *)&other, length), EPERM);
	REFUSED(connect(client, destination, length), EPERM);
	attack(client, family);
}

void prepared_connects_by_fastopen(int family)
{
	struct sockaddr_storage address;
	struct sockaddr *destination = (struct sockaddr *)&address;
	int length, waiting, client = prepare(family, &address, &length, &waiting), server;
	char buffer[16];

	EXPECT(sendto(client, "preamble", 8, MSG_FASTOPEN_FLAG | MSG_NOSIGNAL, destination, length) == 8);
	server = accept(waiting, NULL, NULL);
	EXPECT(recv(server, buffer, sizeof(buffer), 0) == 8);
	EXPECT(carries_data(client, server));
	EXPECT(shows_overlay(client, 1));
	REFUSED(sendto(client, "x", 1, MSG_FASTOPEN_FLAG | MSG_NOSIGNAL, destination, length), EPERM);
	attack(client, family);

	/* Without waiting, as the library does. */
	client = prepare(family, &address, &length, &waiting);
	EXPECT(sendto(client, "preamble", 8, MSG_FASTOPEN_FLAG | MSG_DONTWAIT, destination, length) == 8 ||
	       errno == EINPROGRESS);
	EXPECT(connect(client, destination, length) == 0 || errno == EISCONN);
	EXPECT(accept(waiting, NULL, NULL) >= 0);
}

void prepared_goes_nowhere_else(int family)
{
	struct sockaddr_storage address, elsewhere, same;
	struct sockaddr *wrong = (struct sockaddr *)&elsewhere;
	int length, waiting, client = prepare(family, &address, &length, &waiting);
	int other = listener(family, &elsewhere, &length);

	attack(client, family);
	REFUSED(connect(client, wrong, length), EPERM);
	REFUSED(sendto(client, "x", 1, MSG_FASTOPEN_FLAG, wrong, length), EPERM);
	same = address;
	if (family == AF_INET)
		((struct sockaddr_in *)&same)->sin_addr.s_addr ^= htonl(2);
	else
		((struct sockaddr_in6 *)&same)->sin6_addr.s6_addr[0] = 0xfe;
	REFUSED(connect(client, (struct sockaddr *)&same, length), EPERM);
	REFUSED(connect(client, (struct sockaddr *)&address, length - 1), EPERM);
	REFUSED(sendto(client, "x", 1, MSG_FASTOPEN_FLAG, (struct sockaddr *)&address, 4), EPERM);
	EXPECT(send(client, "x", 1, MSG_NOSIGNAL) == -1 && (errno == EPIPE || errno == ENOTCONN));
	if (family == AF_INET6) {
		struct sockaddr_in v4 = {
			.sin_family = AF_INET, .sin_port = ((struct sockaddr_in6 *)&address)->sin6_port,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		REFUSED(connect(client, (struct sockaddr *)&v4, sizeof(v4)), EPERM);
	}
	fcntl(other, F_SETFL, O_NONBLOCK);
	REFUSED(accept(other, NULL, NULL), EAGAIN);
	/* All that was refused has not spent it. */
	EXPECT(connect(client, (struct sockaddr *)&address, length) == 0);

	/* One that is connected cannot be prepared. */
	client = socket(family, SOCK_STREAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&address, length) == 0);
	REFUSED(tag_prepared(client, family, &address), EISCONN);
}

struct attempt {
	int client, length, use_fastopen;
	struct sockaddr_storage *address;
	pthread_barrier_t *start;
	bool succeeded;
};

static void *try_once(void *argument)
{
	struct attempt *attempt = argument;

	pthread_barrier_wait(attempt->start);
	if (attempt->use_fastopen)
		attempt->succeeded = sendto(attempt->client, "x", 1, MSG_FASTOPEN_FLAG | MSG_NOSIGNAL,
					    (struct sockaddr *)attempt->address, attempt->length) == 1;
	else
		attempt->succeeded = connect(attempt->client, (struct sockaddr *)attempt->address,
					     attempt->length) == 0;
	return NULL;
}

/* The kernel may hand over a connection that its client has already; there may be another. */
static int arrivals(int waiting)
{
	struct pollfd ready = { .fd = waiting, .events = POLLIN };
	int count = 0;

	while (poll(&ready, 1, count ? 20 : 5000) == 1 && count < 10) {
		close(accept(waiting, NULL, NULL));
		count++;
	}
	return count;
}

void prepared_is_spent_by_one_of_many(int family)
{
	struct attempt attempts[4];
	pthread_t threads[4];
	pthread_barrier_t start;
	struct sockaddr_storage address;
	int round, index, length, waiting, client;

	for (round = 0; round < 50; round++) {
		client = prepare(family, &address, &length, &waiting);
		pthread_barrier_init(&start, NULL, 4);
		for (index = 0; index < 4; index++) {
			attempts[index] = (struct attempt){ client, length, index & 1, &address, &start, false };
			pthread_create(&threads[index], NULL, try_once, &attempts[index]);
		}
		for (index = 0; index < 4; index++)
			pthread_join(threads[index], NULL);
		EXPECT(arrivals(waiting) == 1);
		close(client);
		close(waiting);
	}
}

static void *revoke_once(void *argument)
{
	struct attempt *attempt = argument;

	pthread_barrier_wait(attempt->start);
	attempt->succeeded = cut(attempt->client) == 0;
	return NULL;
}

void prepared_and_revoked_never_connects(int family)
{
	struct attempt attempts[3];
	pthread_t threads[3];
	pthread_barrier_t start;
	struct sockaddr_storage address;
	int round, index, length, waiting, client;
	char byte;

	client = prepare(family, &address, &length, &waiting);
	EXPECT(cut(client) == 0);
	REFUSED(connect(client, (struct sockaddr *)&address, length), EPERM);
	REFUSED(sendto(client, "x", 1, MSG_FASTOPEN_FLAG, (struct sockaddr *)&address, length), ECONNABORTED);
	fcntl(waiting, F_SETFL, O_NONBLOCK);
	REFUSED(accept(waiting, NULL, NULL), EAGAIN);

	for (round = 0; round < 50; round++) {
		client = prepare(family, &address, &length, &waiting);
		pthread_barrier_init(&start, NULL, 3);
		for (index = 0; index < 3; index++) {
			attempts[index] = (struct attempt){ client, length, index & 1, &address, &start, false };
			pthread_create(&threads[index], NULL, index == 2 ? revoke_once : try_once, &attempts[index]);
		}
		for (index = 0; index < 3; index++)
			pthread_join(threads[index], NULL);
		EXPECT(attempts[2].succeeded);
		/* However it went, nothing lives. */
		REFUSED(recv(client, &byte, 1, MSG_DONTWAIT), ECONNABORTED);
		fcntl(waiting, F_SETFL, O_NONBLOCK);
		index = accept(waiting, NULL, NULL);
		if (index >= 0) {
			while (recv(index, &byte, 1, 0) == 1)
				;
			close(index);
		}
		close(client);
		close(waiting);
	}
}
