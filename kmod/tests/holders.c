// SPDX-License-Identifier: GPL-2.0
/* The tag belongs to the socket, whoever holds it and however it came there. */
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include "test.h"

struct holder {
	int fd, family;
};

static void attack_as_holder(void *argument)
{
	struct holder *holder = argument;

	EXPECT(shows_overlay(holder->fd, 0) && shows_overlay(holder->fd, 1));
	attack(holder->fd, holder->family);
}

static void attack_after_exec(void *argument)
{
	struct holder *holder = argument;
	char fd[16], family[16];

	snprintf(fd, sizeof(fd), "%d", holder->fd);
	snprintf(family, sizeof(family), "%d", holder->family);
	execl("/init", "init", "attack", fd, family, NULL);
	_exit(2);
}

static void attack_as_user(void *argument)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		_exit(3);
	REFUSED(open(SLIM_GUARD_DEVICE, O_RDWR), EACCES);
	attack_as_holder(argument);
}

void follows_dup(int family)
{
	int client, server, copy;

	connected_pair(family, &client, &server);
	copy = dup(client); /* before the tag */
	EXPECT(tag(client, family) == 0);
	attack(copy, family);
	copy = fcntl(client, F_DUPFD, 100);
	close(client);
	attack(copy, family);
	EXPECT(carries_data(copy, server));
}

void follows_fork_and_exec(int family)
{
	struct holder holder = { .family = family };
	int server;

	connected_pair(family, &holder.fd, &server);
	EXPECT(tag(holder.fd, family) == 0);
	run(attack_as_holder, &holder);
	run(attack_after_exec, &holder);
}

void follows_descriptor_passing(int family)
{
	struct holder holder = { .family = family };
	int client, server, channel[2];

	connected_pair(family, &client, &server);
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
	EXPECT(tag(client, family) == 0);
	EXPECT(send_descriptor(channel[0], client) == 0);
	close(client); /* in flight it is the only one */
	holder.fd = receive_descriptor(channel[1]);
	EXPECT(holder.fd >= 0);
	run(attack_as_holder, &holder);
	EXPECT(carries_data(holder.fd, server));
}

void holds_for_uid_1000(int family)
{
	struct holder holder = { .family = family };
	int server;

	connected_pair(family, &holder.fd, &server);
	EXPECT(tag(holder.fd, family) == 0);
	run(attack_as_user, &holder);
}

void last_close_frees_the_tag(int family)
{
	struct slim_guard_statistics before = statistics();
	struct slim_guard_revocation item = { .fd = -1 };
	struct slim_guard_revoke request = { .items = (uintptr_t)&item, .count = 1 };
	int client, server, copy;

	connected_pair(family, &client, &server);
	item.cookie = cookie_of(client);
	EXPECT(tag(client, family) == 0);
	EXPECT(statistics().tags == before.tags + 1);
	copy = dup(client);
	close(client);
	EXPECT(statistics().tags == before.tags + 1);
	close(copy);
	EXPECT(statistics().tags == before.tags);
	EXPECT(ioctl(slim_device(), SLIM_GUARD_REVOKE, &request) == 0);
	EXPECT(item.error == ENOENT && request.done == 0);
	/* What was sent arrives: closing a tagged socket is closing a socket. */
	EXPECT(read(server, &copy, sizeof(copy)) == 0);
}
