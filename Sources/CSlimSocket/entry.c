/* SPDX-License-Identifier: Apache-2.0
 *
 * The names that the library puts before libc's. Only where it is preloaded: the tests link the Swift side without.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "slim_socket.h"

#ifdef SLIM_PRELOAD
#define EXPORT __attribute__((visibility("default")))

EXPORT int socket(int family, int type, int protocol)
{
	return slim_socket(family, type, protocol);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return slim_connect(fd, address, length);
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return slim_bind(fd, address, length);
}

EXPORT int listen(int fd, int backlog)
{
	return slim_listen(fd, backlog);
}

EXPORT int accept(int fd, struct sockaddr *address, socklen_t *length)
{
	return slim_accept_plain(fd, address, length);
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	return slim_accept4(fd, address, length, flags);
}

EXPORT int shutdown(int fd, int how)
{
	return slim_shutdown(fd, how);
}

EXPORT int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return slim_getpeername(fd, address, length);
}

EXPORT int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return slim_getsockname(fd, address, length);
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	return slim_getsockopt(fd, level, option, value, length);
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	return slim_setsockopt(fd, level, option, value, length);
}

EXPORT int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	return slim_epoll_ctl(epoll, operation, fd, event);
}

/* As many as any call has; those that were not passed are read and not looked at, as libc does. */
#define TAKE_ARGUMENTS(last, from, arguments)                                                                          \
	do {                                                                                                           \
		va_list list_;                                                                                         \
		int index_;                                                                                            \
		va_start(list_, last);                                                                                 \
		for (index_ = (from); index_ < 6; index_++)                                                            \
			(arguments)[index_] = va_arg(list_, long);                                                     \
		va_end(list_);                                                                                         \
	} while (0)

EXPORT int prctl(int option, ...)
{
	long arguments[6] = { option };

	TAKE_ARGUMENTS(option, 1, arguments);
	return (int)slim_system_call(SYS_prctl, arguments);
}

EXPORT long syscall(long number, ...)
{
	long arguments[6];

	TAKE_ARGUMENTS(number, 0, arguments);
	return slim_system_call(number, arguments);
}
#endif
