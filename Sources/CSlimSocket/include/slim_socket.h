/* SPDX-License-Identifier: Apache-2.0
 *
 * What SlimSocket needs from C: the real functions behind the interposed ones, system calls that must not be
 * interposed, errno, and zero-initialised tables with atomic access. No logic here.
 *
 * System headers stay out: this header is read by Embedded Swift next to no libc module at all.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "slim_abi.h"

/* Linux constants that the Swift side names; entry.c checks each against the system's headers. */
#define SLIM_AF_UNSPEC           0
#define SLIM_AF_UNIX             1
#define SLIM_AF_INET             2
#define SLIM_AF_INET6            10
#define SLIM_SOCK_STREAM         1
#define SLIM_SOCK_SEQPACKET      5
#define SLIM_SOCK_NONBLOCK       04000
#define SLIM_SOCK_CLOEXEC        02000000
#define SLIM_SOL_SOCKET          1
#define SLIM_SO_REUSEADDR        2
#define SLIM_SO_TYPE             3
#define SLIM_SO_ERROR            4
#define SLIM_SO_SNDBUF           7
#define SLIM_SO_RCVBUF           8
#define SLIM_SO_REUSEPORT        15
#define SLIM_SO_RCVTIMEO         20
#define SLIM_SO_SNDTIMEO         21
#define SLIM_SO_ACCEPTCONN       30
#define SLIM_SO_PROTOCOL         38
#define SLIM_SO_DOMAIN           39
#define SLIM_SO_COOKIE           57
#define SLIM_SO_NETNS_COOKIE     71
#define SLIM_SO_BUF_LOCK         72
#define SLIM_IPPROTO_TCP         6
#define SLIM_IPPROTO_IPV6        41
#define SLIM_IPV6_V6ONLY         26
#define SLIM_TCP_INFO            11
#define SLIM_TCP_CLOSE           7
#define SLIM_F_GETFD             1
#define SLIM_F_GETFL             3
#define SLIM_F_SETFL             4
#define SLIM_F_DUPFD_CLOEXEC     1030
#define SLIM_FD_CLOEXEC          1
#define SLIM_O_NONBLOCK          04000
#define SLIM_O_CLOEXEC           02000000
#define SLIM_O_RDWR              2
#define SLIM_O_ASYNC             020000
#define SLIM_EPOLL_ADD           1
#define SLIM_EPOLL_DEL           2
#define SLIM_EPOLL_MOD           3
#define SLIM_EINTR               4
#define SLIM_EBADF               9
#define SLIM_EAGAIN              11
#define SLIM_EFAULT              14
#define SLIM_EINVAL              22
#define SLIM_ENOTSOCK            88
#define SLIM_EOPNOTSUPP          95
#define SLIM_EADDRINUSE          98
#define SLIM_ECONNRESET          104
#define SLIM_EISCONN             106
#define SLIM_ENOTCONN            107
#define SLIM_ECONNREFUSED        111
#define SLIM_EALREADY            114
#define SLIM_EINPROGRESS         115
#define SLIM_EHOSTUNREACH        113
#define SLIM_ENETUNREACH         101
#define SLIM_EMFILE              24
#define SLIM_SHUT_RD             0
#define SLIM_SHUT_WR             1
#define SLIM_SHUT_RDWR           2
#define SLIM_MSG_CMSG_CLOEXEC    0x40000000
#define SLIM_MSG_DONTWAIT        0x40


int slim_errno(void);
/* sched_yield(2) */
void slim_yield(void);
void slim_set_errno(int code);
/* A clock that nobody sets; but a preloaded libfaketime may turn it back. */
uint64_t slim_nanoseconds(void);
/* Whether the byte at an address can be read. */
int slim_readable(const void *address);
/* Lets others run for a millisecond. */
void slim_nap(void);

