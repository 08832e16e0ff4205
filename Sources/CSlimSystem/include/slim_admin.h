/* SPDX-License-Identifier: Apache-2.0
 *
 * The name of a Unix socket in the file system.
 */
#pragma once

/* getpid */
int slim_admin_process(void);
/* unlink, whether or not there is something */
void slim_admin_unlink(const char *path);
/* chmod 0600, rename */
int slim_admin_publish(const char *temporary, const char *path);
/* lstat: st_ino */
int slim_admin_inode(const char *path, unsigned long long *inode);
