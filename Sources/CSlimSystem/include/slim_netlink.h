/* SPDX-License-Identifier: Apache-2.0
 *
 * What netlink users want and feature macros hide from Swift. No logic here.
 */
#pragma once
#include <stddef.h>

#define SLIM_MESSAGES_IN_BATCH 64

/*
 * recvmmsg: the starts of up to SLIM_MESSAGES_IN_BATCH messages, one every `stride` bytes of the buffer; the rest of
 * each is dropped. Writes how much of each was received.
 */
int slim_receive_batch(int fd, void *buffer, size_t stride, unsigned int *lengths);

/* unshare(CLONE_NEWNET): the calling thread moves to a new network namespace. */
int slim_unshare_network(void);
