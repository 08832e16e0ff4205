/* SPDX-License-Identifier: Apache-2.0
 *
 * The local wire protocol: what SlimSocket and SlimRouter say to each other over the SOCK_SEQPACKET socket that the
 * router binds in every container's network namespace, and what travels in an accept channel. One message is one
 * fixed-size struct, in host byte order (both ends run on one machine); ports are in host byte order too.
 */
#pragma once
#include <stdint.h>

#define SLIM_ABI_MAGIC 0x4d494c53u /* "SLIM" in memory */
#define SLIM_ABI_VERSION 1

/* An IPv4 address uses bytes[0..3]; family is AF_INET or AF_INET6, 0 for "none". */
struct slim_address {
	uint16_t family;
	uint16_t port;
	uint32_t scope;
	uint8_t bytes[16];
};

struct slim_header {
	uint32_t magic;
	uint16_t version;
	uint16_t operation;
	uint32_t sequence; /* of the request; 0 in a greeting */
	uint32_t flags;
};

enum slim_operation {
	SLIM_OP_GREETING = 1, /* router, first message on a connection */
	SLIM_OP_CONNECT = 2,  /* with the application's socket; answered with a host socket or a verdict */
	SLIM_OP_LISTEN = 3,   /* with the application's listening socket; answered with an accept channel */
	SLIM_OP_LOOKUP = 4,   /* with a host socket; answered with its overlay addresses */
	SLIM_OP_ORIGINAL = 5, /* with an accept channel; answered with the listening socket behind it */
	SLIM_OP_REAP = 6,     /* answered once every closed listener has been let go; FALLBACK: ask again, the router has just started */
	SLIM_OP_PREPARED = 7, /* router, in a queue of prepared connections: one of them */
};

enum slim_request_flag {
	/* CONNECT: a TCP socket as socket() made it: not bound, and no option differs from a new one's. */
	SLIM_REQUEST_PRISTINE = 1 << 0,
	/* CONNECT: O_NONBLOCK is set on the socket. */
	SLIM_REQUEST_NONBLOCK = 1 << 1,
	/* ORIGINAL: options of the listening socket have been, or are about to be, changed. */
	SLIM_REQUEST_CHANGED = 1 << 2,
	/* ORIGINAL: the listener ends; the caller takes the socket back. */
	SLIM_REQUEST_RELEASE = 1 << 3,
	/* CONNECT, with PRISTINE: the socket is an IPv6 socket. */
	SLIM_REQUEST_V6 = 1 << 4,
	/* CONNECT, with PRISTINE: the process has no queue of connections prepared for this destination, and takes one. */
	SLIM_REQUEST_QUEUE = 1 << 5,
	/* CONNECT, LISTEN: connections within the host may skip the TCP stack. */
	SLIM_REQUEST_JOIN = 1 << 6,
};

struct slim_request {
	struct slim_header header;
	struct slim_address destination;
	uint8_t reserved[24];
};

enum slim_verdict {
	SLIM_VERDICT_DONE = 0,     /* descriptor attached where the operation has one */
	SLIM_VERDICT_FALLBACK = 1, /* make the plain call: the packet overlay carries it */
	SLIM_VERDICT_REFUSED = 2,  /* fail with `error` */
};

enum slim_reply_flag {
	/* CONNECT: a second descriptor is a queue of connections that are prepared for the same destination. */
	SLIM_REPLY_QUEUE = 1 << 0,
};

struct slim_reply {
	struct slim_header header;
	uint32_t verdict;
	int32_t error;
	uint64_t cookie; /* SO_COOKIE of the attached host socket */
	struct slim_address local;
	struct slim_address peer;
	uint8_t reserved[16];
};

struct slim_prefix {
	uint16_t family;
	uint16_t length; /* bits */
	uint8_t bytes[16];
};

#define SLIM_PREFIXES 8

struct slim_greeting {
	struct slim_header header;
	uint64_t namespace_cookie; /* SO_NETNS_COOKIE of the container */
	uint32_t prefix_count;
	uint32_t reserved;
	struct slim_prefix prefixes[SLIM_PREFIXES];
};

/* One message in an accept channel, with the connection's descriptor. */
enum slim_accept_flag {
	/* The descriptor is a host socket: its addresses are the overlay's, told here. */
	SLIM_ACCEPT_HOST = 1 << 0,
};

struct slim_accept {
	struct slim_header header;
	uint64_t cookie;
	struct slim_address local;
	struct slim_address peer;
};

enum slim_prepared_flag {
	/* O_NONBLOCK is set on the socket. */
	SLIM_PREPARED_NONBLOCK = 1 << 0,
};

#define SLIM_PREAMBLE_LENGTH 88
/* Begins with it. */
#define SLIM_PREAMBLE_MAGIC "SLIM\1"

/* So many queues a process has at most. */
#define SLIM_QUEUE_SLOTS 8

/*
 * One message in a queue of prepared connections, with a host socket that connects when it is first written to: to one
 * destination, which is chosen already. The preamble is what must be written first, and whole.
 */
struct slim_prepared {
	struct slim_header header;
	uint64_t cookie;
	uint64_t deadline; /* not to be used later, in milliseconds of CLOCK_MONOTONIC */
	struct slim_address local;
	struct slim_address peer;
	uint8_t preamble[SLIM_PREAMBLE_LENGTH];
};

/*
 * The router's end of an accept channel is bound to an abstract name, so that whoever holds the other end learns from
 * getpeername() what it is: NUL, the prefix, 16 hexadecimal digits of the listener's number, '/', and the listener's
 * struct slim_address (its own address, its family) as 48 hexadecimal digits.
 */
#define SLIM_CHANNEL_PREFIX "slim-listener/"
#define SLIM_CHANNEL_PREFIX_LENGTH 14
#define SLIM_CHANNEL_NAME_LENGTH 79

_Static_assert(sizeof(struct slim_address) == 24, "slim_address");
_Static_assert(sizeof(struct slim_header) == 16, "slim_header");
_Static_assert(sizeof(struct slim_request) == 64, "slim_request");
_Static_assert(sizeof(struct slim_reply) == 96, "slim_reply");
_Static_assert(sizeof(struct slim_prefix) == 20, "slim_prefix");
_Static_assert(sizeof(struct slim_greeting) == 192, "slim_greeting");
_Static_assert(sizeof(struct slim_accept) == 72, "slim_accept");
_Static_assert(sizeof(struct slim_prepared) == 168, "slim_prepared");
_Static_assert(sizeof(SLIM_CHANNEL_PREFIX) - 1 == SLIM_CHANNEL_PREFIX_LENGTH, "channel prefix");
_Static_assert(SLIM_CHANNEL_NAME_LENGTH == SLIM_CHANNEL_PREFIX_LENGTH + 16 + 1 + 48, "channel name");
