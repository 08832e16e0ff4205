// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF guard: makes host sockets harmless in the hands of containers.
 *
 * The programs are attached to the router's own control group. The kernel runs them for every socket that was *created*
 * there, whoever holds it. A socket that the router has tagged is restricted, for everybody outside that group.
 */
#include <bpf/bpf_endian.h>
#include "slim_tags.bpf.h"

#define REFUSE 0
#define ALLOW 1
/* No interface has this number: a socket that is bound to it is out of reach, both ways. */
#define NOWHERE 0x7fffffff

#define AF_INET 2

/* The tag of a socket that the calling process is restricted on. */
static __always_inline struct slim_guard_tag *restriction(struct bpf_sock *sk)
{
	if (!sk || is_router())
		return NULL;
	return bpf_sk_storage_get(&slim_tags, sk, NULL, 0);
}

/* What the router asks: the kernel itself is not. */
static __always_inline int obey(struct bpf_sockopt *ctx)
{
	struct slim_guard_tag *wanted = ctx->optval, *tag;

	ctx->optlen = -1;
	if (ctx->optname == SLIM_BPF_WATCHED)
		return ALLOW;
	if (ctx->optname != SLIM_BPF_TAG || (void *)(wanted + 1) > ctx->optval_end || !ctx->sk)
		return REFUSE;
	tag = bpf_sk_storage_get(&slim_tags, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!tag)
		return REFUSE;
	*tag = *wanted;
	return ALLOW;
}

SEC("cgroup/setsockopt")
int slim_setsockopt(struct bpf_sockopt *ctx)
{
	if (ctx->level == SLIM_BPF_LEVEL && is_router())
		return obey(ctx);
	if (!restriction(ctx->sk) || is_settable(ctx->level, ctx->optname))
		goto unchanged;
	if (!is_ignored(ctx->level, ctx->optname))
		return REFUSE;
	ctx->optlen = -1;
	return ALLOW;
unchanged:
	/* The kernel takes what the program gave, however long it is. */
	if (ctx->optlen > 4096)
		ctx->optlen = 0;
	return ALLOW;
}

SEC("cgroup/getsockopt")
int slim_getsockopt(struct bpf_sockopt *ctx)
{
	__u8 *value = ctx->optval, *end = ctx->optval_end;

	if (!restriction(ctx->sk) || is_readable(ctx->level, ctx->optname)) {
		if (ctx->optlen > 4096)
			ctx->optlen = 0;
		return ALLOW;
	}
	/*
	 * The kernel has written its answer to the caller's memory by now, and an error would leave it there: an answer
	 * that tells of the host's addresses is overwritten instead.
	 */
	if ((ctx->level == IPPROTO_IP || ctx->level == IPPROTO_IPV6) && ctx->optlen > 0 && ctx->optlen <= 64 &&
	    ctx->retval == 0) {
		for (int i = 0; i < 64; i++) {
			if (value + i + 1 > end)
				break;
			value[i] = 0;
		}
		return ALLOW;
	}
	return REFUSE;
}

/* An address as an IPv6 socket has it. */
static __always_inline void spread(const struct slim_guard_address *address, __u32 words[4])
{
	const __u32 *bytes = (const __u32 *)address->bytes;

	if (address->family == AF_INET) {
		words[0] = 0;
		words[1] = 0;
		words[2] = bpf_htonl(0xffff);
		words[3] = bytes[0];
	} else {
		words[0] = bytes[0];
		words[1] = bytes[1];
		words[2] = bytes[2];
		words[3] = bytes[3];
	}
}

/*
 * A tagged socket connects once: the router's own connect, wherever to, leaves nothing to whoever it gives the socket to. The
 * kernel holds the socket's lock: of two that try at once, one is first.
 */
