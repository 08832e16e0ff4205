// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/socket.h>
#include <net/inet_common.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "address.h"
#include "counters.h"
#include "guard.h"
#include "options.h"
#include "tag.h"

#ifdef SLIM_HAS_SOCKADDR_UNSIZED
#define slim_sockaddr sockaddr_unsized
#else
#define slim_sockaddr sockaddr
#endif

struct slim_operations {
	const struct proto_ops *inner;
	struct proto_ops guarded;
};

static struct slim_operations slim_operations[2] __ro_after_init;

/* Whether the socket has operations of ours. The caller holds its file. */
bool slim_is_guarded(const struct socket *sock)
{
	const struct proto_ops *ops = READ_ONCE(sock->ops);

	return ops == &slim_operations[0].guarded || ops == &slim_operations[1].guarded;
}

/* The guarded copy of operations, or NULL when these are not of a plain TCP socket. */
const struct proto_ops *slim_guarded(const struct proto_ops *inner)
{
	unsigned int index;

	for (index = 0; index < ARRAY_SIZE(slim_operations); index++)
		if (inner && inner == slim_operations[index].inner)
			return &slim_operations[index].guarded;
	return NULL;
}

static const struct proto_ops *slim_inner(const struct proto_ops *guarded)
{
	return container_of(guarded, struct slim_operations, guarded)->inner;
}

/* What a call on a revoked socket answers, whatever the connection itself would say. */
static ssize_t slim_unless_revoked(const struct slim_tag *tag, ssize_t result)
{
	return result <= 0 && unlikely(slim_tag_is_revoked(tag)) ? -ECONNABORTED : result;
}

static int slim_bind(struct socket *sock, struct slim_sockaddr *address, int length)
{
	return slim_refuse(SLIM_COUNT_BIND);
}

static int slim_listen(struct socket *sock, int backlog)
{
	return slim_refuse(SLIM_COUNT_LISTEN);
}

/*
 * Takes the one permission to connect that a prepared socket has. The caller holds the socket's
 * lock, and connects to what is written to `destination`, never to what the program gave. Returns
 * its length, or an error.
 */
static int slim_take_destination(struct slim_tag *tag, const void *given, int length,
				 struct sockaddr_storage *destination)
{
	if (!given || !test_bit(SLIM_TAG_CONNECTABLE, &tag->bits) ||
	    !slim_address_matches(&tag->destination, tag->family, given, length))
		return slim_refuse(SLIM_COUNT_CONNECT);
	clear_bit(SLIM_TAG_CONNECTABLE, &tag->bits);
	return slim_address_write(&tag->destination, tag->family, destination);
}

/*
 * A socket that is connecting may be waited for, as connect() does; one that is connected answers
 * EISCONN.
 */
static int slim_connect(struct socket *sock, struct slim_sockaddr *address, int length, int flags)
{
	struct slim_tag *tag = slim_tag_of(sock);
	struct sockaddr_storage destination;
	int err;

	if (length < (int)sizeof(address->sa_family))
		return -EINVAL;
	if (address->sa_family == AF_UNSPEC)
		return slim_refuse(SLIM_COUNT_CONNECT);
	lock_sock(sock->sk);
	if (slim_tag_is_revoked(tag)) {
		err = slim_refuse(SLIM_COUNT_CONNECT);
		goto unlock;
	}
	if (sock->state == SS_UNCONNECTED) {
		err = slim_take_destination(tag, address, length, &destination);
		if (err < 0)
			goto unlock;
		length = err;
		address = (struct slim_sockaddr *)&destination;
	}
	err = __inet_stream_connect(sock, address, length, flags, 0);
unlock:
	release_sock(sock->sk);
	return err;
}

/*
 * sendto(MSG_FASTOPEN), the connect() of a prepared socket that also sends; refused is any other
 * destination address.
 */
static int slim_sendmsg_to(struct slim_tag *tag, struct socket *sock, struct msghdr *msg,
			   size_t size)
{
	struct sockaddr_storage destination;
	void *name = msg->msg_name;
	int length = msg->msg_namelen;
	int err;

	if (!(msg->msg_flags & MSG_FASTOPEN))
		return slim_refuse(SLIM_COUNT_CONNECT);
	lock_sock(sock->sk);
	if (slim_tag_is_revoked(tag) || sock->state != SS_UNCONNECTED)
		err = slim_refuse(SLIM_COUNT_CONNECT);
	else
		err = slim_take_destination(tag, name, length, &destination);
	if (err < 0)
		goto unlock;
	msg->msg_name = &destination;
	msg->msg_namelen = err;
	err = tcp_sendmsg_locked(sock->sk, msg, size);
	msg->msg_name = name;
	msg->msg_namelen = length;
unlock:
	release_sock(sock->sk);
	return err;
}

