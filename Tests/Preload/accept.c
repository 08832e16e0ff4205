/* SPDX-License-Identifier: Apache-2.0
 *
 * listen(), accept() and accept4(): addresses, flags, waiting, readiness, closing and listening again.
 */
#include "check.h"

/* Has the peer connect and takes the connection. */
static int taken(int listening, int port, int *control)
{
	*control = dialled(own_v4, port);
	return accept(listening, NULL, NULL);
}

static void addresses(void)
{
	int listening = listener("0.0.0.0", 6201, 8), control, fd, port;
	struct name from = { .length = sizeof(from.address) };
	char host[64], own[96];
	const char *line;

	control = dialled(own_v4, 6201);
	fd = accept(listening, (struct sockaddr *)&from.address, &from.length);
	line = read_line(control);
	check("the dialler's name", sscanf(line, "ok %63s %d %63s", host, &port, own) == 3, "%s", line);
	snprintf(own, sizeof(own), "%s %d", host, port);
	check("accept tells the dialler's name", !strcmp(text_of(&from.address), own), "%s, not %s",
	      text_of(&from.address), own);
	check("length", from.length == sizeof(struct sockaddr_in), "%u", from.length);
	check("getpeername tells it too", !strcmp(peer_name(fd), own), "%s, not %s", peer_name(fd), own);
	check("echo", echoes(fd), "none");
	check("blocking, no close-on-exec", !(fcntl(fd, F_GETFL) & O_NONBLOCK) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC), "%x",
	      fcntl(fd, F_GETFL));
	close(fd);
	close(control);

	fd = taken(listening, 6201, &control);
	check("no address asked", fd >= 0, "%s", strerror(errno));
	close(fd);
	close(control);

	memset(&from, 0x55, sizeof(from));
	from.length = 5;
	control = dialled(own_v4, 6201);
	fd = accept4(listening, (struct sockaddr *)&from.address, &from.length, 0);
	check("short buffer", fd >= 0 && from.length == sizeof(struct sockaddr_in), "%d, %u", fd, from.length);
	check("not written beyond", ((char *)&from.address)[5] == 0x55, "written");
	check("family in it", from.address.ss_family == AF_INET, "%d", from.address.ss_family);
	close(fd);
	close(control);

	from.length = 0;
	control = dialled(own_v4, 6201);
	fd = accept4(listening, (struct sockaddr *)&from.address, &from.length, 0);
	check("empty buffer", fd >= 0 && from.length == sizeof(struct sockaddr_in), "%d, %u", fd, from.length);
	close(fd);
	close(control);

	fcntl(listening, F_SETFL, O_NONBLOCK);
#ifdef __GLIBC__ /* musl tries accept() then */
	CHECK_FAILS("unknown flags", accept4(listening, NULL, NULL, 1 << 30), EINVAL);
#endif
	CHECK_FAILS("closed descriptor", accept(999, NULL, NULL), EBADF);
	CHECK_FAILS("no socket", accept(0, NULL, NULL), ENOTSOCK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS("not listening", accept(fd, NULL, NULL), EINVAL);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_FAILS("accept on UDP", accept(fd, NULL, NULL), EOPNOTSUPP);
	CHECK_FAILS("listen on UDP", listen(fd, 1), EOPNOTSUPP);
	close(fd);
	close(listening);
}

static void flags(void)
{
	static const int all[] = { 0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC };
	int listening = listener("0.0.0.0", 6202, 8), control, fd, index;
	char name[64];

	for (index = 0; index < 8; index++) {
		int wanted = all[index & 3], status, descriptor;

		/* A listener's own O_NONBLOCK is not inherited. */
		fcntl(listening, F_SETFL, index < 4 ? 0 : O_NONBLOCK);
		control = dialled(own_v4, 6202);
		check("comes", ready(listening, POLLIN, 5000) == POLLIN, "%x", ready(listening, POLLIN, 0));
		fd = accept4(listening, NULL, NULL, wanted);
		status = fcntl(fd, F_GETFL) & O_NONBLOCK ? SOCK_NONBLOCK : 0;
		descriptor = fcntl(fd, F_GETFD) & FD_CLOEXEC ? SOCK_CLOEXEC : 0;
		snprintf(name, sizeof(name), "flags %x%s", wanted, index < 4 ? "" : " of a non-blocking listener");
		check(name, fd >= 0 && (status | descriptor) == wanted, "%d, %x", fd, status | descriptor);
		close(fd);
		close(control);
	}
	close(listening);
}