static __always_inline int may_connect(struct bpf_sock *sk, const __u32 address[4], __u32 port)
{
	struct slim_guard_tag *tag = sk ? bpf_sk_storage_get(&slim_tags, sk, NULL, 0) : NULL;
	__u32 wanted[4];

	if (!tag)
		return ALLOW;
	if (!is_router()) {
		if (!(tag->flags & SLIM_GUARD_TAG_PREPARED))
			return REFUSE;
		spread(&tag->destination, wanted);
		if (port != bpf_htons(tag->destination.port) || address[0] != wanted[0] || address[1] != wanted[1] ||
		    address[2] != wanted[2] || address[3] != wanted[3])
			return REFUSE;
	}
	tag->flags &= ~SLIM_GUARD_TAG_PREPARED;
	return ALLOW;
}

SEC("cgroup/connect4")
int slim_connect4(struct bpf_sock_addr *ctx)
{
	__u32 address[4] = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 };

	return may_connect(ctx->sk, address, ctx->user_port);
}

SEC("cgroup/connect6")
int slim_connect6(struct bpf_sock_addr *ctx)
{
	__u32 address[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	return may_connect(ctx->sk, address, ctx->user_port);
}

SEC("cgroup/bind4")
int slim_bind4(struct bpf_sock_addr *ctx)
{
	return restriction(ctx->sk) ? REFUSE : ALLOW;
}

SEC("cgroup/bind6")
int slim_bind6(struct bpf_sock_addr *ctx)
{
	return restriction(ctx->sk) ? REFUSE : ALLOW;
}

static __always_inline int tell4(struct bpf_sock_addr *ctx, const struct slim_guard_address *address)
{
	ctx->user_ip4 = *(const __u32 *)address->bytes;
	ctx->user_port = bpf_htons(address->port);
	return ALLOW;
}

static __always_inline int tell6(struct bpf_sock_addr *ctx, const struct slim_guard_address *address)
{
	__u32 words[4];

	spread(address, words);
	ctx->user_ip6[0] = words[0];
	ctx->user_ip6[1] = words[1];
	ctx->user_ip6[2] = words[2];
	ctx->user_ip6[3] = words[3];
	ctx->user_port = bpf_htons(address->port);
	return ALLOW;
}

SEC("cgroup/getsockname4")
int slim_getsockname4(struct bpf_sock_addr *ctx)
{
	struct slim_guard_tag *tag = restriction(ctx->sk);

	return tag ? tell4(ctx, &tag->local) : ALLOW;
}

SEC("cgroup/getsockname6")
int slim_getsockname6(struct bpf_sock_addr *ctx)
{
	struct slim_guard_tag *tag = restriction(ctx->sk);

	return tag ? tell6(ctx, &tag->local) : ALLOW;
}

SEC("cgroup/getpeername4")
int slim_getpeername4(struct bpf_sock_addr *ctx)
{
	struct slim_guard_tag *tag = restriction(ctx->sk);

	return tag ? tell4(ctx, &tag->peer) : ALLOW;
}

SEC("cgroup/getpeername6")
int slim_getpeername6(struct bpf_sock_addr *ctx)
{
	struct slim_guard_tag *tag = restriction(ctx->sk);

	return tag ? tell6(ctx, &tag->peer) : ALLOW;
}

/*
 * Nothing asks about listen(), and nothing about connect(AF_UNSPEC), which must precede it. So a tagged socket that
 * begins to listen is bound to an interface that does not exist: nobody reaches it. So is what has reached it in the
 * moment between; no socket that the router has handed out was accepted from a tagged one.
 */
static __always_inline void disarm(struct bpf_sock_ops *ctx)
{
	int nowhere = NOWHERE;

	if (ctx->sk && bpf_sk_storage_get(&slim_tags, ctx->sk, NULL, 0))
		bpf_setsockopt(ctx, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof(nowhere));
}

SEC("sockops")
int slim_sockops(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_TCP_LISTEN_CB || ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		disarm(ctx);
	return ALLOW;
}

char _license[] SEC("license") = "GPL";