/* The functions that the interposed ones stand before: the next in the program's lookup order, cancellable as ever. */
int slim_real_connect(int fd, const void *address, uint32_t length);
int slim_real_bind(int fd, const void *address, uint32_t length);
int slim_real_listen(int fd, int backlog);
int slim_real_accept4(int fd, void *address, uint32_t *length, int flags);
int slim_real_accept(int fd, void *address, uint32_t *length);
int slim_real_shutdown(int fd, int how);
int slim_real_getpeername(int fd, void *address, uint32_t *length);
int slim_real_getsockname(int fd, void *address, uint32_t *length);
int slim_real_getsockopt(int fd, int level, int option, void *value, uint32_t *length);
int slim_real_setsockopt(int fd, int level, int option, const void *value, uint32_t length);
int slim_real_epoll_ctl(int epoll, int operation, int fd, void *event);
int slim_real_socket(int family, int type, int protocol);

int slim_fcntl(int fd, int command, int argument);
int slim_dup3(int from, int to, int flags);
int slim_close(int fd);
/* A connected pair of SOCK_SEQPACKET sockets, close-on-exec. */
int slim_pair(int fds[2]);
void slim_write_error(const char *text, size_t length);
/* 0, or where pthread_setcancelstate() tells, the previous state; `state` 1 disables. */
int slim_set_cancel_state(int state);

/* Connects to the router's socket: `name` as in SLIM_ROUTER (@abstract or a path), with timeouts on it. -1 and errno. */
int slim_dial(const char *name, int timeout_seconds);
/* Sends one message with at most one descriptor (-1: none): MSG_NOSIGNAL. */
long slim_send(int fd, const void *message, size_t length, int passed);
/* Writes without waiting: MSG_DONTWAIT, MSG_NOSIGNAL. */
long slim_send_at_once(int fd, const void *bytes, size_t length);
/* Binds a Unix socket to an abstract name, given without its leading NUL. */
int slim_name(int fd, const char *name, size_t length);
/* Receives one message and at most one descriptor (-1: none). `flags` as recvmsg(2). Cancellable. */
long slim_receive(int fd, void *message, size_t length, int *passed, int flags);

/* The same with at most two descriptors, the first one first. */
long slim_receive_two(int fd, void *message, size_t length, int *passed, int flags);

/* Environment, read once when the library is loaded. */
const char *slim_router_name(void);
int slim_log_level(void);    /* 0 silent, 1 errors, 2 information, 3 debug */
int slim_listen_plain(void); /* SLIM_LISTEN=plain */
int slim_joins(void);        /* SLIM_SAME_HOST=joined */

/* What SLIM_ROUTER says where the library is to do nothing at all. */
#define SLIM_NO_ROUTER "none"

/* What the library may do: everything, until the program seals itself with a seccomp filter that does not allow it. */
#define SLIM_MAY_LOOK 1   /* ask the kernel what a descriptor is */
#define SLIM_MAY_ACCEPT 2 /* take a connection from an accept channel */
#define SLIM_MAY_ASK 4    /* ask the router, and put its descriptors in place */
uint32_t slim_permitted(void);
void slim_forbid(uint32_t what);

/* A system call as a seccomp filter sees it. */
struct slim_call_data {
	int32_t number;
	uint32_t architecture;
	uint64_t instruction;
	uint64_t arguments[6];
};

/* One that the library makes for a purpose. */
struct slim_call {
	uint32_t purpose;
	struct slim_call_data data;
};
const struct slim_call *slim_own_calls(size_t *count);

/* struct sock_filter and struct sock_fprog */
struct slim_instruction {
	uint16_t code;
	uint8_t if_true;
	uint8_t if_false;
	uint32_t operand;
};

struct slim_program {
	uint16_t count;
	const struct slim_instruction *instructions;
};

/* Any system call; one that installs a seccomp filter is noticed. */
long slim_system_call(long number, const long arguments[6]);
/* Tells what this process will execute that it has no router. */
void slim_pass_on(void);

/* Room for a socket address, an option or an event: on the stack, where a signal handler may need it. */
struct slim_bytes {
	_Alignas(8) uint8_t bytes[128];
};

