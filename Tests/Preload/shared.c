/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets that go from one process to another: fork, exec, dup, SCM_RIGHTS. Run again by exec as
 * `shared ... connection|listener NUMBER`, where it looks at what it was given.
 */
#include "check.h"

static char **original_arguments;

static int tcp_to_peer(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect_to(fd, peer_v4, PEER_PORT) || write(fd, "echo\n", 5) != 5)
		check("connect", 0, "%s", strerror(errno));
	return fd;
}

static void execute(const char *what, int fd)
{
	char number[16];
	char *arguments[] = { original_arguments[0], original_arguments[1], original_arguments[2], original_arguments[3],
			      original_arguments[4], (char *)what, number, NULL };

	snprintf(number, sizeof(number), "%d", fd);
	execv("/proc/self/exe", arguments);
	_exit(99);
}

static int given(const char *what, int fd)
{
	char peer[96];

	if (!strcmp(what, "connection")) {
		snprintf(peer, sizeof(peer), "%s %d", peer_v4, PEER_PORT);
		check("peer after exec", !strcmp(peer_name(fd), peer), "%s", peer_name(fd));
		check("own name after exec", !strncmp(own_name(fd), own_v4, strlen(own_v4)), "%s", own_name(fd));
		CHECK_FAILS("connected after exec", connect_to(fd, peer_v4, PEER_PORT), EISCONN);
		check("echo after exec", echoes(fd), "none");
	} else {
		int connection, control;

		check("listens after exec", option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1, "no");
		check("name after exec", port_of(fd) == 6601 && !strncmp(own_name(fd), "0.0.0.0 ", 8), "%s", own_name(fd));
		control = dialled(own_v4, 6601);
		connection = accept(fd, NULL, NULL);
		check("accepts after exec", connection >= 0 && echoes(connection), "%s", strerror(errno));
		check("peer after accept after exec", !strncmp(peer_name(connection), peer_v4, strlen(peer_v4)), "%s",
		      peer_name(connection));
		close(control);
	}
	return finish();
}

static void connections(void)
{
	int fd = tcp_to_peer(), other, pair[2];
	char name[96], peer[96];
	pid_t child;

	snprintf(name, sizeof(name), "%s", own_name(fd));
	snprintf(peer, sizeof(peer), "%s %d", peer_v4, PEER_PORT);
	other = dup(fd);
	check("dup", !strcmp(own_name(other), name) && !strcmp(peer_name(other), peer), "%s", own_name(other));
	check("dup carries data", echoes(other), "no echo");
	close(fd);
	check("dup outlives", echoes(other) && !strcmp(peer_name(other), peer), "no echo");
	fd = dup2(other, 77);
	close(other);
	check("dup2", fd == 77 && echoes(fd) && !strcmp(own_name(fd), name), "%s", own_name(fd));

	child = fork();
	if (child == 0)
		_exit(!(!strcmp(own_name(fd), name) && !strcmp(peer_name(fd), peer) && echoes(fd) && tcp_to_peer() >= 0 && !failures));
	check("fork", end_of(child) == 0, "the child says no");
	check("after fork", echoes(fd), "no echo");
	child = fork();
	if (child == 0)
		execute("connection", fd);
	check("exec", end_of(child) == 0, "the program says no");
	child = vfork();
	if (child == 0)
		execute("connection", fd);
	check("vfork and exec", end_of(child) == 0, "the program says no");

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	child = fork();
	if (child == 0) {
		close(fd);
		fd = take_over(pair[1]);
		_exit(!(!strcmp(own_name(fd), name) && !strcmp(peer_name(fd), peer) && echoes(fd)));
	}
	hand_over(pair[0], fd);
	check("SCM_RIGHTS", end_of(child) == 0, "the child says no");
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	child = fork();
	if (child == 0) {
		fd = tcp_to_peer();
		hand_over(pair[1], fd);
		_exit(0);
	}
	other = take_over(pair[0]);
	check("from a child that is gone", end_of(child) == 0 && echoes(other) && !strcmp(peer_name(other), peer), "%s",
	      peer_name(other));
	close(other);
	/* One that is not connected yet is connected by whoever gets it. */
	hand_over(pair[1], fd);
	close(fd);
	fd = take_over(pair[0]);
	CHECK_OK("connect one that was passed", connect_to(fd, peer_v4, PEER_PORT));
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static void end_of_file(void)
{
	int control, listening = listener("0.0.0.0", 6602, 5), fd;
	pid_t child;

	/* Nobody keeps a copy of a connection: its last holder ends it. */
	control = dialled(own_v4, 6602);
	fd = accept(listening, NULL, NULL);
	check("dialled", !strncmp(read_line(control), "ok ", 3), "no");
	child = fork();
	if (child == 0) {
		usleep(100000);
		_exit(echoes(fd) ? 0 : 1);
	}
	close(fd);
	check("the child goes on", end_of(child) == 0, "no echo");
	check("the end is seen", ready(control, POLLIN, 5000) & POLLIN && read(control, &child, 1) == 0, "not");
	close(control);
	close(listening);
}

static void workers(void)
{
	int listening = listener("0.0.0.0", 6603, 64), pipes[2], index, control, total = 0;
	pid_t children[3];

	if (pipe(pipes))
		perror("pipe");
	for (index = 0; index < 3; index++) {
		children[index] = fork();
		if (children[index] == 0) {
			while (1) {
				int fd = accept(listening, NULL, NULL);
				char byte;

				if (fd >= 0 && read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1 &&
				    !strncmp(peer_name(fd), peer_v4, strlen(peer_v4)) && write(pipes[1], &index, 1) != 1)
					_exit(1);
				close(fd);
			}
		}
	}
	close(listening);
	control = command("burst %s 6603 60\n", own_v4);
	check("served by workers", !strcmp(read_line(control), "done 60"), "not all");
	close(control);
	for (index = 0; index < 3; index++) {
		kill(children[index], SIGKILL);
		end_of(children[index]);
	}
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	while (read(pipes[0], &index, 1) == 1)
		total++;
	check("with the right peer", total == 60, "%d", total);
	close(pipes[0]);
	close(pipes[1]);
	check("refused when the workers are gone", refuses(6603), "no");
}

static void listeners(void)
{
	int listening = listener("0.0.0.0", 6601, 8), other, pair[2], control, fd;
	pid_t child;

	fcntl(listening, F_SETFD, 0);
	child = fork();
	if (child == 0)
		execute("listener", listening);
	check("listener over exec", end_of(child) == 0, "the program says no");
	other = dup(listening);
	close(listening);
	control = dialled(own_v4, 6601);
	fd = accept(other, NULL, NULL);
	check("dup of a listener", fd >= 0 && echoes(fd), "%s", strerror(errno));
	close(fd);
	close(control);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	child = fork();
	if (child == 0) {
		close(other);
		fd = take_over(pair[1]);
		check("name of a listener that was passed", port_of(fd) == 6601, "%s", own_name(fd));
		control = dialled(own_v4, 6601);
		fd = accept(fd, NULL, NULL);
		check("accepts on it", fd >= 0 && echoes(fd), "%s", strerror(errno));
		_exit(finish());
	}
	hand_over(pair[0], other);
	close(other);
	check("listener by SCM_RIGHTS", end_of(child) == 0, "the child says no");
	close(pair[0]);
	close(pair[1]);
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	original_arguments = arguments;
	if (count == 7)
		return given(arguments[5], atoi(arguments[6]));
	connections();
	end_of_file();
	workers();
	listeners();
	return finish();
}
