/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_admin.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int slim_admin_process(void)
{
	return getpid();
}

void slim_admin_unlink(const char *path)
{
	unlink(path);
}

int slim_admin_publish(const char *temporary, const char *path)
{
	if (chmod(temporary, 0600) == -1)
		return -1;
	return rename(temporary, path);
}

int slim_admin_inode(const char *path, unsigned long long *inode)
{
	struct stat status;

	if (lstat(path, &status) == -1)
		return -1;
	*inode = status.st_ino;
	return 0;
}