/*
 * Options for one message: those of TCP itself are none; time stamps would tell of the host's
 * interfaces.
 */
static bool slim_may_send_control(struct msghdr *msg)
{
	struct cmsghdr *control;

	for_each_cmsghdr(control, msg) {
		if (!CMSG_OK(msg, control))
			return true; /* TCP answers EINVAL */
		if (control->cmsg_level == SOL_SOCKET)
			return false;
	}
	return true;
}

static int slim_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	struct slim_tag *tag = slim_tag_of(sock);

	if (slim_tag_is_revoked(tag))
		return -ECONNABORTED;
	if (unlikely(msg->msg_controllen) && !slim_may_send_control(msg))
		return slim_refuse(SLIM_COUNT_MESSAGE);
	if (unlikely((msg->msg_flags & MSG_FASTOPEN) || (msg->msg_name && msg->msg_namelen)))
		return slim_sendmsg_to(tag, sock, msg, size);
	return slim_unless_revoked(tag, tag->inner->sendmsg(sock, msg, size));
}

static int slim_recvmsg(struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	struct slim_tag *tag = slim_tag_of(sock);

	if (slim_tag_is_revoked(tag))
		return -ECONNABORTED;
	return slim_unless_revoked(tag, tag->inner->recvmsg(sock, msg, size, flags));
}

#ifdef SLIM_HAS_SENDPAGE
static ssize_t slim_sendpage(struct socket *sock, struct page *page, int offset, size_t size,
			     int flags)
{
	struct slim_tag *tag = slim_tag_of(sock);

	if (slim_tag_is_revoked(tag))
		return -ECONNABORTED;
	return slim_unless_revoked(tag, tag->inner->sendpage(sock, page, offset, size, flags));
}
#endif

static ssize_t slim_splice_read(struct socket *sock, loff_t *position, struct pipe_inode_info *pipe,
				size_t length, unsigned int flags)
{
	struct slim_tag *tag = slim_tag_of(sock);

	if (slim_tag_is_revoked(tag))
		return -ECONNABORTED;
	return slim_unless_revoked(tag, tag->inner->splice_read(sock, position, pipe, length,
								flags));
}

static __poll_t slim_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	struct slim_tag *tag = slim_tag_of(sock);
	__poll_t mask = tag->inner->poll(file, sock, wait);

	/* Its pending error has one reader; that it failed is for all to see. */
	if (unlikely(slim_tag_is_revoked(tag)))
		mask |= EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLRDNORM;
	return mask;
}

/*
 * The addresses of the overlay, wherever the connection would have any. SO_PEERNAME comes here too,
 * with `peer` 2.
 */
static int slim_getname(struct socket *sock, struct sockaddr *address, int peer)
{
	struct slim_tag *tag = slim_tag_of(sock);
	int length = tag->inner->getname(sock, address, peer);

	if (length < 0)
		return length;
	return slim_address_write(peer ? &tag->peer : &tag->local, tag->family,
				  (struct sockaddr_storage *)address);
}

static int slim_ioctl(struct socket *sock, unsigned int command, unsigned long argument)
{
	if (!slim_may_control(command))
		return slim_refuse(SLIM_COUNT_CONTROL);
	return slim_tag_of(sock)->inner->ioctl(sock, command, argument);
}

#ifdef CONFIG_COMPAT
static int slim_compat_ioctl(struct socket *sock, unsigned int command, unsigned long argument)
{
	const struct proto_ops *inner = slim_tag_of(sock)->inner;

	if (!slim_may_control(command))
		return slim_refuse(SLIM_COUNT_CONTROL);
	return inner->compat_ioctl ? inner->compat_ioctl(sock, command, argument) : -ENOIOCTLCMD;
}
#endif

