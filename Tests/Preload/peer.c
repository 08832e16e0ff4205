/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side: takes a command line on each connection.
 *
 *   echo            sends back whatever comes
 *   who             says "PEER PORT OWN PORT", as accept() and getsockname() told
 *   dial HOST PORT  connects there, says "ok OWN PORT PEER PORT" or "error NUMBER", and echoes there until the end of
 *                   the connection that the command came on
 *   burst HOST PORT COUNT  connects there so often, a byte each, and says "done OPENED"
 *   reset           ends the connection with a reset
 *   close           ends it at once
 */
#include "check.h"

struct arrival {
	int fd;
	char from[128];
};

static void echo(int fd)
{
	char buffer[4096];
	ssize_t count;

	while ((count = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(fd, buffer, count) != count)
			break;
}

static void dial(int control, const char *host, int port)
{
	struct name to = name_of(host, port);
	int fd = socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buffer[4096];

	set_timeout(fd, SO_SNDTIMEO, 5000);
	if (connect(fd, (struct sockaddr *)&to.address, to.length)) {
		dprintf(control, "error %d\n", errno);
		close(fd);
		return;
	}
	dprintf(control, "ok %s %s\n", own_name(fd), peer_name(fd));
	while (1) {
		struct pollfd both[2] = { { .fd = control, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
		ssize_t count;

		poll(both, 2, -1);
		if (both[0].revents)
			break;
		if (!both[1].revents)
			continue;
		count = read(fd, buffer, sizeof(buffer));
		if (count <= 0 || write(fd, buffer, count) != count) {
			shutdown(control, SHUT_RDWR);
			break;
		}
	}
	close(fd);
}

static void burst(int control, const char *host, int port, int count)
{
	int opened = 0, index;

	for (index = 0; index < count; index++) {
		struct name to = name_of(host, port);
		int fd = socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char byte;

		set_timeout(fd, SO_RCVTIMEO, 5000);
		if (!connect(fd, (struct sockaddr *)&to.address, to.length) && write(fd, "x", 1) == 1 && read(fd, &byte, 1) == 1)
			opened++;
		close(fd);
	}
	dprintf(control, "done %d\n", opened);
}

static void *serve(void *argument)
{
	struct arrival *arrival = argument;
	int fd = arrival->fd, port, count;
	const char *line = read_line(fd);
	char host[64];

	if (!strcmp(line, "echo")) {
		echo(fd);
	} else if (!strcmp(line, "who")) {
		dprintf(fd, "%s %s\n", arrival->from, own_name(fd));
		echo(fd);
	} else if (sscanf(line, "dial %63s %d", host, &port) == 2) {
		dial(fd, host, port);
	} else if (sscanf(line, "burst %63s %d %d", host, &port, &count) == 3) {
		burst(fd, host, port, count);
	} else if (!strcmp(line, "reset")) {
		struct linger now = { .l_onoff = 1 };

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	close(fd);
	free(arrival);
	return NULL;
}

static void *serve_all(void *argument)
{
	int listening = *(int *)argument;
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	while (1) {
		struct name from = { .length = sizeof(from.address) };
		struct arrival *arrival;
		pthread_t thread;
		int fd = accept4(listening, (struct sockaddr *)&from.address, &from.length, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		arrival = malloc(sizeof(*arrival));
		arrival->fd = fd;
		strcpy(arrival->from, text_of(&from.address));
		if (pthread_create(&thread, &attributes, serve, arrival))
			abort();
	}
	return NULL;
}

int main(void)
{
	static int listening[3];
	pthread_t thread;
	int index;

	signal(SIGPIPE, SIG_IGN);
	listening[0] = listener("::", PEER_PORT, 128);
	listening[1] = listener("0.0.0.0", PEER_PORT_V4, 128);
	listening[2] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_option(listening[2], IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set_option(listening[2], SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind_to(listening[2], "::", PEER_PORT_V6) || listen(listening[2], 128) || failures)
		return 1;
	for (index = 0; index < 3; index++)
		pthread_create(&thread, NULL, serve_all, &listening[index]);
	puts("ready");
	fflush(stdout);
	while (1)
		pause();
}