static void waiting(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.u64 = 5 };
	int listening = listener("0.0.0.0", 6203, 8), control, fd, start, epoll, code, kept;
	struct timeval limit = { .tv_usec = 50000 };
	fd_set readable, writable;

	check("idle, poll", ready(listening, POLLIN | POLLOUT, 50) == 0, "%x", ready(listening, POLLIN | POLLOUT, 0));
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_SET(listening, &readable);
	FD_SET(listening, &writable);
	code = select(listening + 1, &readable, &writable, NULL, &limit);
	check("idle, select", code == 0, "%d", code);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
	check("idle, epoll", epoll_wait(epoll, &event, 1, 50) == 0, "%x", event.events);

	fcntl(listening, F_SETFL, O_NONBLOCK);
	CHECK_FAILS("idle, non-blocking", accept(listening, NULL, NULL), EAGAIN);
	control = dialled(own_v4, 6203);
	check("ready, poll", ready(listening, POLLIN | POLLOUT, 5000) == POLLIN, "%x", ready(listening, POLLIN | POLLOUT, 0));
	check("ready, epoll", epoll_wait(epoll, &event, 1, 5000) == 1 && event.events == EPOLLIN && event.data.u64 == 5, "%x",
	      event.events);
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_SET(listening, &readable);
	FD_SET(listening, &writable);
	limit = (struct timeval){ .tv_sec = 5 };
	code = select(listening + 1, &readable, &writable, NULL, &limit);
	check("ready, select", code == 1 && FD_ISSET(listening, &readable), "%d", code);
	fd = accept(listening, NULL, NULL);
	check("ready, non-blocking", fd >= 0, "%s", strerror(errno));
	CHECK_FAILS("and then idle", accept(listening, NULL, NULL), EAGAIN);
	close(fd);
	close(control);

	code = 0;
	ioctl(listening, FIONBIO, &code);
	set_timeout(listening, SO_RCVTIMEO, 150);
	start = milliseconds();
	CHECK_FAILS("SO_RCVTIMEO", accept(listening, NULL, NULL), EAGAIN);
	check("waited so long", milliseconds() - start >= 140, "%d ms", milliseconds() - start);
	control = dialled(own_v4, 6203);
	fd = accept(listening, NULL, NULL);
	check("within SO_RCVTIMEO", fd >= 0, "%s", strerror(errno));
	close(fd);
	close(control);
	set_timeout(listening, SO_RCVTIMEO, 0);

	interrupt(100, 0);
	CHECK_FAILS("EINTR", accept(listening, NULL, NULL), EINTR);
	interrupt(0, 0);
	kept = fork();
	if (kept == 0) {
		usleep(300000);
		control = dialled(own_v4, 6203);
		read_line(control);
		_exit(0);
	}
	interrupt(100, 1);
	fd = accept(listening, NULL, NULL);
	check("SA_RESTART", fd >= 0, "%s", strerror(errno));
	interrupt(0, 0);
	close(fd);
	end_of(kept);
	errno = 1234;
	fd = taken(listening, 6203, &control);
	check("errno after accept", errno == 1234, "%d", errno);
	errno = 1234;
	check("listen again", listen(listening, 20) == 0, "%s", strerror(errno));
	check("errno after listen", errno == 1234, "%d", errno);
	close(fd);
	close(control);
	close(epoll);
	close(listening);

	/* SO_RCVTIMEO that was set before listen() counts too, and an accepted connection has it as well. */
	listening = socket(AF_INET, SOCK_STREAM, 0);
	set_option(listening, SOL_SOCKET, SO_REUSEADDR, 1);
	set_timeout(listening, SO_RCVTIMEO, 500);
	bind_to(listening, "0.0.0.0", 6204);
	listen(listening, 5);
	CHECK_FAILS("SO_RCVTIMEO set before", accept(listening, NULL, NULL), EAGAIN);
	fd = taken(listening, 6204, &control);
	CHECK_FAILS("SO_RCVTIMEO inherited", read(fd, &event, 1), EAGAIN);
	close(fd);
	close(control);
	close(listening);
}

