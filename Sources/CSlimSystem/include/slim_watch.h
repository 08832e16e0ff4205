/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning of changes in a directory.
 */
#pragma once

/* inotify_init1, non-blocking */
int slim_watch_open(void);
/* inotify_add_watch for everything that changes what a directory holds, and for its end. Only a directory. */
int slim_watch_directory(int watch, const char *path);
/* inotify_rm_watch */
int slim_watch_forget(int watch, int directory);
/* poll for input: a set of 1 (first is ready) and 2 (second); 0 when the time is up; -1 with errno. */
int slim_wait_readable(int first, int second, int milliseconds);
