/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the router says to the programs that join two sockets of one host. */
#ifndef SLIM_BPF_PAIRS_H
#define SLIM_BPF_PAIRS_H

#include <linux/types.h>

/* One end of a connection, as the other would look it up. Addresses and ports are in network order. */
struct slim_pair_end {
	__u8 address[16];
	__u16 port;
	__u8 reserved[6];
};

/* The connection whose two ends are to be joined: behind SLIM_PAIR_OFFSET bytes that the kernel wants. */
struct slim_pair_request {
	/* 4 or 6; an IPv4 address that an IPv6 socket has counts as IPv4. */
	__u8 family;
	__u8 reserved[7];
	struct slim_pair_end one;
	struct slim_pair_end other;
};
#define SLIM_PAIR_OFFSET 16

enum slim_pair_verdict {
	SLIM_PAIR_JOINED = 0,
	/* An end is not of this host, is gone, or is not established yet. */
	SLIM_PAIR_ABSENT = 1,
	/* There is no room, or an end is joined already. */
	SLIM_PAIR_REFUSED = 2,
};

#endif
