/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel counts of a TCP connection: struct tcp_info of <linux/tcp.h>, which is newer than libc's and cannot be
 * included beside it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct slim_traffic {
	uint64_t bytes_acked;
	uint64_t bytes_received;
	/* Microseconds. */
	uint32_t rtt;
	uint32_t retransmissions;
};

/* Reads what the kernel wrote; returns 0 when it is of a kernel that did not count bytes yet. */
int slim_read_traffic(const void *info, size_t size, struct slim_traffic *traffic);
