/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a router says to the Slim kernel module: ioctls of the misc device /dev/slim (mode 0600;
 * opening it takes CAP_NET_ADMIN in the initial user namespace).
 *
 * Every structure has one size, the same for 32-bit and 64-bit callers. What is said to be 0 must
 * be 0 or the call is refused with EINVAL. Numbers are in host byte order, ports too; addresses are
 * bytes in network order.
 */
#ifndef _UAPI_SLIM_H
#define _UAPI_SLIM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SLIM_GUARD_DEVICE "/dev/slim"
#define SLIM_GUARD_VERSION 1

/* The most items of one SLIM_GUARD_REVOKE, and the most entries of one SLIM_GUARD_LIST. */
#define SLIM_GUARD_BATCH 1024

/*
 * The layout of struct slim_address of the local protocol. An IPv4 address uses bytes[0..3]. family
 * 0: no address, all 0.
 */
struct slim_guard_address {
	__u16 family; /* AF_INET, AF_INET6 or 0 */
	__u16 port;
	__u32 scope; /* as sin6_scope_id; 0 for AF_INET */
	__u8 bytes[16];
};

/*
 * SLIM_GUARD_GREET. `version` is the caller's going in and the module's coming out; EPROTONOSUPPORT
 * (with `version` filled in) when the module does not speak the caller's. All else is 0 going in.
 */
struct slim_guard_greeting {
	__u32 version;
	__u32 features; /* enum slim_guard_feature */
	__u32 batch;	/* SLIM_GUARD_BATCH of the module */
	__u32 reserved;
	__u64 tags; /* live ones */
	__u64 reserved2[3];
};

enum slim_guard_feature {
	/*
	 * SOL_SOCKET options are guarded by the socket's own operations (Linux 6.2), not by a
	 * probe.
	 */
	SLIM_GUARD_FEATURE_SOCKET_OPTIONS = 1 << 0,
};

enum slim_guard_tag_flag {
	/*
	 * The socket is not connected. It may be, once, to `destination` and nowhere else: by
	 * connect() or by sendto(MSG_FASTOPEN), whoever calls it. Without this flag `destination`
	 * is all 0 and the socket can never be connected again.
	 */
	SLIM_GUARD_TAG_PREPARED = 1 << 0,
};

/*
 * SLIM_GUARD_TAG: from now on the socket is guarded, for whoever holds it, until its last close.
 * There is no way to take a tag off.
 *
 * The socket is a plain TCP socket (AF_INET or AF_INET6) that does not listen. On an AF_INET6
 * socket AF_INET addresses are told as IPv4-mapped ones. `destination` is a real (underlay) address
 * of the socket's own family (IPv4-mapped in an AF_INET6 address is fine); `local` and `peer` are
 * the overlay's, what getsockname() and getpeername() will answer.
 *
 * EBADF, ENOTSOCK: not a socket. EOPNOTSUPP: not TCP, or MPTCP, kTLS, SMC. EINVAL: it listens, or a
 * field is wrong. ESTALE: `cookie` is not the socket's. EALREADY: it has a tag. EISCONN: PREPARED,
 * but it is connected or connecting. ENOMEM.
 */
struct slim_guard_tag {
	__s32 fd;
	__u32 flags;	  /* enum slim_guard_tag_flag */
	__u64 cookie;	  /* SO_COOKIE, asked for before: only then the kernel assigns it */
	__u64 id;	  /* the caller's own: told by QUERY and LIST, not interpreted */
	__u64 generation; /* of the policy: likewise */
	struct slim_guard_address local;
	struct slim_guard_address peer;
	struct slim_guard_address destination;
	__u64 reserved[2];
};

/*
 * SLIM_GUARD_REVOKE: each socket is cut (a connected peer gets a reset), calls that wait on it
 * wake, and it is dead for every holder. A socket is named by its cookie, or by a descriptor of the
 * caller's.
 */
struct slim_guard_revocation {
	__u64 cookie;		/* SO_COOKIE; 0 when named by fd */
	__u64 namespace_cookie; /* SO_NETNS_COOKIE, compared unless 0; 0 when named by fd */
	__s32 fd;		/* -1 when named by cookie */
	__s32 error;		/* out: 0, ENOENT (no tag, or gone), EBADF, ENOTSOCK, EINVAL */
};