static int slim_setsockopt(struct socket *sock, int level, int option, sockptr_t value,
			   unsigned int length)
{
	switch (slim_may_set(level, option)) {
	case SLIM_PERMITTED:
		if (level == SOL_SOCKET)
			return sock_setsockopt(sock, level, option, value, length);
		return slim_tag_of(sock)->inner->setsockopt(sock, level, option, value, length);
	case SLIM_IGNORED:
		return 0;
	default:
		return slim_refuse(SLIM_COUNT_SET_OPTION);
	}
}

static int slim_getsockopt(struct socket *sock, int level, int option, char __user *value,
			   int __user *length)
{
	if (!slim_may_get(level, option))
		return slim_refuse(SLIM_COUNT_GET_OPTION);
	return slim_tag_of(sock)->inner->getsockopt(sock, level, option, value, length);
}

#ifdef SLIM_HAS_GETSOCKOPT_ITER
static int slim_getsockopt_iter(struct socket *sock, int level, int option, sockopt_t *value)
{
	if (!slim_may_get(level, option))
		return slim_refuse(SLIM_COUNT_GET_OPTION);
	return slim_tag_of(sock)->inner->getsockopt_iter(sock, level, option, value);
}
#endif

/*
 * accept() lends a socket's operations to the new one before it asks whether there is any: a tagged
 * socket, which never listens, is asked nevertheless, and what is released then has operations of
 * ours but no tag.
 */
static int slim_release(struct socket *sock)
{
	const struct proto_ops *inner = slim_inner(READ_ONCE(sock->ops));
	struct slim_tag *tag = slim_tag_of(sock);
	int err;

	if (!tag)
		return inner->release(sock);
	slim_tag_remove(sock, tag);
	err = inner->release(sock);
	/*
	 * The reference that came with the socket's own operations. Ours is given back by the
	 * kernel.
	 */
	module_put(inner->owner);
	return err;
}

/*
 * Only operations that are known are passed on: one that a later kernel adds is missing rather than
 * unguarded.
 */
static void __init slim_guard_operations(struct proto_ops *guarded, const struct proto_ops *inner)
{
	*guarded = (struct proto_ops){
		.family = inner->family,
		.owner = THIS_MODULE,
		.release = slim_release,
		.bind = slim_bind,
		.connect = slim_connect,
		.socketpair = inner->socketpair,
		.accept = inner->accept,
		.getname = slim_getname,
		.poll = slim_poll,
		.ioctl = slim_ioctl,
#ifdef CONFIG_COMPAT
		.compat_ioctl = slim_compat_ioctl,
#endif
		.gettstamp = inner->gettstamp,
		.listen = slim_listen,
		.shutdown = inner->shutdown,
		.setsockopt = slim_setsockopt,
		.getsockopt = inner->getsockopt ? slim_getsockopt : NULL,
#ifdef SLIM_HAS_GETSOCKOPT_ITER
		.getsockopt_iter = inner->getsockopt_iter ? slim_getsockopt_iter : NULL,
#endif
		.show_fdinfo = inner->show_fdinfo,
		.sendmsg = slim_sendmsg,
		.recvmsg = slim_recvmsg,
		.mmap = inner->mmap,
#ifdef SLIM_HAS_SENDPAGE
		.sendpage = slim_sendpage,
		.sendpage_locked = inner->sendpage_locked,
#endif
		.splice_read = inner->splice_read ? slim_splice_read : NULL,
#ifdef SLIM_HAS_SPLICE_EOF
		.splice_eof = inner->splice_eof,
#endif
		.set_peek_off = inner->set_peek_off,
		.peek_len = inner->peek_len,
		.read_sock = inner->read_sock,
#ifdef SLIM_HAS_READ_SKB
		.read_skb = inner->read_skb,
#endif
		.sendmsg_locked = inner->sendmsg_locked,
		.set_rcvlowat = inner->set_rcvlowat,
	};
}

static int __init slim_guard_family(int family, struct slim_operations *operations)
{
	struct socket *sock;
	int err = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP, &sock);

	if (err)
		return err;
	operations->inner = sock->ops;
	slim_guard_operations(&operations->guarded, sock->ops);
	sock_release(sock);
	return 0;
}

/*
 * Copies the operations of TCP sockets from two of them: not all of them have a name that modules
 * may use.
 */
int __init slim_guard_prepare(void)
{
	int err = slim_guard_family(AF_INET, &slim_operations[0]);

	if (err)
		return err;
	err = slim_guard_family(AF_INET6, &slim_operations[1]);
	/* A host may do without IPv6. */
	return err == -EAFNOSUPPORT ? 0 : err;
}