static void *accepting(void *argument)
{
	long fd = accept(*(int *)argument, NULL, NULL);

	return (void *)(fd < 0 ? -(long)errno : fd);
}

static void threads(void)
{
	int listening = listener("0.0.0.0", 6205, 8), control, index;
	pthread_t all[4];
	void *result;

	for (index = 0; index < 4; index++)
		pthread_create(&all[index], NULL, accepting, &listening);
	usleep(50000);
	pthread_cancel(all[0]);
	pthread_join(all[0], &result);
	check("cancelled in accept", result == PTHREAD_CANCELED, "%ld", (long)result);
	control = dialled(own_v4, 6205);
	close(dialled(own_v4, 6205));
	usleep(200000);
	shutdown(listening, SHUT_RDWR);
	{
		int accepted = 0, woken = 0, other = 0;

		for (index = 1; index < 4; index++) {
			pthread_join(all[index], &result);
			if ((long)result >= 0) {
				accepted++;
				close((int)(long)result);
			} else if ((long)result == -EINVAL) {
				woken++;
			} else {
				other = (int)-(long)result;
			}
		}
		check("others go on", accepted == 2, "%d", accepted);
		check("shutdown wakes accept", woken == 1, "%s", strerror(other));
	}
	close(control);
	CHECK_FAILS("accept after shutdown", accept(listening, NULL, NULL), EINVAL);
	check("no listener after shutdown", option_of(listening, SOL_SOCKET, SO_ACCEPTCONN) == 0, "is one");
	check("refused after shutdown", refuses(6205), "accepted");
	CHECK_OK("listen after shutdown", listen(listening, 5));
	index = taken(listening, 6205, &control);
	check("accept after listen after shutdown", index >= 0 && echoes(index), "%s", strerror(errno));
	close(index);
	close(control);
	errno = 1234;
	CHECK_OK("shutdown for writing", shutdown(listening, SHUT_WR));
	index = taken(listening, 6205, &control);
	check("goes on after shutdown for writing", index >= 0, "%s", strerror(errno));
	close(index);
	close(control);
	CHECK_FAILS("odd shutdown", shutdown(listening, 7), EINVAL);
	close(listening);
}

/* A client that ends its connection first keeps what is left of it: the server is started again at once. */
static void restarting(void)
{
	int round, attempt, control, fd, failed = 0, listening;
	char byte;

	for (round = 0; round < 5; round++) {
		/* Without SO_REUSEADDR. */
		listening = socket(AF_INET, SOCK_STREAM, 0);
		for (attempt = 0; bind_to(listening, "0.0.0.0", 6212) && errno == EADDRINUSE && attempt < 100; attempt++)
			usleep(10000);
		if (attempt == 100 || listen(listening, 5))
			failed++;
		fd = taken(listening, 6212, &control);
		close(control);
		if (fd < 0 || read(fd, &byte, 1) != 0)
			failed++;
		close(fd);
		close(listening);
	}
	check("a server that is started again", failed == 0, "%d failed", failed);
}