struct slim_guard_revoke {
	__u64 items; /* pointer to struct slim_guard_revocation [count] */
	__u32 count; /* 1 to SLIM_GUARD_BATCH */
	__u32 done;  /* out: how many were revoked or were so already; 0 going in */
	__u64 reserved[2];
};

enum slim_guard_state {
	SLIM_GUARD_STATE_PREPARED = 1, /* may still be connected, once */
	SLIM_GUARD_STATE_TAGGED = 2,
	SLIM_GUARD_STATE_REVOKED = 3,
};

struct slim_guard_entry {
	__u64 cookie;
	__u64 namespace_cookie;
	__u64 id;
	__u64 generation;
	__u32 state; /* enum slim_guard_state */
	__u32 flags; /* as tagged */
	struct slim_guard_address local;
	struct slim_guard_address peer;
	struct slim_guard_address destination;
};

/* SLIM_GUARD_QUERY: the tag of one socket. ENOENT when it has none. All but `fd` is 0 going in. */
struct slim_guard_query {
	__s32 fd;
	__u32 reserved;
	struct slim_guard_entry entry;
};

/*
 * SLIM_GUARD_LIST: live tags in the order of their cookies, beginning after `after`. To go on, call
 * again with the last cookie that was told; `count` is less than `capacity` when there is no more.
 */
struct slim_guard_list {
	__u64 entries; /* pointer to struct slim_guard_entry [capacity] */
	__u64 after;
	__u32 capacity; /* 1 to SLIM_GUARD_BATCH */
	__u32 count;	/* out; 0 going in */
	__u64 reserved[2];
};

/* SLIM_GUARD_STATISTICS: since the module was loaded, but for `tags`. All 0 going in. */
struct slim_guard_statistics {
	__u64 tags; /* live ones */
	__u64 tagged;
	__u64 revoked;
	__u64 refused_connect; /* with sending to an address and MSG_FASTOPEN */
	__u64 refused_bind;
	__u64 refused_listen;
	__u64 refused_set_option;
	__u64 refused_get_option;
	__u64 refused_control; /* ioctls */
	__u64 refused_message; /* control messages of sendmsg() */
	__u64 reserved[6];
};

#define SLIM_GUARD_IOCTL 0xd5

enum slim_guard_request {
	SLIM_GUARD_GREET = _IOWR(SLIM_GUARD_IOCTL, 1, struct slim_guard_greeting),
	SLIM_GUARD_TAG = _IOW(SLIM_GUARD_IOCTL, 2, struct slim_guard_tag),
	SLIM_GUARD_REVOKE = _IOWR(SLIM_GUARD_IOCTL, 3, struct slim_guard_revoke),
	SLIM_GUARD_QUERY = _IOWR(SLIM_GUARD_IOCTL, 4, struct slim_guard_query),
	SLIM_GUARD_LIST = _IOWR(SLIM_GUARD_IOCTL, 5, struct slim_guard_list),
	SLIM_GUARD_STATISTICS = _IOWR(SLIM_GUARD_IOCTL, 6, struct slim_guard_statistics),
};

_Static_assert(sizeof(struct slim_guard_address) == 24, "slim_guard_address");
_Static_assert(sizeof(struct slim_guard_greeting) == 48, "slim_guard_greeting");
_Static_assert(sizeof(struct slim_guard_tag) == 120, "slim_guard_tag");
_Static_assert(sizeof(struct slim_guard_revocation) == 24, "slim_guard_revocation");
_Static_assert(sizeof(struct slim_guard_revoke) == 32, "slim_guard_revoke");
_Static_assert(sizeof(struct slim_guard_entry) == 112, "slim_guard_entry");
_Static_assert(sizeof(struct slim_guard_query) == 120, "slim_guard_query");
_Static_assert(sizeof(struct slim_guard_list) == 40, "slim_guard_list");
_Static_assert(sizeof(struct slim_guard_statistics) == 128, "slim_guard_statistics");

#endif /* _UAPI_SLIM_H */
