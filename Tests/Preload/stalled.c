/* SPDX-License-Identifier: Apache-2.0
 *
 * connect() while the network between the two hosts is silent: run while nothing that programs send gets to the peer.
 */
#include "check.h"

static int elapsed(int since)
{
	return milliseconds() - since;
}

int main(int count, char **arguments)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct epoll_event event = { .events = EPOLLOUT };
	int fd, start, code, epoll;
	pid_t child;

	begin(count, arguments);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_FAILS("starts", connect_to(fd, peer_v4, PEER_PORT), EINPROGRESS);
	CHECK_FAILS("under way", connect_to(fd, peer_v4, PEER_PORT), EALREADY);
	check("not writable", ready(fd, POLLOUT | POLLIN, 50) == 0, "%x", ready(fd, POLLOUT | POLLIN, 0));
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	check("not writable, epoll", epoll_wait(epoll, &event, 1, 50) == 0, "%x", event.events);
	check("no error", option_of(fd, SOL_SOCKET, SO_ERROR) == 0, "%d", option_of(fd, SOL_SOCKET, SO_ERROR));
	check("no peer yet", !strcmp(peer_name(fd), strerror(ENOTCONN)), "%s", peer_name(fd));
	check("own name", !strncmp(own_name(fd), own_v4, strlen(own_v4)), "%s", own_name(fd));
	check("no data yet", send(fd, "x", 1, MSG_NOSIGNAL) == -1 && errno == EAGAIN, "%s", strerror(errno));
	CHECK_FAILS("listen under way", listen(fd, 1), EINVAL);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	set_timeout(fd, SO_SNDTIMEO, 200);
	start = milliseconds();
	CHECK_FAILS("blocking now, SO_SNDTIMEO", connect_to(fd, peer_v4, PEER_PORT), EALREADY);
	check("waited so long", elapsed(start) >= 190, "%d ms", elapsed(start));
	CHECK_OK("AF_UNSPEC", connect(fd, &none, sizeof(none)));
	check("unnamed after AF_UNSPEC", !strncmp(own_name(fd), "0.0.0.0 ", 8), "%s", own_name(fd));
	close(epoll);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	set_timeout(fd, SO_SNDTIMEO, 200);
	start = milliseconds();
	CHECK_FAILS("SO_SNDTIMEO", connect_to(fd, peer_v4, PEER_PORT), EINPROGRESS);
	check("waited so long, SO_SNDTIMEO", elapsed(start) >= 190 && elapsed(start) < 1500, "%d ms", elapsed(start));
	CHECK_FAILS("again", connect_to(fd, peer_v4, PEER_PORT), EALREADY);
	CHECK_OK("shutdown", shutdown(fd, SHUT_RDWR));
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	interrupt(150, 0);
	start = milliseconds();
	CHECK_FAILS("EINTR", connect_to(fd, peer_v4, PEER_PORT), EINTR);
	check("waited for the signal", elapsed(start) >= 100, "%d ms", elapsed(start));
	interrupt(0, 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	CHECK_FAILS("goes on after EINTR", connect_to(fd, peer_v4, PEER_PORT), EALREADY);
	close(fd);

	/* With SO_SNDTIMEO a connect() is not restarted, whatever the handler says. */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	set_timeout(fd, SO_SNDTIMEO, 600);
	interrupt(100, 1);
	start = milliseconds();
	code = connect_to(fd, peer_v4, PEER_PORT);
	check("SO_SNDTIMEO and SA_RESTART", code == -1 && errno == EINTR, "%d, %s", code, strerror(errno));
	interrupt(0, 0);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	child = fork();
	if (child == 0) {
		interrupt(100, 1);
		connect_to(fd, peer_v4, PEER_PORT);
		_exit(0);
	}
	usleep(400000);
	check("SA_RESTART", waitpid(child, NULL, WNOHANG) == 0, "connect() has returned");
	kill(child, SIGKILL);
	end_of(child);
	close(fd);
	return finish();
}
