/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_process.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

extern char **environ;

int slim_spawn_detached(const char *path, char *const arguments[], int *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t child = 0;
	int code;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	code = posix_spawn(&child, path, &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	*pid = (int)child;
	return code;
}

void *slim_map_file(int fd, size_t length)
{
	void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return address == MAP_FAILED ? NULL : address;
}

int slim_unmap(void *address, size_t length)
{
	return munmap(address, length);
}

static int peer(int fd, struct ucred *credentials)
{
	socklen_t length = sizeof(*credentials);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &length);
}

long slim_peer_user(int fd)
{
	struct ucred credentials;

	return peer(fd, &credentials) == 0 ? (long)credentials.uid : -1;
}

int slim_peer_process(int fd)
{
	struct ucred credentials;

	return peer(fd, &credentials) == 0 ? credentials.pid : 0;
}

void slim_kill_and_wait(int process, int milliseconds)
{
	int fd = (int)syscall(SYS_pidfd_open, process, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };

	kill(process, SIGKILL);
	if (fd < 0)
		return;
	/* Readable when its descriptors are closed. */
	poll(&end, 1, milliseconds);
	close(fd);
}
