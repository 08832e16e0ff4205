// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs of a control group do not see: options that 32-bit system calls set, ioctls of the socket layer, listen,
 * connect(AF_UNSPEC), and getsockopt before its answer is in the caller's memory. For kernels that run BPF programs as a
 * security module (LSM).
 *
 * They are asked about every socket of the machine; the tag says which are meant.
 */
#include <linux/errno.h>
#include <linux/sockios.h>
#include "slim_tags.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* BPF_PROG names its context, which nothing here needs. */
#pragma clang diagnostic ignored "-Wunused-parameter"

#define ALLOW 0

#define AF_UNSPEC 0

/* The kernel's own structures, as far as they are read: found by name when the programs are loaded. */
#define KERNEL_TYPE __attribute__((preserve_access_index))

struct file;
struct sock;

struct socket {
	struct sock *sk;
} KERNEL_TYPE;

struct sockaddr {
	__u16 sa_family;
} KERNEL_TYPE;

struct thread_info {
	__u32 status;
} KERNEL_TYPE;

struct task_struct {
	struct thread_info thread_info;
} KERNEL_TYPE;

/* TS_COMPAT, on x86. */
#define STATUS_32BIT_CALL 2

/* Whether the kernel asks no program of the control group about this setsockopt(). */
static __always_inline int is_32bit_call(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return bpf_core_field_exists(task->thread_info.status) && (task->thread_info.status & STATUS_32BIT_CALL);
}

/* Whether the calling process is restricted on a socket. */
static __always_inline int is_restricted(struct socket *sock)
{
	struct sock *sk;

	if (!sock || is_router())
		return 0;
	sk = sock->sk;
	return sk && bpf_sk_storage_get(&slim_tags, sk, NULL, 0);
}

SEC("lsm/socket_setsockopt")
int BPF_PROG(slim_lsm_set, struct socket *sock, int level, int option, int before)
{
	if (before)
		return before;
	if (level == SLIM_BPF_LSM_LEVEL && (__u32)option == (__u32)router_group)
		return -ECANCELED;
	if (is_settable(level, option) || !is_restricted(sock))
		return ALLOW;
	/* What has no effect is left to the control group's program, which sees to that. */
	return is_ignored(level, option) && !is_32bit_call() ? ALLOW : -EPERM;
}

SEC("lsm/socket_getsockopt")
int BPF_PROG(slim_lsm_get, struct socket *sock, int level, int option, int before)
{
	if (before)
		return before;
	return is_readable(level, option) || !is_restricted(sock) ? ALLOW : -EPERM;
}

SEC("lsm/socket_listen")
int BPF_PROG(slim_lsm_listen, struct socket *sock, int backlog, int before)
{
	if (before)
		return before;
	return is_restricted(sock) ? -EPERM : ALLOW;
}

/* Every other address is for the control group's program to judge. */
SEC("lsm/socket_connect")
int BPF_PROG(slim_lsm_connect, struct socket *sock, struct sockaddr *address, int length, int before)
{
	if (before)
		return before;
	if (length < (int)sizeof(address->sa_family) || address->sa_family != AF_UNSPEC)
		return ALLOW;
	return is_restricted(sock) ? -EPERM : ALLOW;
}

#define RANGE(range)                        \
	if ((command >> 8 & 0xff) == (range)) \
		return 0;
#define CONTROL(control)          \
	if (command == (control)) \
		return 1;

static __always_inline int may_control(unsigned int command)
{
	SLIM_CONTROLS(CONTROL)
	SLIM_CONTROL_RANGES(RANGE)
	return 1;
}

static __always_inline int control(struct file *file, unsigned int command, unsigned long argument)
{
	if (command == SLIM_BPF_LSM_CONTROL && argument == router_group)
		return -ECANCELED;
	return may_control(command) || !is_restricted(bpf_sock_from_file(file)) ? ALLOW : -EPERM;
}

SEC("lsm/file_ioctl")
int BPF_PROG(slim_lsm_ioctl, struct file *file, unsigned int command, unsigned long argument, int before)
{
	return before ? before : control(file, command, argument);
}

/* Of 32-bit calls, on kernels that do not ask the program above about them. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(slim_lsm_compat, struct file *file, unsigned int command, unsigned long argument, int before)
{
	return before ? before : control(file, command, argument);
}

char _license[] SEC("license") = "GPL";
