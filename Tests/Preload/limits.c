/* SPDX-License-Identifier: Apache-2.0
 *
 * Where programs are at their limits: full descriptor tables, every descriptor closed, many threads, signal handlers,
 * children between vfork() and exec().
 */
#include "check.h"

static int tcp_to_peer(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect_to(fd, peer_v4, PEER_PORT) || write(fd, "echo\n", 5) != 5) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_descriptors(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void full(void)
{
	struct rlimit limit = { .rlim_cur = 64, .rlim_max = 4096 }, before;
	int listening = listener("0.0.0.0", 6701, 8), fd = socket(AF_INET, SOCK_STREAM, 0), fill[64], count = 0, control, other;
	int bound = socket(AF_INET, SOCK_STREAM, 0);

	control = dialled(own_v4, 6701);
	check("dialled", !strncmp(read_line(control), "ok ", 3), "no");
	set_option(bound, SOL_SOCKET, SO_REUSEADDR, 1);
	bind_to(bound, "0.0.0.0", 6702);
	getrlimit(RLIMIT_NOFILE, &before);
	limit.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	while ((other = dup(0)) >= 0)
		fill[count++] = other;
	check("full", errno == EMFILE, "%s", strerror(errno));
	CHECK_OK("connect when full", connect_to(fd, peer_v4, PEER_PORT));
	check("echo when full", write(fd, "echo\n", 5) == 5 && echoes(fd), "none");
	check("names when full", !strncmp(own_name(fd), own_v4, strlen(own_v4)) && !strncmp(peer_name(fd), peer_v4, strlen(peer_v4)),
	      "%s", own_name(fd));
	CHECK_OK("listen when full", listen(bound, 5));
	CHECK_FAILS("accept when full", accept(listening, NULL, NULL), EMFILE);
	CHECK_FAILS("accept when full, again", accept(listening, NULL, NULL), EMFILE);
	check("its options when full", option_of(listening, SOL_SOCKET, SO_ACCEPTCONN) == 1, "no");
	check("its name when full", port_of(listening) == 6701, "%s", own_name(listening));
	close(fill[--count]);
	other = accept(listening, NULL, NULL);
	check("accept when there is room again", other >= 0 && echoes(other), "%s", strerror(errno));
	close(other);
	while (count > 0)
		close(fill[--count]);
	setrlimit(RLIMIT_NOFILE, &before);
	close(fd);
	close(control);
	control = dialled(own_v4, 6702);
	other = accept(bound, NULL, NULL);
	check("accept on what began to listen when full", other >= 0 && echoes(other), "%s", strerror(errno));
	close(other);
	close(control);
	close(bound);
	close(listening);
}

static void closed_all(void)
{
	int fd = tcp_to_peer(), other, pair[2], index, count;

	check("before", fd >= 0, "%s", strerror(errno));
	for (index = 3; index < 4096; index++)
		close(index);
	fd = tcp_to_peer();
	check("every descriptor closed", fd >= 0 && echoes(fd), "%s", strerror(errno));
	check("its name", !strncmp(peer_name(fd), peer_v4, strlen(peer_v4)), "%s", peer_name(fd));
	close(fd);
	/* Every number is somebody else's now. */
	for (index = 3; index < 1024; index++)
		close(index);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	for (index = 10; index < 1024; index++)
		dup2(pair[0], index);
	fd = tcp_to_peer();
	check("every number used for another", fd >= 0 && echoes(fd), "%s", strerror(errno));
	check("nobody wrote to it", ready(pair[1], POLLIN, 0) == 0, "%x", ready(pair[1], POLLIN, 0));
	check("nobody closed it", fcntl(900, F_GETFD) >= 0 && fcntl(1023, F_GETFD) >= 0, "closed");
	close(fd);
	for (index = 10; index < 1024; index++)
		close(index);
	close(pair[0]);
	close(pair[1]);
	fd = tcp_to_peer();
	close(fd);
	count = open_descriptors();
	for (index = 0; index < 50; index++) {
		fd = tcp_to_peer();
		close(fd);
		other = listener("0.0.0.0", 6703, 3);
		close(other);
	}
	check("nothing is left open", open_descriptors() == count, "%d, not %d", open_descriptors(), count);
}

#define THREADS 16
static void *connect_often(void *argument)
{
	long good = 0;
	int round;

	(void)argument;
	for (round = 0; round < 25; round++) {
		int fd = tcp_to_peer();

		good += fd >= 0 && echoes(fd) && !strncmp(peer_name(fd), peer_v4, strlen(peer_v4)) &&
			!strncmp(own_name(fd), own_v4, strlen(own_v4));
		close(fd);
	}
	return (void *)good;
}

static void threads(void)
{
	pthread_t all[THREADS];
	long total = 0;
	int index, before = open_descriptors();
	void *good;

	for (index = 0; index < THREADS; index++)
		pthread_create(&all[index], NULL, connect_often, NULL);
	for (index = 0; index < THREADS; index++) {
		pthread_join(all[index], &good);
		total += (long)good;
	}
	check("many threads at once", total == THREADS * 25, "%ld of %d", total, THREADS * 25);
	check("and nothing left open", open_descriptors() <= before + 1, "%d, not %d", open_descriptors(), before);
}

static volatile int handled, handled_well;

static void connect_in_handler(int number)
{
	int saved = errno, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in name;
	socklen_t length = sizeof(name);

	(void)number;
	handled++;
	if (connect_to(fd, peer_v4, PEER_PORT) == 0 && getpeername(fd, (struct sockaddr *)&name, &length) == 0 &&
	    ntohs(name.sin_port) == PEER_PORT)
		handled_well++;
	close(fd);
	errno = saved;
}

static void handlers(void)
{
	struct sigaction action = { .sa_handler = connect_in_handler, .sa_flags = SA_RESTART };
	struct itimerval timer = { .it_interval = { .tv_usec = 1700 }, .it_value = { .tv_usec = 1700 } };
	int round, good = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (round = 0; round < 400 || (handled < 20 && round < 20000); round++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		good += connect_to(fd, peer_v4, PEER_PORT) == 0 && !strncmp(peer_name(fd), peer_v4, strlen(peer_v4));
		close(fd);
	}
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	check("connect while a handler connects", good == round, "%d of %d", good, round);
	check("connect in a handler", handled >= 20 && handled_well == handled, "%d of %d", handled_well, handled);
}

static void forks(void)
{
	int round, before, fd = tcp_to_peer();
	volatile int well = 0;
	pid_t child;

	before = open_descriptors();
	for (round = 0; round < 20; round++) {
		child = vfork();
		if (child == 0) {
			int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

			if (connect_to(other, peer_v4, PEER_PORT) == 0)
				execl("/bin/true", "true", NULL);
			_exit(1);
		}
		well += end_of(child) == 0;
	}
	check("connect between vfork and exec", well == 20, "%d", well);
	check("leaves nothing in the parent", open_descriptors() == before, "%d, not %d", open_descriptors(), before);
	check("the parent's connections live", echoes(fd), "no echo");
	well = 0;
	for (round = 0; round < 20; round++) {
		child = fork();
		if (child == 0) {
			int other = tcp_to_peer(), same = open_descriptors() == before + 1;

			_exit(!(other >= 0 && echoes(other) && echoes(fd) && same));
		}
		well += end_of(child) == 0;
	}
	check("connect in forked children", well == 20, "%d", well);
	close(fd);
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	full();
	closed_all();
	threads();
	handlers();
	forks();
	return finish();
}
