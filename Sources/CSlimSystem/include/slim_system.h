/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that Swift cannot express: variadic functions and macros. No logic here.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* int constants for socket options that older libc headers lack. */
#define SLIM_SO_COOKIE 57
#define SLIM_SO_NETNS_COOKIE 71
#define SLIM_SO_BINDTOIFINDEX 62

int slim_control(int fd, int command, int argument);
/* FIONBIO: 0, or -1 and errno. */
int slim_set_nonblocking(int fd, int nonblocking);
int slim_open(const char *path, int flags);
int slim_create(const char *path, int flags, mode_t mode);
int slim_ioctl_integer(int fd, unsigned long request, int *value);
/* 1 when the descriptor is a network namespace file, else 0 (ioctl NS_GET_NSTYPE). */
int slim_is_network_namespace(int fd);
/* setns(fd, CLONE_NEWNET) */
int slim_enter_network_namespace(int fd);
/* getsockopt(SOL_SOCKET, option) into 64 bits. */
int slim_get_cookie(int fd, int option, uint64_t *cookie);
/* Names the calling thread; at most 15 bytes count. */
void slim_name_thread(const char *name);
/* The calling thread: sched_setscheduler with SCHED_BATCH in the place of SCHED_OTHER, another policy stays. */
void slim_schedule_in_batches(void);
