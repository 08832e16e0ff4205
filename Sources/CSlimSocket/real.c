/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions behind the interposed ones, the environment, and the tables.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "slim_socket.h"

/* In a libdl of its own before glibc 2.34: a program that does not load that one has no dlsym(). */
#pragma weak dlsym

enum real {
	REAL_CONNECT, REAL_BIND, REAL_LISTEN, REAL_ACCEPT, REAL_ACCEPT4, REAL_SHUTDOWN, REAL_GETPEERNAME,
	REAL_GETSOCKNAME, REAL_GETSOCKOPT, REAL_SETSOCKOPT, REAL_EPOLL_CTL, REAL_SOCKET, REAL_COUNT
};

static const struct {
	const char *name;
	long number;
} functions[REAL_COUNT] = {
	[REAL_CONNECT] = { "connect", SYS_connect },
	[REAL_BIND] = { "bind", SYS_bind },
	[REAL_LISTEN] = { "listen", SYS_listen },
	[REAL_ACCEPT] = { "accept", SYS_accept },
	[REAL_ACCEPT4] = { "accept4", SYS_accept4 },
	[REAL_SHUTDOWN] = { "shutdown", SYS_shutdown },
	[REAL_GETPEERNAME] = { "getpeername", SYS_getpeername },
	[REAL_GETSOCKNAME] = { "getsockname", SYS_getsockname },
	[REAL_GETSOCKOPT] = { "getsockopt", SYS_getsockopt },
	[REAL_SETSOCKOPT] = { "setsockopt", SYS_setsockopt },
	[REAL_EPOLL_CTL] = { "epoll_ctl", SYS_epoll_ctl },
	[REAL_SOCKET] = { "socket", SYS_socket },
};

struct own {
	struct slim_link link;
	uint64_t channels[SLIM_NOTE_SLOTS / 64];
};

static void *found[REAL_COUNT];
/* A copy: programs that set their title (sshd, nginx, PostgreSQL) write over the environment they were started with. */
static char router_name[sizeof(((struct sockaddr_un *)0)->sun_path)] = "@slim";
static int log_level;
static int listen_plain;
static int joins;

static struct slim_known known[SLIM_KNOWN_SLOTS];
static uint64_t pristine[SLIM_PRISTINE_SLOTS];
static uint32_t pristine_count;
static struct slim_note notes[SLIM_NOTE_SLOTS];
static struct slim_queue queues[SLIM_QUEUE_SLOTS];
static struct own *own_state;
static struct slim_router router_state;

/* What belongs to one process: a forked child finds zeroes in it; the child of a vfork(), which shares all else too, what
 * its parent has there. */
static struct own *map_own(void)
{
	void *pages = mmap(NULL, sizeof(struct own), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	if (madvise(pages, sizeof(struct own), MADV_WIPEONFORK) == 0)
		return pages;
	munmap(pages, sizeof(struct own));
	return NULL;
}

/* Not before it is needed: a program that makes no connection makes no system call of ours. */
static struct own *own(void)
{
	struct own *made = __atomic_load_n(&own_state, __ATOMIC_ACQUIRE), *first = NULL;