static void rebinding(void)
{
	int index, failed = 0, fd, control, where = 0;

	for (index = 0; index < 2000; index++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (bind_to(fd, "0.0.0.0", 6207) || listen(fd, 5)) {
			failed++;
			where = errno;
		}
		close(fd);
	}
	check("close and bind again, 2000 times", failed == 0, "%d failed: %s", failed, strerror(where));
	fd = listener("0.0.0.0", 6206, 5);
	index = taken(fd, 6206, &control);
	check("and it serves", index >= 0 && echoes(index), "%s", strerror(errno));
	close(index);
	close(control);
	index = socket(AF_INET, SOCK_STREAM, 0);
	set_option(index, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_FAILS("bind where another listens", bind_to(index, "0.0.0.0", 6206), EADDRINUSE);
	CHECK_FAILS("bind again when listening", bind_to(fd, "0.0.0.0", 6212), EINVAL);
	close(index);
	close(fd);
	check("refused once closed", refuses(6206), "not");

	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK("listen without bind", listen(fd, 3));
	check("has a port", port_of(fd) > 0, "%s", own_name(fd));
	index = taken(fd, port_of(fd), &control);
	check("serves without bind", index >= 0 && echoes(index), "%s", strerror(errno));
	close(index);
	close(control);
	close(fd);
}

static void shared_port(void)
{
	int fds[2], index, control, accepted[2] = { 0 }, round;

	for (index = 0; index < 2; index++) {
		fds[index] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		set_option(fds[index], SOL_SOCKET, SO_REUSEPORT, 1);
		if (bind_to(fds[index], "0.0.0.0", 6208) || listen(fds[index], 64))
			check("SO_REUSEPORT", 0, "%s", strerror(errno));
	}
	for (round = 0; round < 40; round++) {
		struct pollfd both[2] = { { .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN } };

		control = dialled(own_v4, 6208);
		poll(both, 2, 5000);
		for (index = 0; index < 2; index++) {
			int fd = both[index].revents ? accept(fds[index], NULL, NULL) : -1;

			if (fd >= 0)
				accepted[index]++;
			close(fd);
		}
		close(control);
	}
	check("SO_REUSEPORT shares", accepted[0] + accepted[1] == 40 && accepted[0] > 2 && accepted[1] > 2, "%d and %d",
	      accepted[0], accepted[1]);
	close(fds[0]);
	control = dialled(own_v4, 6208);
	check("the other goes on", ready(fds[1], POLLIN, 5000) == POLLIN, "%x", ready(fds[1], POLLIN, 0));
	close(control);
	close(fds[1]);
}

static void backlog(void)
{
	int listening = listener("0.0.0.0", 6209, 128), controls[40], index, taken_all = 0;

	for (index = 0; index < 40; index++)
		controls[index] = dialled(own_v4, 6209);
	for (index = 0; index < 40; index++)
		check("waits in the backlog", !strncmp(read_line(controls[index]), "ok ", 3), "no");
	for (index = 0; index < 40; index++) {
		int fd = accept(listening, NULL, NULL);

		taken_all += fd >= 0 && echoes(fd);
		close(fd);
	}
	check("all of the backlog", taken_all == 40, "%d", taken_all);
	for (index = 0; index < 40; index++)
		close(controls[index]);
	close(listening);
}

static void loopback(void)
{
	int listening = listener("127.0.0.1", 6210, 8), everywhere = listener("0.0.0.0", 6211, 8), fd, other, index;

	for (index = 0; index < 2; index++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		CHECK_OK(index ? "loopback to all addresses" : "loopback", connect_to(fd, "127.0.0.1", 6210 + index));
		other = accept(index ? everywhere : listening, NULL, NULL);
		check("its names", !strncmp(peer_name(other), "127.0.0.1 ", 10) && !strcmp(own_name(fd), peer_name(other)) &&
			      !strcmp(peer_name(fd), own_name(other)), "%s and %s", peer_name(other), own_name(fd));
		close(other);
		close(fd);
	}
	check("nobody else reaches it", refuses(6210), "connected");
	close(listening);
	close(everywhere);
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	addresses();
	flags();
	waiting();
	threads();
	rebinding();
	restarting();
	shared_port();
	backlog();
	loopback();
	return finish();
}
