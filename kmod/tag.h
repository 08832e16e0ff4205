/* SPDX-License-Identifier: GPL-2.0 */
/* The tag of a socket: what its guarded operations need to know. */
#ifndef SLIM_TAG_H
#define SLIM_TAG_H

#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <net/sock.h>
#include "uapi/slim.h"

enum slim_tag_bit {
	SLIM_TAG_REVOKED,
	/* May be connected to its destination. Cleared with the socket locked. */
	SLIM_TAG_CONNECTABLE,
};

struct slim_tag {
	unsigned long bits;
	/* The socket's own operations. */
	const struct proto_ops *inner;
	/* Guards `sk`, which is NULL from the socket's release on. */
	spinlock_t lock;
	struct sock *sk;
	int family;
	u64 cookie;
	u64 namespace_cookie;
	u64 id;
	u64 generation;
	u32 flags;
	struct slim_guard_address local;
	struct slim_guard_address peer;
	struct slim_guard_address destination;
	struct rcu_head rcu;
};

int slim_tag_add(struct socket *sock, const struct slim_guard_tag *request);
void slim_tag_remove(struct socket *sock, struct slim_tag *tag);
int slim_tag_revoke(u64 cookie, u64 namespace_cookie);
void slim_tag_tell(const struct slim_tag *tag, struct slim_guard_entry *entry);
bool slim_tag_next(u64 after, struct slim_guard_entry *entry);

/*
 * The tag of a socket that is known to have one. It is where the kernel leaves a place for the file
 * system of an inode: that of sockets has no use for it. (The socket's sk_user_data belongs to
 * others.)
 */
static inline struct slim_tag *slim_tag_of(struct socket *sock)
{
	/* Pairs with the release of `ops`, which the caller has seen. */
	smp_rmb();
	return SOCK_INODE(sock)->i_private;
}

static inline bool slim_tag_is_revoked(const struct slim_tag *tag)
{
	return test_bit(SLIM_TAG_REVOKED, &tag->bits);
}

#endif
