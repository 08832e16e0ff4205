// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/inet_connection_sock.h>
#include <net/mptcp.h>
#include <net/net_namespace.h>
#include <net/tcp.h>
#include "address.h"
#include "counters.h"
#include "guard.h"
#include "options.h"
#include "tag.h"

#ifndef CONFIG_64BIT
#error "The index of tags is a socket cookie: it takes a 64-bit kernel"
#endif

/* Live tags by socket cookie. */
static DEFINE_XARRAY(slim_tags);

/* Whether the socket is a plain TCP socket, with the operations that the kernel gave it. */
static int slim_check_kind(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (slim_is_guarded(sock))
		return -EALREADY;
	if (sk->sk_type != SOCK_STREAM || sk->sk_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	return slim_guarded(READ_ONCE(sock->ops)) ? 0 : -EOPNOTSUPP;
}

/* What can only be told with the socket locked. */
static int slim_check_state(struct socket *sock, const struct slim_guard_tag *request)
{
	struct sock *sk = sock->sk;
	int err = slim_check_kind(sock);

	if (err)
		return err;
	/* TLS and others have changed what is below the operations. */
	if (inet_csk(sk)->icsk_ulp_ops || sk_is_mptcp(sk))
		return -EOPNOTSUPP;
	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	if (!request->cookie || atomic64_read(&sk->sk_cookie) != request->cookie)
		return -ESTALE;
	if ((request->flags & SLIM_GUARD_TAG_PREPARED) &&
	    (sock->state != SS_UNCONNECTED || sk->sk_state != TCP_CLOSE))
		return -EISCONN;
	return 0;
}

static int slim_check_request(const struct slim_guard_tag *request, int family)
{
	if (request->flags & ~SLIM_GUARD_TAG_PREPARED)
		return -EINVAL;
	if (memchr_inv(request->reserved, 0, sizeof(request->reserved)))
		return -EINVAL;
	if (!slim_address_fits(&request->local, family) ||
	    !slim_address_fits(&request->peer, family))
		return -EINVAL;
	if (request->flags & SLIM_GUARD_TAG_PREPARED) {
		if (request->destination.family != family ||
		    !slim_address_fits(&request->destination, family) ||
		    !request->destination.port)
			return -EINVAL;
	} else if (!slim_address_is_none(&request->destination)) {
		return -EINVAL;
	}
	return 0;
}

static struct slim_tag *slim_tag_make(struct socket *sock, const struct slim_guard_tag *request)
{
	struct slim_tag *tag = kzalloc(sizeof(*tag), GFP_KERNEL);

	if (!tag)
		return NULL;
	spin_lock_init(&tag->lock);
	tag->sk = sock->sk;
	tag->family = sock->sk->sk_family;
	tag->cookie = request->cookie;
	tag->namespace_cookie = sock_net(sock->sk)->net_cookie;
	tag->id = request->id;
	tag->generation = request->generation;
	tag->flags = request->flags;
	tag->local = request->local;
	tag->peer = request->peer;
	tag->destination = request->destination;
	if (request->flags & SLIM_GUARD_TAG_PREPARED)
		__set_bit(SLIM_TAG_CONNECTABLE, &tag->bits);
	tag->inner = READ_ONCE(sock->ops);
	return tag;
}

/* Tags a socket whose file the caller holds. */
int slim_tag_add(struct socket *sock, const struct slim_guard_tag *request)
{
	struct sock *sk = sock->sk;
	struct slim_tag *tag;
	int err = slim_check_kind(sock);

	if (err)
		return err;
	err = slim_check_request(request, sk->sk_family);
	if (err)
		return err;

	lock_sock(sk);
	err = slim_check_state(sock, request);
	release_sock(sk);
	if (err)
		return err;
	slim_options_clear(sock);

	lock_sock(sk);
	err = slim_check_state(sock, request);
	if (err)
		goto unlock;
	err = -ENOMEM;
	tag = slim_tag_make(sock, request);
	if (!tag)
		goto unlock;
	/*
	 * Whoever finds it there and revokes it waits for the socket's lock, or is seen by the
	 * first operation.
	 */
	err = xa_insert(&slim_tags, tag->cookie, tag, GFP_KERNEL);
	if (err)
		goto free;
	/*
	 * Given back by the kernel when it releases the socket: the module stays for as long as
	 * there is a tag.
	 */
	__module_get(THIS_MODULE);
	slim_count(SLIM_COUNT_TAGS, 1);
	slim_count(SLIM_COUNT_TAGGED, 1);
#ifdef SOCK_CUSTOM_SOCKOPT
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#endif
	SOCK_INODE(sock)->i_private = tag;
	/* Whoever sees the operations sees the tag. */
	smp_store_release(&sock->ops, slim_guarded(tag->inner));
	goto unlock;
free:
	kfree(tag);
	if (err == -EBUSY)
		err = -EALREADY;
unlock:
	release_sock(sk);
	return err;
}

/* The last close. The kernel gives back the reference that holds the module after the release. */
void slim_tag_remove(struct socket *sock, struct slim_tag *tag)
{
	xa_erase(&slim_tags, tag->cookie);
	spin_lock(&tag->lock);
	tag->sk = NULL;
	spin_unlock(&tag->lock);
	SOCK_INODE(sock)->i_private = NULL;
	slim_count(SLIM_COUNT_TAGS, -1);
	kfree_rcu(tag, rcu);
}

/* Kills a socket for every holder. Returns -ENOENT when it has no tag or is gone. */
int slim_tag_revoke(u64 cookie, u64 namespace_cookie)
{
	struct sock *sk = NULL;
	struct slim_tag *tag;

	rcu_read_lock();
	tag = xa_load(&slim_tags, cookie);
	if (tag && (!namespace_cookie || tag->namespace_cookie == namespace_cookie)) {
		spin_lock(&tag->lock);
		sk = tag->sk;
		if (sk) {
			sock_hold(sk);
			if (!test_and_set_bit(SLIM_TAG_REVOKED, &tag->bits))
				slim_count(SLIM_COUNT_REVOKED, 1);
		}
		spin_unlock(&tag->lock);
	}
	rcu_read_unlock();
	if (!sk)
		return -ENOENT;
	/*
	 * Resets the peer and wakes whoever waits. That the socket is closed already is no error.
	 */
	sk->sk_prot->diag_destroy(sk, ECONNABORTED);
	sock_put(sk);
	return 0;
}

static u32 slim_tag_state(const struct slim_tag *tag)
{
	if (slim_tag_is_revoked(tag))
		return SLIM_GUARD_STATE_REVOKED;
	if (test_bit(SLIM_TAG_CONNECTABLE, &tag->bits))
		return SLIM_GUARD_STATE_PREPARED;
	return SLIM_GUARD_STATE_TAGGED;
}

void slim_tag_tell(const struct slim_tag *tag, struct slim_guard_entry *entry)
{
	*entry = (struct slim_guard_entry){
		.cookie = tag->cookie,
		.namespace_cookie = tag->namespace_cookie,
		.id = tag->id,
		.generation = tag->generation,
		.state = slim_tag_state(tag),
		.flags = tag->flags,
		.local = tag->local,
		.peer = tag->peer,
		.destination = tag->destination,
	};
}

/* Tells of the tag with the next greater cookie; false when there is none. */
bool slim_tag_next(u64 after, struct slim_guard_entry *entry)
{
	unsigned long index = after;
	struct slim_tag *tag;

	rcu_read_lock();
	tag = xa_find_after(&slim_tags, &index, ULONG_MAX, XA_PRESENT);
	if (tag)
		slim_tag_tell(tag, entry);
	rcu_read_unlock();
	return tag;
}
