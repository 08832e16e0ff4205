// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells the router when TCP sockets of its network namespace cease to exist.
 *
 * The kernel tells by itself too (sock_diag), but as soon as anybody listens it does so for each socket of the whole machine,
 * on a thread of its own, which it wakes, and which goes before the program that has closed the socket. Here a socket that
 * is none of the router's costs one comparison.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* What is looked at of the kernel's structures; the loader finds where it is. */
struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));

struct sock_common {
	struct {
		struct net *net;
	} skc_net;
	struct {
		__s64 counter;
	} skc_cookie;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

/* The router's network namespace. */
const volatile __u64 router_namespace = 0;

/* Cookies; as many as may end before the router looks again. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} slim_ended SEC(".maps");

/* How many did not fit. */
__u64 slim_ends_lost = 0;

SEC("raw_tracepoint/tcp_destroy_sock")
int slim_end(struct bpf_raw_tracepoint_args *ctx)
{
	struct sock *sk = (struct sock *)ctx->args[0];
	/* One that nobody has asked for has none: the router asks for those of all its sockets. */
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	if (!cookie || BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie) != router_namespace)
		return 0;
	/* The router is woken by the first one after it has taken all. */
	if (bpf_ringbuf_output(&slim_ended, &cookie, sizeof(cookie), 0))
		__sync_fetch_and_add(&slim_ends_lost, 1);
	return 0;
}

char _license[] SEC("license") = "GPL";
