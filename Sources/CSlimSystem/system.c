/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_system.h"
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

_Static_assert(SLIM_SO_COOKIE == SO_COOKIE, "SO_COOKIE");
#ifdef SO_NETNS_COOKIE
_Static_assert(SLIM_SO_NETNS_COOKIE == SO_NETNS_COOKIE, "SO_NETNS_COOKIE");
#endif

int slim_control(int fd, int command, int argument)
{
	return fcntl(fd, command, argument);
}

int slim_set_nonblocking(int fd, int nonblocking)
{
	return ioctl(fd, FIONBIO, &nonblocking);
}

int slim_open(const char *path, int flags)
{
	return open(path, flags);
}

int slim_create(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

int slim_ioctl_integer(int fd, unsigned long request, int *value)
{
	return ioctl(fd, request, value);
}

int slim_is_network_namespace(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

int slim_enter_network_namespace(int fd)
{
	return setns(fd, CLONE_NEWNET);
}

int slim_get_cookie(int fd, int option, uint64_t *cookie)
{
	socklen_t length = sizeof(*cookie);

	return getsockopt(fd, SOL_SOCKET, option, cookie, &length);
}

void slim_name_thread(const char *name)
{
	prctl(PR_SET_NAME, name);
}

void slim_schedule_in_batches(void)
{
	struct sched_param parameters = { 0 };

	if (sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &parameters);
}
