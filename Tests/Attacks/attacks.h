/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What listens on the host's loopback, for the host alone, says this. */
#define SECRET "the host's own secret"

/* The state that a socket is in when the container gets it. */
enum kind {
	CONNECTED = 1 << 0,
	CONNECTING = 1 << 1,
	ACCEPTED = 1 << 2,
	REVOKED = 1 << 3,
	PREPARED = 1 << 4, /* not connected: may be, once */
	DEFERRED = 1 << 5, /* connects when it is first written to */
	LIVE = CONNECTED | ACCEPTED,
	ANY = CONNECTED | CONNECTING | ACCEPTED | REVOKED | DEFERRED,
};

enum verdict {
	SUCCEEDED,
	REFUSED,
	UNSUPPORTED, /* this kernel does not have it, or it needs what the host does not have */
};

/* What an attempt has to work with. */
struct target {
	int fd;
	int family;
	enum kind kind;
	/* Where the secret is, as an address for the socket. */
	struct sockaddr_storage secret;
	socklen_t secret_length;
	/* Where the host's routers listen: what a connected socket is connected to. */
	struct sockaddr_storage destination;
	/* Asks the host to connect to whatever the socket listens on now: 1 when somebody has accepted. */
	int (*is_reachable)(struct target *target);
	/* Asks the host for an option as it is set on the socket in truth. */
	int (*option_in_truth)(struct target *target, int level, int name);
};

/* Where an attempt is not expected to be refused. */
enum attribute {
	/* Reaches past the BPF guard's programs; the seccomp filter refuses it. */
	PAST_BPF = 1 << 0,
	/* Needs capabilities in the namespace that owns the host's network: not from within a user namespace. */
	PRIVILEGED = 1 << 1,
	/* Ends the container's own connection and does nothing else; the module refuses it, BPF cannot. */
	HARMLESS = 1 << 2,
	/* An IPv4 or an IPv6 socket only. */
	ONLY_V4 = 1 << 3,
	ONLY_V6 = 1 << 4,
	/* Without a guard too: the container has not the right, or the revocation alone is enough. */
	REFUSED_ANYWAY = 1 << 5,
	/* Depends on the machine. */
	VARYING = 1 << 6,
};

struct attempt {
	const char *name;
	const char *what; /* in words, for the table in docs/threat-model.md */
	int kinds;
	int attributes;
	/* Leaves errno as the refusal, when it is one. */
	enum verdict (*try)(struct target *target);
};

extern const struct attempt attempts[];
extern const size_t attempt_count;

/* The program itself, started again by an attempt: with descriptor 3. */
int run_after_exec(const char *family);
