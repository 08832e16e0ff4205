/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_watch.h"
#include <poll.h>
#include <sys/inotify.h>

int slim_watch_open(void)
{
	return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

int slim_watch_directory(int watch, const char *path)
{
	return inotify_add_watch(watch, path,
				 IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB |
				 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

int slim_watch_forget(int watch, int directory)
{
	return inotify_rm_watch(watch, directory);
}

int slim_wait_readable(int first, int second, int milliseconds)
{
	struct pollfd set[2] = { { .fd = first, .events = POLLIN }, { .fd = second, .events = POLLIN } };
	int count = poll(set, 2, milliseconds);

	if (count <= 0)
		return count;
	return (set[0].revents ? 1 : 0) | (set[1].revents ? 2 : 0);
}
