// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joins the two ends of a connection within one host: what one writes is put where the other reads, and skips the TCP stack.
 *
 * Bytes may go either way at any time, by TCP or past it, and must not overtake each other. The kernel reads what went
 * past TCP first. So going over to TCP is always right; coming back is, once the reader has read all that TCP has
 * brought: its next sequence number is then the writer's. That is looked at for each write, under the writer's lock.
 *
 * A reader may have been waiting inside the kernel since before it was joined, for TCP alone. So the first bytes go by
 * TCP, and nothing goes past it before they have been read.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "slim_pairs.h"

#define ESTABLISHED 1
#define SHUT_SENDING 2
#define INGRESS 1
/* What the kernel takes for a message beside its bytes, and does not count. */
#define MESSAGE_BYTES 1024

/* What is looked at of the kernel's structures; the loader finds where it is. */
struct sock_common {
	struct {
		__s64 counter;
	} skc_cookie;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
	struct {
		struct {
			int counter;
		} rmem_alloc;
	} sk_backlog;
	int sk_rcvbuf;
	__u8 sk_shutdown;
} __attribute__((preserve_access_index));

struct inet_sock {
	struct sock sk;
} __attribute__((preserve_access_index));

struct inet_connection_sock {
	struct inet_sock icsk_inet;
} __attribute__((preserve_access_index));

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq;
	__u32 write_seq;
} __attribute__((preserve_access_index));

/* The other end. It may be gone, and its memory another's, any time: then the cookie there is another one. */
struct other_end {
	__u64 cookie;
	__u64 socket;
	/* Messages that it was sent since it had last read everything. */
	__u32 messages;
	/* Its next sequence number when it was joined: as long as it is the same, nothing has been read since. */
	__u32 joined_at;
};

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, __u64);
} slim_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct other_end);
} slim_others SEC(".maps");

/* Not 0: everything goes by TCP. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} slim_suspended SEC(".maps");

/* Whether the other end has read all that TCP has brought it, something since it was joined, and has room. */
static __always_inline int may_skip(struct tcp_sock *tcp, struct other_end *end)
{
	struct tcp_sock *other = (struct tcp_sock *)end->socket;
	__u32 room = BPF_CORE_READ(other, inet_conn.icsk_inet.sk.sk_rcvbuf);
	__u32 used = BPF_CORE_READ(other, inet_conn.icsk_inet.sk.sk_backlog.rmem_alloc.counter);
	__u32 next = BPF_CORE_READ(other, copied_seq);
	__u64 cookie = BPF_CORE_READ(other, inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter);

	if (!used)
		end->messages = 0;
	return cookie == end->cookie && next == tcp->write_seq && next != end->joined_at &&
	       used + (__u64)end->messages * MESSAGE_BYTES < room / 2;
}

SEC("sk_msg")
int slim_write(struct sk_msg_md *msg)
{
	struct other_end *end;
	struct tcp_sock *tcp;
	__u32 zero = 0, *suspended;
	__u64 key;

	if (!msg->sk)
		return SK_PASS;
	end = bpf_sk_storage_get(&slim_others, msg->sk, NULL, 0);
	tcp = bpf_skc_to_tcp_sock(msg->sk);
	suspended = bpf_map_lookup_elem(&slim_suspended, &zero);
	if (!end || !tcp || !suspended || *suspended)
		return SK_PASS;
	/* TCP knows the error. */
	if (tcp->inet_conn.icsk_inet.sk.sk_shutdown & SHUT_SENDING)
		return SK_PASS;
	key = end->cookie;
	if (!may_skip(tcp, end))
		return SK_PASS;
	end->messages++;
	bpf_msg_redirect_hash(msg, &slim_ends, &key, INGRESS);
	return SK_PASS;
}

static __always_inline int tell(struct bpf_sock *socket, struct tcp_sock *other, __u64 cookie)
{
	struct other_end *end = bpf_sk_storage_get(&slim_others, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!end)
		return 0;
	end->cookie = cookie;
	end->socket = (__u64)other;
	end->messages = 0;
	end->joined_at = BPF_CORE_READ(other, copied_seq);
	return 1;
}

static __always_inline int join(struct bpf_sock *one, struct bpf_sock *other)
{
	struct tcp_sock *first = bpf_skc_to_tcp_sock(one), *second = bpf_skc_to_tcp_sock(other);
	__u64 a, b;

	if (!first || !second || one->state != ESTABLISHED || other->state != ESTABLISHED)
		return SLIM_PAIR_ABSENT;
	a = BPF_CORE_READ(first, inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter);
	b = BPF_CORE_READ(second, inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter);
	if (!a || !b || !tell(one, second, b) || !tell(other, first, a))
		return SLIM_PAIR_REFUSED;
	if (bpf_map_update_elem(&slim_ends, &a, one, BPF_NOEXIST))
		return SLIM_PAIR_REFUSED;
	if (bpf_map_update_elem(&slim_ends, &b, other, BPF_NOEXIST)) {
		bpf_map_delete_elem(&slim_ends, &a);
		return SLIM_PAIR_REFUSED;
	}
	return SLIM_PAIR_JOINED;
}

static __always_inline struct bpf_sock *look_up(struct __sk_buff *ctx, __u8 family, const struct slim_pair_end *from,
						const struct slim_pair_end *to)
{
	struct bpf_sock_tuple tuple = {};

	if (family == 6) {
		__builtin_memcpy(tuple.ipv6.saddr, from->address, 16);
		__builtin_memcpy(tuple.ipv6.daddr, to->address, 16);
		tuple.ipv6.sport = from->port;
		tuple.ipv6.dport = to->port;
		return bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(&tuple.ipv4.saddr, from->address, 4);
	__builtin_memcpy(&tuple.ipv4.daddr, to->address, 4);
	tuple.ipv4.sport = from->port;
	tuple.ipv4.dport = to->port;
	return bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
}

/* Not attached to anything: the router runs it. */
SEC("tc")
int slim_join(struct __sk_buff *ctx)
{
	struct slim_pair_request request = {};
	struct bpf_sock *one, *other;
	int verdict = SLIM_PAIR_ABSENT;

	if (bpf_skb_load_bytes(ctx, SLIM_PAIR_OFFSET, &request, sizeof(request)))
		return SLIM_PAIR_REFUSED;
	one = look_up(ctx, request.family, &request.one, &request.other);
	if (!one)
		return SLIM_PAIR_ABSENT;
	other = look_up(ctx, request.family, &request.other, &request.one);
	if (other) {
		verdict = join(one, other);
		bpf_sk_release(other);
	}
	bpf_sk_release(one);
	return verdict;
}

char _license[] SEC("license") = "GPL";