	if (made)
		return made;
	made = map_own();
	if (!made || __atomic_compare_exchange_n(&own_state, &first, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	munmap(made, sizeof(*made));
	return first;
}

/* Lookups happen here, once: dlsym() is not safe in a signal handler. */
__attribute__((constructor)) static void load(void)
{
	const char *text;
	int index;

	for (index = 0; dlsym && index < REAL_COUNT; index++)
		found[index] = dlsym(RTLD_NEXT, functions[index].name);
	text = getenv("SLIM_ROUTER");
	/* A name that is too long is none: it must not become another one. */
	if (text && *text)
		strcpy(router_name, strlen(text) < sizeof(router_name) ? text : "");
	if (!strcmp(router_name, SLIM_NO_ROUTER))
		slim_forbid(SLIM_MAY_LOOK | SLIM_MAY_ACCEPT | SLIM_MAY_ASK);
	text = getenv("SLIM_LOG");
	if (text)
		log_level = !strcmp(text, "debug") || !strcmp(text, "trace") ? 3 :
			    !strcmp(text, "info") || !strcmp(text, "notice") ? 2 :
			    !strcmp(text, "warning") || !strcmp(text, "error") ? 1 : 0;
	text = getenv("SLIM_LISTEN");
	listen_plain = text && !strcmp(text, "plain");
	text = getenv("SLIM_SAME_HOST");
	joins = text && !strcmp(text, "joined");
}

/* Before the constructor ran, or where the lookup found nothing, the kernel is called directly. */
#define REAL(index, type, ...) (found[index] ? ((type)found[index])(__VA_ARGS__) : \
				(int)syscall(functions[index].number, __VA_ARGS__))

int slim_real_connect(int fd, const void *address, uint32_t length)
{
	return REAL(REAL_CONNECT, int (*)(int, const void *, uint32_t), fd, address, length);
}

int slim_real_bind(int fd, const void *address, uint32_t length)
{
	return REAL(REAL_BIND, int (*)(int, const void *, uint32_t), fd, address, length);
}

int slim_real_listen(int fd, int backlog)
{
	return REAL(REAL_LISTEN, int (*)(int, int), fd, backlog);
}

int slim_real_accept(int fd, void *address, uint32_t *length)
{
	return REAL(REAL_ACCEPT, int (*)(int, void *, uint32_t *), fd, address, length);
}

int slim_real_accept4(int fd, void *address, uint32_t *length, int flags)
{
	return REAL(REAL_ACCEPT4, int (*)(int, void *, uint32_t *, int), fd, address, length, flags);
}

int slim_real_shutdown(int fd, int how)
{
	return REAL(REAL_SHUTDOWN, int (*)(int, int), fd, how);
}

int slim_real_getpeername(int fd, void *address, uint32_t *length)
{
	return REAL(REAL_GETPEERNAME, int (*)(int, void *, uint32_t *), fd, address, length);
}

int slim_real_getsockname(int fd, void *address, uint32_t *length)
{
	return REAL(REAL_GETSOCKNAME, int (*)(int, void *, uint32_t *), fd, address, length);
}

int slim_real_getsockopt(int fd, int level, int option, void *value, uint32_t *length)
{
	return REAL(REAL_GETSOCKOPT, int (*)(int, int, int, void *, uint32_t *), fd, level, option, value, length);
}

int slim_real_setsockopt(int fd, int level, int option, const void *value, uint32_t length)
{
	return REAL(REAL_SETSOCKOPT, int (*)(int, int, int, const void *, uint32_t), fd, level, option, value, length);
}

int slim_real_epoll_ctl(int epoll, int operation, int fd, void *event)
{
	return REAL(REAL_EPOLL_CTL, int (*)(int, int, int, void *), epoll, operation, fd, event);
}

int slim_real_socket(int family, int type, int protocol)
{
	return REAL(REAL_SOCKET, int (*)(int, int, int), family, type, protocol);
}

const char *slim_router_name(void)
{
	return router_name;
}

int slim_log_level(void)
{
	return log_level;
}

int slim_listen_plain(void)
{
	return listen_plain;
}

int slim_joins(void)
{
	return joins;
}

struct slim_known *slim_known_table(void)
{
	return known;
}

uint64_t *slim_pristine_table(void)
{
	return pristine;
}

uint32_t *slim_pristine_count(void)
{
	return &pristine_count;
}

struct slim_note *slim_note_table(void)
{
	return notes;
}

struct slim_queue *slim_queue_table(void)
{
	return queues;
}

struct slim_link *slim_link_state(void)
{
	struct own *state = own();

	return state ? &state->link : NULL;
}

uint64_t *slim_channel_table(void)
{
	struct own *state = own();

	return state ? state->channels : NULL;
}

struct slim_router *slim_router_state(void)
{
	return &router_state;
}

int slim_errno(void)
{
	return errno;
}

void slim_set_errno(int code)
{
	errno = code;
}

int slim_set_cancel_state(int state)
{
	int previous = 0;

	pthread_setcancelstate(state, &previous);
	return previous;
}
