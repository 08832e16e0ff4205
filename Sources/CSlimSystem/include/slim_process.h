/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes, memory maps and credentials.
 */
#pragma once
#include <stddef.h>

/*
 * Starts a program in a session of its own, with stdin and stdout on /dev/null and no descriptor but stderr.
 * 0, or an errno.
 */
int slim_spawn_detached(const char *path, char *const arguments[], int *pid);
/* Maps a file shared and writable; NULL and errno. */
void *slim_map_file(int fd, size_t length);
int slim_unmap(void *address, size_t length);
/* The effective user of the process at the other end of a Unix socket, or -1. */
long slim_peer_user(int fd);
/* The process at the other end of a Unix socket; 0 when unknown. */
int slim_peer_process(int fd);
/* kill(process, SIGKILL), then poll() of its pidfd until it has ended, for some milliseconds at most. */
void slim_kill_and_wait(int process, int milliseconds);
