/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_heir.h"
#include "slim_keeper.h"
#include "slim_passing.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME "slim-heir"
/* What the router is at, and what has arrived whole and was not looked at: a few. */
#define MOST_PASSED_ON 256

struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

struct slim_flight *slim_flight_map(void)
{
	struct slim_flight *flight =
		mmap(NULL, sizeof(*flight), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (flight == MAP_FAILED)
		return NULL;
	flight->keeper = -1;
	flight->connection = -1;
	return flight;
}

void slim_flight_unmap(struct slim_flight *flight)
{
	munmap(flight, sizeof(*flight));
}

static int is_preamble(const uint8_t *bytes)
{
	return memcmp(bytes, SLIM_PREAMBLE_MAGIC, strlen(SLIM_PREAMBLE_MAGIC)) == 0;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

/* Whether all of a preamble waits in a connection. */
static int brings_preamble(int fd)
{
	uint8_t bytes[SLIM_PREAMBLE_LENGTH];

	return recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT) == sizeof(bytes) && is_preamble(bytes);
}

static uint64_t namespace_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length);
	return cookie;
}

static int port_of(int fd)
{
	struct sockaddr_in6 name;
	socklen_t length = sizeof(name);

	/* The port is at the same place in both families. */
	return getsockname(fd, (struct sockaddr *)&name, &length) == 0 ? name.sin6_port : -1;
}

/* Whether a connection came out of the backlog that is being accepted from. */
static int is_from_backlog(const struct slim_flight *flight, int fd)
{
	struct sockaddr_in6 peer;
	socklen_t length = sizeof(peer);

	return flight->listener != 0 && getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
	       port_of(fd) == port_of(flight->original) && namespace_of(fd) == namespace_of(flight->original);
}

/* Whether it was passed on. */
static int pass_on(const struct slim_flight *flight, int fd)
{
	struct slim_kept message = {
		.header = { .magic = SLIM_ABI_MAGIC, .version = SLIM_KEEPER_VERSION, .operation = SLIM_KEEP_ARRIVAL },
	};

	int is_current = fd == flight->connection && flight->state != SLIM_FLIGHT_NONE;

	if (is_current && flight->state == SLIM_FLIGHT_GIVEN)
		return 0;
	/* Of a socket that is guarded by now only the router may ask anything: this one is known without. */
	if (is_current && is_preamble(flight->preamble))
		memcpy((uint8_t *)&message + offsetof(struct slim_kept, secret), flight->preamble, SLIM_PREAMBLE_LENGTH);
	else if (is_from_backlog(flight, fd))
		message.id = flight->listener;
	else if (option(fd, SO_PROTOCOL) != IPPROTO_TCP || !brings_preamble(fd))
		return 0;
	return slim_pass(flight->keeper, &message, sizeof(message), fd, 0) == sizeof(message);
}

static void pass_all_on(const struct slim_flight *flight)
{
	char buffer[4096] __attribute__((aligned(8)));
	int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int passed = 0;
	long length;

	if (folder < 0 || flight->keeper < 0)
		return;
	while (passed < MOST_PASSED_ON && (length = syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0) {
		const struct entry *entry;

		for (long at = 0; at < length; at += entry->length) {
			entry = (const struct entry *)(buffer + at);
			if (entry->name[0] != '.')
				passed += pass_on(flight, atoi(entry->name));
		}
	}
}

/* Not to be taken for another router: by what `ps` shows. */
static void rename_process(void)
{
	char arguments[4096];
	int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? 0 : read(file, arguments, sizeof(arguments));
	size_t first = length > 0 ? strnlen(arguments, (size_t)length) : 0;

	close(file);
	prctl(PR_SET_NAME, NAME);
	if (first <= strlen(NAME) || strncmp(program_invocation_name, arguments, first) != 0)
		return;
	memset(program_invocation_name, 0, (size_t)length);
	memcpy(program_invocation_name, NAME, strlen(NAME));
}

static _Noreturn void wait_and_inherit(const struct slim_flight *flight, int router, int lock)
{
	struct pollfd end = { .fd = router, .events = POLLIN };
	sigset_t all;

	/* What ends a group of processes ends the router first. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	rename_process();
	while (poll(&end, 1, -1) != 1)
		;
	pass_all_on(flight);
	close_range((unsigned)lock + 1, ~0U, 0);
	close_range(0, (unsigned)lock - 1, 0);
	_exit(0);
}

int slim_heir_start(const struct slim_flight *flight, int lock)
{
	int router = (int)syscall(SYS_pidfd_open, getpid(), 0);
	long process;

	if (router < 0)
		return errno;
	/* As fork() does it, but for the descriptors: these are the same ones. */
	process = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (process == 0)
		wait_and_inherit(flight, router, lock);
	return process < 0 ? errno : 0;
}