/* The options that a socket keeps when its connection has ended and the next is made. */
struct slim_option {
	int level;
	int name;
};
const struct slim_option *slim_kept_options(size_t *count);
/* The first of them may also be set on a socket that is connecting already. */
#define SLIM_CARRIED_OPTIONS 12

/* Tables, zero at start. */
#define SLIM_KNOWN_SLOTS 4096
#define SLIM_PRISTINE_SLOTS 1024
#define SLIM_NOTE_SLOTS 65536

/* The overlay addresses of a host socket; `sequence` is odd while a thread writes. */
struct slim_known {
	uint32_t sequence;
	uint32_t reserved;
	uint64_t cookie;
	struct slim_address local;
	struct slim_address peer;
};

/* The last epoll registration of a descriptor number; `target` is epoll descriptor + 1 and events, 0 for none. */
struct slim_note {
	uint64_t target;
	uint64_t data;
};

/* A queue of connections that are prepared for a destination; `sequence` is odd while a thread writes. */
struct slim_queue {
	uint32_t sequence;
	int32_t descriptor;
	uint64_t cookie; /* of the queue; 0 for none */
	uint64_t link;   /* cookie of the connection to the router that it came by */
	struct slim_address destination;
};

/* The connection to the router: of this process alone, a forked child finds zeroes. */
struct slim_link {
	uint64_t cookie;
	int32_t descriptor;
	uint32_t sequence;
	uint32_t busy;
	uint32_t restoring; /* how many threads are putting a listening socket back in the place of its channel */
};

/* What the router has said, which a forked child may know too, and where the child finds its copy of the connection. */
struct slim_router {
	uint64_t inherited_cookie;
	uint64_t silent_until; /* by slim_nanoseconds() */
	int32_t inherited_descriptor;
	uint32_t greeted; /* 1 when `greeting` holds */
	struct slim_greeting greeting;
};

struct slim_known *slim_known_table(void);
uint64_t *slim_pristine_table(void);
uint32_t *slim_pristine_count(void);
struct slim_note *slim_note_table(void);
struct slim_queue *slim_queue_table(void);
/* Made when it is first asked for. NULL where the kernel gives no memory that a forked child does not see. */
struct slim_link *slim_link_state(void);
/* A bit for each descriptor at which this process has put a channel: SLIM_NOTE_SLOTS. NULL as above. */
uint64_t *slim_channel_table(void);
struct slim_router *slim_router_state(void);

static inline uint64_t slim_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void slim_store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline int slim_exchange(uint64_t *word, uint64_t expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(word, &expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline uint32_t slim_load32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void slim_store32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline int slim_exchange32(uint32_t *word, uint32_t expected, uint32_t desired)
{
	return __atomic_compare_exchange_n(word, &expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void slim_add32(uint32_t *word, uint32_t value)
{
	__atomic_add_fetch(word, value, __ATOMIC_ACQ_REL);
}

static inline void slim_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The entry points, in Swift. */
int slim_connect(int fd, const void *address, uint32_t length);
int slim_bind(int fd, const void *address, uint32_t length);
int slim_listen(int fd, int backlog);
int slim_accept4(int fd, void *address, uint32_t *length, int flags);
int slim_accept_plain(int fd, void *address, uint32_t *length);
int slim_shutdown(int fd, int how);
int slim_getpeername(int fd, void *address, uint32_t *length);
int slim_getsockname(int fd, void *address, uint32_t *length);
int slim_getsockopt(int fd, int level, int option, void *value, uint32_t *length);
int slim_setsockopt(int fd, int level, int option, const void *value, uint32_t length);
int slim_epoll_ctl(int epoll, int operation, int fd, void *event);
int slim_socket(int family, int type, int protocol);
/* A seccomp filter (struct sock_fprog; NULL: strict mode) is about to be installed. */
void slim_yield_to_filter(const void *program);
