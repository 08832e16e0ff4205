/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages with descriptors (SCM_RIGHTS), TCP Fast Open, and the sizes that only macros tell.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

/* Sends one message with at most one descriptor (-1: none); MSG_NOSIGNAL is added to `flags`. */
ssize_t slim_send_message(int fd, const void *message, size_t length, int passed, int flags);
/* The same with two descriptors. */
ssize_t slim_send_message_two(int fd, const void *message, size_t length, int first, int second, int flags);
/* SIOCOUTQ of a Unix socket: the kernel's memory for what was sent and not read; -1 and errno. */
int slim_unread_bytes(int fd);

/* The kernel passes no more at once (SCM_MAX_FD). */
#define SLIM_MOST_DESCRIPTORS 253

/*
 * Receives one message and its descriptors, close-on-exec: `passed` has room for SLIM_MOST_DESCRIPTORS.
 * `*count` tells how many came; `*truncated` is 1 when message or descriptors did not fit.
 */
ssize_t slim_receive_message(int fd, void *message, size_t length, int *passed, int *count, int *truncated, int flags);

/* sendto(MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL): a SYN that carries data. */
ssize_t slim_fast_open(int fd, const void *data, size_t length, const void *address, unsigned int address_length);

/* accept4(): close-on-exec and, where asked, non-blocking. */
int slim_accept_closing(int fd, void *address, unsigned int *address_length, int nonblocking);

int slim_epoll_add(int epoll, int fd, unsigned int events, uint64_t token);
int slim_epoll_change(int epoll, int fd, unsigned int events, uint64_t token);
/* Waits; event masks and tokens go to two arrays. */
int slim_epoll_wait(int epoll, unsigned int *events, uint64_t *tokens, int capacity, int milliseconds);
