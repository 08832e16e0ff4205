// SPDX-License-Identifier: Apache-2.0
/* What a container tries. Each is one function; the table at the end gives names. */
#include "attacks.h"
#include "compat.h"
#include "uring.h"
#include <linux/filter.h>
#include <net/if.h>

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#define URING_LISTEN 57 /* IORING_OP_LISTEN, Linux 6.11 */
#define URING_SETSOCKOPT 3 /* SOCKET_URING_OP_SETSOCKOPT, Linux 6.7 */

/* The overlay addresses that every socket is tagged with, see host.c: other names are the host's. */
#define OVERLAY_NETWORK 0x0a200000u /* 10.32.0.0/16 */

static enum verdict refused(int code)
{
	errno = code;
	return code == ENOSYS || code == EOPNOTSUPP || code == ENOPROTOOPT ? UNSUPPORTED : REFUSED;
}

/* A call's own verdict. */
static enum verdict answered(int result)
{
	return result == 0 ? SUCCEEDED : refused(errno);
}

// MARK: Connecting elsewhere

static int disconnect(int fd)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	return connect(fd, &nowhere, sizeof(nowhere));
}

/* Whether the socket is a connection to the secret now. */
static enum verdict read_secret(int fd)
{
	char text[sizeof(SECRET)] = "";
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	fcntl(fd, F_SETFL, 0);
	if (poll(&waiting, 1, 2000) != 1)
		return refused(ETIMEDOUT);
	if (recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) == -1)
		return refused(errno);
	if (strcmp(text, SECRET) != 0)
		return refused(ENOMSG);
	return SUCCEEDED;
}

static enum verdict reach_secret(int fd, struct target *target)
{
	fcntl(fd, F_SETFL, 0);
	if (connect(fd, (struct sockaddr *)&target->secret, target->secret_length) == -1)
		return refused(errno);
	/* Only now one that connects when it is written to does so. */
	if (target->kind == DEFERRED && send(fd, "?", 1, MSG_NOSIGNAL) == -1)
		return refused(errno);
	return read_secret(fd);
}

static enum verdict reconnect(struct target *target)
{
	if (disconnect(target->fd) == -1)
		return refused(errno);
	return reach_secret(target->fd, target);
}

static enum verdict disconnect_alone(struct target *target)
{
	return answered(disconnect(target->fd));
}

static enum verdict reconnect_directly(struct target *target)
{
	return reach_secret(target->fd, target);
}

static enum verdict reconnect_after_shutdown(struct target *target)
{
	shutdown(target->fd, SHUT_RDWR);
	return reconnect(target);
}

static enum verdict fast_open(struct target *target)
{
	if (disconnect(target->fd) == -1)
		return refused(errno);
	fcntl(target->fd, F_SETFL, 0);
	if (sendto(target->fd, "?", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&target->secret,
		    target->secret_length) == -1)
		return refused(errno);
	return read_secret(target->fd);
}

static enum verdict fast_open_message(struct target *target)
{
	struct iovec data = { "?", 1 };
	struct mmsghdr message = { .msg_hdr = { .msg_name = &target->secret, .msg_namelen = target->secret_length,
					   .msg_iov = &data, .msg_iovlen = 1 } };

	if (disconnect(target->fd) == -1)
		return refused(errno);
	fcntl(target->fd, F_SETFL, 0);
	if (sendmmsg(target->fd, &message, 1, MSG_FASTOPEN | MSG_NOSIGNAL) == -1)
		return refused(errno);
	return read_secret(target->fd);
}

static enum verdict fast_open_later(struct target *target)
{
	int on = 1;

	if (disconnect(target->fd) == -1 ||
		setsockopt(target->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) == -1)
		return refused(errno);
	fcntl(target->fd, F_SETFL, 0);
	if (connect(target->fd, (struct sockaddr *)&target->secret, target->secret_length) == -1 ||
		send(target->fd, "?", 1, MSG_NOSIGNAL) == -1)
		return refused(errno);
	return read_secret(target->fd);
}

/* To where the router has connected it, with a preamble of the container's own. */
static enum verdict connect_back(struct target *target)
{
	if (disconnect(target->fd) == -1)
		return refused(errno);
	fcntl(target->fd, F_SETFL, 0);
	if (connect(target->fd, (struct sockaddr *)&target->destination, target->secret_length) == -1)
		return refused(errno);
	return send(target->fd, "?", 1, MSG_NOSIGNAL) == 1 ? SUCCEEDED : refused(errno);
}

static enum verdict fast_open_back(struct target *target)
{
	if (disconnect(target->fd) == -1)
		return refused(errno);
	fcntl(target->fd, F_SETFL, 0);
	if (sendto(target->fd, "?", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&target->destination,
		    target->secret_length) == -1)
		return refused(errno);
	return SUCCEEDED;
}

/* The one connection is made; then once more. */
static enum verdict connect_back_after_use(struct target *target)
{
	if (send(target->fd, "?", 1, MSG_NOSIGNAL) != 1)
		return UNSUPPORTED;
	return connect_back(target);
}

static enum verdict uring_verdict(int result)
{
	return result >= 0 ? SUCCEEDED : refused(-result);
}

static enum verdict reconnect_by_uring(struct target *target)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct io_uring_sqe operation = { .opcode = IORING_OP_CONNECT, .fd = target->fd, .addr = (uintptr_t)&nowhere,
		.off = sizeof(nowhere) };
	int result = uring(&operation);

	if (result < 0)
		return refused(-result);
	fcntl(target->fd, F_SETFL, 0);
	operation.addr = (uintptr_t)&target->secret;
	operation.off = target->secret_length;
	result = uring(&operation);
	return result < 0 ? refused(-result) : read_secret(target->fd);
}

static enum verdict reconnect_by_compat(struct target *target)
{
	struct sockaddr *address = low_memory();
	int result;

	if (!address)
		return refused(ENOSYS);
	memset(address, 0, sizeof(*address));
	result = compat(COMPAT_CONNECT, target->fd, (long)address, sizeof(*address), 0, 0);
	if (result < 0)
		return refused(-result);
	fcntl(target->fd, F_SETFL, 0);
	memcpy(address, &target->secret, target->secret_length);
	result = compat(COMPAT_CONNECT, target->fd, (long)address, target->secret_length, 0, 0);
	return result < 0 ? refused(-result) : read_secret(target->fd);
}

// MARK: The tag follows the socket

static enum verdict reconnect_copy(struct target *target)
{
	int copy = fcntl(target->fd, F_DUPFD_CLOEXEC, 50);

	close(target->fd);
	target->fd = copy;
	return reconnect(target);
}

/* The verdict of a child, as its exit status: 64 is a success, else the error. */
static enum verdict child_verdict(pid_t child)
{
	int status = 0;

	if (child == -1 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return refused(ECHILD);
	return WEXITSTATUS(status) == 255 ? SUCCEEDED : refused(WEXITSTATUS(status));
}

static void end_child(enum verdict verdict)
{
	_exit(verdict == SUCCEEDED ? 255 : errno);
}

static enum verdict reconnect_in_child(struct target *target)
{
	pid_t child = fork();

	if (child == 0)
		end_child(reconnect(target));
	return child_verdict(child);
}

static enum verdict reconnect_after_exec(struct target *target)
{
	pid_t child = fork();

	if (child == 0) {
		char address[2 * sizeof(struct sockaddr_in6) + 1];

		for (socklen_t index = 0; index < target->secret_length; index++)
			snprintf(address + 2 * index, 3, "%02x", ((uint8_t *)&target->secret)[index]);
		dup2(target->fd, 3);
		execl("/proc/self/exe", "attacks", "--after-exec", address, NULL);
		_exit(ENOEXEC);
	}
	return child_verdict(child);
}

int run_after_exec(const char *address)
{
	struct target target = { .fd = 3 };

	for (; sscanf(address, "%2hhx", (uint8_t *)&target.secret + target.secret_length) == 1; address += 2)
		target.secret_length++;
	return reconnect(&target) == SUCCEEDED ? 255 : errno;
}

static enum verdict reconnect_passed(struct target *target)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { 0 };
	struct iovec data = { "x", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control) };
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return refused(errno);
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(&control.header), &target->fd, sizeof(int));
	if (sendmsg(ends[0], &message, 0) == -1)
		return refused(errno);
	child = fork();
	if (child == 0) {
		char byte;

		close(target->fd);
		data.iov_base = &byte;
		message.msg_controllen = sizeof(control);
		if (recvmsg(ends[1], &message, 0) != 1)
			_exit(errno);
		memcpy(&target->fd, CMSG_DATA(&control.header), sizeof(int));
		end_child(reconnect(target));
	}
	close(ends[0]);
	close(ends[1]);
	return child_verdict(child);
}

// MARK: Listening

static int bind_to(struct target *target, int port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	return target->family == AF_INET ? bind(target->fd, (struct sockaddr *)&v4, sizeof(v4)) :
					   bind(target->fd, (struct sockaddr *)&v6, sizeof(v6));
}

/* Each attempt is a process: one that nobody else has. */
static int some_port(void)
{
	return 20000 + getpid() % 10000;
}

static enum verdict bind_port(struct target *target)
{
	if (disconnect(target->fd) == -1)
		return refused(errno);
	return answered(bind_to(target, some_port()));
}

static enum verdict bind_and_listen(struct target *target)
{
	if (disconnect(target->fd) == -1 || bind_to(target, some_port()) == -1 || listen(target->fd, 1) == -1)
		return refused(errno);
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}

static enum verdict listen_anywhere(struct target *target)
{
	if (disconnect(target->fd) == -1 || listen(target->fd, 1) == -1)
		return refused(errno);
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}

static enum verdict listen_after_shutdown(struct target *target)
{
	shutdown(target->fd, SHUT_RDWR);
	return listen_anywhere(target);
}

static enum verdict listen_by_compat(struct target *target)
{
	int result;

	if (!low_memory())
		return refused(ENOSYS);
	if (disconnect(target->fd) == -1)
		return refused(errno);
	result = compat(COMPAT_LISTEN, target->fd, 1, 0, 0, 0);
	if (result < 0)
		return refused(-result);
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}

static enum verdict listen_by_uring(struct target *target)
{
	struct io_uring_sqe operation = { .opcode = URING_LISTEN, .fd = target->fd, .len = 1 };
	int result;

	if (disconnect(target->fd) == -1)
		return refused(errno);
	result = uring(&operation);
	if (result < 0)
		return refused(result == -EINVAL ? ENOSYS : -result);
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}

static enum verdict listen_unbound_by_device(struct target *target)
{
	int none = 0;

	if (disconnect(target->fd) == -1 || listen(target->fd, 1) == -1)
		return refused(errno);
	/* As a guard may have bound it to nowhere. */
	(void)setsockopt(target->fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0);
	(void)setsockopt(target->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &none, sizeof(none));
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}

static enum verdict listen_unbound_by_compat(struct target *target)
{
	char *empty = low_memory();

	if (!empty)
		return refused(ENOSYS);
	if (disconnect(target->fd) == -1 || listen(target->fd, 1) == -1)
		return refused(errno);
	memset(empty, 0, 16);
	(void)compat(COMPAT_SETSOCKOPT, target->fd, SOL_SOCKET, SO_BINDTODEVICE, (long)empty, 0);
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}

// MARK: Looking at the host

static enum verdict list_interfaces(struct target *target)
{
	char room[1024];
	struct ifconf list = { .ifc_len = sizeof(room), .ifc_buf = room };

	return ioctl(target->fd, SIOCGIFCONF, &list) == -1 ? refused(errno) : SUCCEEDED;
}

static enum verdict list_interfaces_by_compat(struct target *target)
{
	struct {
		int length;
		uint32_t buffer;
		char room[1024];
	} *list = low_memory();
	int result;

	if (!list)
		return refused(ENOSYS);
	list->length = sizeof(list->room);
	list->buffer = (uint32_t)(uintptr_t)list->room;
	result = compat(COMPAT_IOCTL, target->fd, SIOCGIFCONF, (long)list, 0, 0);
	return result < 0 ? refused(-result) : SUCCEEDED;
}

static enum verdict ask_interface(struct target *target, unsigned long request)
{
	struct ifreq interface = { .ifr_name = "lo" };

	if (request == SIOCGIFNAME)
		interface.ifr_ifindex = 1;
	return answered(ioctl(target->fd, request, &interface));
}

#define INTERFACE_ATTEMPT(name, request)                \
	static enum verdict name(struct target *target) \
	{                                               \
		return ask_interface(target, request);  \
	}
INTERFACE_ATTEMPT(interface_address, SIOCGIFADDR)
INTERFACE_ATTEMPT(interface_hardware, SIOCGIFHWADDR)
INTERFACE_ATTEMPT(interface_index, SIOCGIFINDEX)
INTERFACE_ATTEMPT(interface_name, SIOCGIFNAME)
INTERFACE_ATTEMPT(interface_flags, SIOCGIFFLAGS)

static enum verdict namespace_handle(struct target *target)
{
	int handle = ioctl(target->fd, SIOCGSKNS);

	if (handle == -1)
		return refused(errno);
	close(handle);
	return SUCCEEDED;
}

static enum verdict foreign(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	uint32_t bits;

	if (address->ss_family == AF_INET)
		bits = ntohl(v4->sin_addr.s_addr);
	else
		memcpy(&bits, v6->sin6_addr.s6_addr + 12, 4), bits = ntohl(bits);
	return (bits & 0xffff0000u) == OVERLAY_NETWORK ? refused(EPERM) : SUCCEEDED;
}

static enum verdict own_name(struct target *target)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);

	return getsockname(target->fd, (struct sockaddr *)&address, &length) == -1 ? refused(errno) : foreign(&address);
}

static enum verdict peer_name(struct target *target)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);

	return getpeername(target->fd, (struct sockaddr *)&address, &length) == -1 ? refused(errno) : foreign(&address);
}

static enum verdict peer_name_by_compat(struct target *target)
{
	struct {
		struct sockaddr_storage address;
		socklen_t length;
	} *room = low_memory();
	int result;

	if (!room)
		return refused(ENOSYS);
	memset(room, 0, sizeof(*room));
	room->length = sizeof(room->address);
	result = compat(COMPAT_GETPEERNAME, target->fd, (long)&room->address, (long)&room->length, 0, 0);
	return result < 0 ? refused(-result) : foreign(&room->address);
}

static enum verdict peer_name_option(struct target *target)
{
	struct sockaddr_storage address = { 0 };
	/* The kernel refuses room for more than the address. */
	socklen_t length = target->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int result = getsockopt(target->fd, SOL_SOCKET, SO_PEERNAME, &address, &length);
	int code = errno;

	/* An error does not help when the answer is in memory all the same. */
	if (address.ss_family && foreign(&address) == SUCCEEDED)
		return SUCCEEDED;
	return refused(result == -1 ? code : EPERM);
}

/* What is read must be refused, or hold nothing. */
static enum verdict ask_option(struct target *target, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);
	int result = getsockopt(target->fd, level, name, &value, &length);

	if (result == -1)
		return refused(errno);
	return length && !value ? refused(EPERM) : SUCCEEDED;
}

#define ASK_ATTEMPT(name, level, option)                    \
	static enum verdict name(struct target *target)     \
	{                                                   \
		return ask_option(target, level, option);   \
	}
ASK_ATTEMPT(ask_device, SOL_SOCKET, SO_BINDTODEVICE)
ASK_ATTEMPT(ask_mtu, IPPROTO_IP, IP_MTU)
ASK_ATTEMPT(ask_mtu6, IPPROTO_IPV6, IPV6_MTU)

// MARK: Options

static enum verdict set_option(struct target *target, int level, int name, int value)
{
	return answered(setsockopt(target->fd, level, name, &value, sizeof(value)));
}

#define SET_ATTEMPT(name, level, option, value)                  \
	static enum verdict name(struct target *target)          \
	{                                                        \
		return set_option(target, level, option, value); \
	}
SET_ATTEMPT(set_index, SOL_SOCKET, SO_BINDTOIFINDEX, 1)
SET_ATTEMPT(set_reuse_port, SOL_SOCKET, SO_REUSEPORT, 1)
SET_ATTEMPT(set_priority, SOL_SOCKET, SO_PRIORITY, 6)
SET_ATTEMPT(set_high_priority, SOL_SOCKET, SO_PRIORITY, 7)
SET_ATTEMPT(set_mark, SOL_SOCKET, SO_MARK, 77)
SET_ATTEMPT(set_pacing, SOL_SOCKET, SO_MAX_PACING_RATE, 1 << 30)
SET_ATTEMPT(set_no_route, SOL_SOCKET, SO_DONTROUTE, 1)
SET_ATTEMPT(set_incoming_cpu, SOL_SOCKET, SO_INCOMING_CPU, 0)
SET_ATTEMPT(set_time_stamping, SOL_SOCKET, SO_TIMESTAMPING, 1 << 4)
SET_ATTEMPT(set_lock_filter, SOL_SOCKET, SO_LOCK_FILTER, 1)
SET_ATTEMPT(set_transparent, IPPROTO_IP, IP_TRANSPARENT, 1)
SET_ATTEMPT(set_transparent6, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
SET_ATTEMPT(set_free_bind, IPPROTO_IP, IP_FREEBIND, 1)
SET_ATTEMPT(set_late_port, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
SET_ATTEMPT(set_port_range, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 1 | 1024 << 16)
SET_ATTEMPT(set_errors, IPPROTO_IP, IP_RECVERR, 1)
SET_ATTEMPT(set_errors6, IPPROTO_IPV6, IPV6_RECVERR, 1)
SET_ATTEMPT(set_packet_info, IPPROTO_IP, IP_PKTINFO, 1)
SET_ATTEMPT(set_packet_info6, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
SET_ATTEMPT(set_hops, IPPROTO_IP, IP_TTL, 1)
SET_ATTEMPT(set_hops6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1)
SET_ATTEMPT(set_defer, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1)
SET_ATTEMPT(set_save_syn, IPPROTO_TCP, TCP_SAVE_SYN, 1)

static enum verdict set_device(struct target *target)
{
	return answered(setsockopt(target->fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
}

static enum verdict set_filter(struct target *target)
{
	struct sock_filter code[] = { { BPF_RET | BPF_K, 0, 0, 65535 } };
	struct sock_fprog program = { 1, code };

	return answered(setsockopt(target->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static enum verdict set_source_route(struct target *target)
{
	/* Loose source routing by way of 127.0.0.1. */
	uint8_t route[] = { 1, 131, 7, 4, 127, 0, 0, 1 };

	return answered(setsockopt(target->fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)));
}

static enum verdict set_protocol(struct target *target)
{
	int result = setsockopt(target->fd, IPPROTO_TCP, TCP_ULP, "tls", 3);

	/* There is no such module here. */
	return result == -1 && errno == ENOENT ? UNSUPPORTED : answered(result);
}

/* Accepted, but must have no effect: what counts is what the host sees. */
static enum verdict set_service(struct target *target)
{
	int level = target->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int name = target->family == AF_INET ? IP_TOS : IPV6_TCLASS, value = 0xb8;

	if (setsockopt(target->fd, level, name, &value, sizeof(value)) == -1)
		return refused(errno);
	return target->option_in_truth(target, level, name) == value ? SUCCEEDED : refused(EPERM);
}

static enum verdict set_reuse(struct target *target)
{
	int value = 1;

	if (setsockopt(target->fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) == -1)
		return refused(errno);
	return target->option_in_truth(target, SOL_SOCKET, SO_REUSEADDR) == 1 ? SUCCEEDED : refused(EPERM);
}

static enum verdict set_by_compat(struct target *target, int level, int name, int number)
{
	int *value = low_memory(), result;

	if (!value)
		return refused(ENOSYS);
	*value = number;
	result = compat(COMPAT_SETSOCKOPT, target->fd, level, name, (long)value, sizeof(*value));
	return result < 0 ? refused(-result) : SUCCEEDED;
}

static enum verdict set_service_by_compat(struct target *target)
{
	int level = target->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int name = target->family == AF_INET ? IP_TOS : IPV6_TCLASS, value = 0xb8;

	if (set_by_compat(target, level, name, value) != SUCCEEDED)
		return refused(errno);
	return target->option_in_truth(target, level, name) == value ? SUCCEEDED : refused(EPERM);
}

static enum verdict set_priority_by_compat(struct target *target)
{
	return set_by_compat(target, SOL_SOCKET, SO_PRIORITY, 6);
}

static enum verdict set_mark_by_compat(struct target *target)
{
	return set_by_compat(target, SOL_SOCKET, SO_MARK, 77);
}

static enum verdict set_priority_by_socketcall(struct target *target)
{
	uint32_t *room = low_memory();
	int result;

	if (!room)
		return refused(ENOSYS);
	room[8] = 6;
	room[0] = (uint32_t)target->fd;
	room[1] = SOL_SOCKET;
	room[2] = SO_PRIORITY;
	room[3] = (uint32_t)(uintptr_t)&room[8];
	room[4] = sizeof(int);
	result = compat(COMPAT_SOCKETCALL, 14, (long)room, 0, 0, 0);
	return result < 0 ? refused(-result) : SUCCEEDED;
}

static enum verdict set_priority_by_uring(struct target *target)
{
	int value = 6;
	struct io_uring_sqe operation = { .opcode = IORING_OP_URING_CMD, .fd = target->fd };
	uint32_t *words = (uint32_t *)&operation;

	/* cmd_op at 8; level, optname at 16; optlen at 44; optval at 48. */
	words[2] = URING_SETSOCKOPT;
	words[4] = SOL_SOCKET;
	words[5] = SO_PRIORITY;
	words[11] = sizeof(value);
	memcpy(&words[12], &(uint64_t){ (uintptr_t)&value }, 8);
	return uring_verdict(uring(&operation));
}

// MARK: What was revoked, what was prepared

static enum verdict write_on(struct target *target)
{
	ssize_t count;

	/* The first answer after the end may be the end's error. */
	for (int round = 0; round < 2; round++)
		count = send(target->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return count == 1 ? SUCCEEDED : refused(errno);
}

static enum verdict read_on(struct target *target)
{
	char byte;
	ssize_t count;

	for (int round = 0; round < 2; round++)
		count = recv(target->fd, &byte, 1, MSG_DONTWAIT);
	return count == -1 && errno == EAGAIN ? SUCCEEDED : refused(count == 0 ? ENOTCONN : errno);
}

static enum verdict connect_again(struct target *target)
{
	if (connect(target->fd, (struct sockaddr *)&target->destination, target->secret_length) == -1)
		return UNSUPPORTED;
	if (disconnect(target->fd) == -1)
		return refused(errno);
	return answered(connect(target->fd, (struct sockaddr *)&target->destination, target->secret_length));
}

/* A prepared socket may connect to its destination once: everything else is for the secret. */
static enum verdict prepared_listen(struct target *target)
{
	if (listen(target->fd, 1) == -1)
		return refused(errno);
	return target->is_reachable(target) ? SUCCEEDED : refused(EHOSTUNREACH);
}



const struct attempt attempts[] = {
	{ "disconnect", "`connect(AF_UNSPEC)` alone", LIVE, HARMLESS, disconnect_alone },
	{ "reconnect", "`connect(AF_UNSPEC)`, then connect to the host's loopback", ANY, 0, reconnect },
	{ "reconnect-shutdown", "the same after `shutdown`", LIVE, 0, reconnect_after_shutdown },
	{ "reconnect-fastopen", "the same by `sendto(MSG_FASTOPEN)`", ANY | PREPARED, 0, fast_open },
	{ "reconnect-fastopen-message", "the same by `sendmmsg(MSG_FASTOPEN)`", LIVE | PREPARED, 0, fast_open_message },
	{ "reconnect-fastopen-later", "the same by TCP_FASTOPEN_CONNECT", LIVE, 0, fast_open_later },
	{ "reconnect-uring", "the same by io_uring", LIVE | PREPARED, 0, reconnect_by_uring },
	{ "reconnect-32bit", "the same by 32-bit system calls", LIVE, 0, reconnect_by_compat },
	{ "reconnect-dup", "the same on a copy of the descriptor", LIVE, 0, reconnect_copy },
	{ "reconnect-fork", "the same in a child process", LIVE, 0, reconnect_in_child },
	{ "reconnect-exec", "the same in another program", LIVE, 0, reconnect_after_exec },
	{ "reconnect-passed", "the same in a process that it was passed to", LIVE, 0, reconnect_passed },
	{ "connect-back", "`connect(AF_UNSPEC)`, then connect to where the router had connected it",
		CONNECTED | REVOKED | DEFERRED, 0, connect_back },
	{ "connect-back-fastopen", "the same by `sendto(MSG_FASTOPEN)`", CONNECTED | REVOKED | DEFERRED, 0,
		fast_open_back },
	{ "connect-back-used", "the same after the first write has connected it", DEFERRED, 0, connect_back_after_use },
	{ "connect-elsewhere", "connect to another place than the prepared one", PREPARED, 0, reconnect_directly },
	{ "connect-again", "connect to the prepared place for a second time", PREPARED, 0, connect_again },
	{ "bind", "bind a port of the host", ANY, 0, bind_port },
	{ "bind-listen", "bind a port of the host and listen on it", ANY, 0, bind_and_listen },
	{ "listen", "listen on a port of the host's choice", ANY, 0, listen_anywhere },
	{ "listen-shutdown", "the same after `shutdown`", LIVE, 0, listen_after_shutdown },
	{ "listen-32bit", "the same by 32-bit system calls", LIVE, 0, listen_by_compat },
	{ "listen-uring", "the same by io_uring", LIVE, 0, listen_by_uring },
	{ "listen-rebind", "the same, released from its interface afterwards", LIVE, 0, listen_unbound_by_device },
	{ "listen-rebind-32bit", "the same, released by 32-bit system calls", LIVE, PAST_BPF | PRIVILEGED,
		listen_unbound_by_compat },
	{ "listen-prepared", "listen with a prepared socket", PREPARED, 0, prepared_listen },
	{ "revoked-write", "write after a revocation", REVOKED, REFUSED_ANYWAY, write_on },
	{ "revoked-read", "wait for data after a revocation", REVOKED, REFUSED_ANYWAY, read_on },
	{ "interfaces", "SIOCGIFCONF: the host's interfaces", ANY, PAST_BPF, list_interfaces },
	{ "interfaces-32bit", "the same by a 32-bit system call", LIVE, PAST_BPF, list_interfaces_by_compat },
	{ "interface-address", "SIOCGIFADDR: an address of the host", LIVE, PAST_BPF | ONLY_V4, interface_address },
	{ "interface-hardware", "SIOCGIFHWADDR: a hardware address of the host", LIVE, PAST_BPF, interface_hardware },
	{ "interface-index", "SIOCGIFINDEX", LIVE, PAST_BPF, interface_index },
	{ "interface-name", "SIOCGIFNAME", LIVE, PAST_BPF, interface_name },
	{ "interface-flags", "SIOCGIFFLAGS", LIVE, PAST_BPF, interface_flags },
	{ "namespace", "SIOCGSKNS: a handle on the host's namespace", LIVE, PAST_BPF | REFUSED_ANYWAY, namespace_handle },
	{ "getsockname", "the host's address by `getsockname`", CONNECTED | ACCEPTED | CONNECTING, 0, own_name },
	{ "getpeername", "the other host's address by `getpeername`", LIVE, 0, peer_name },
	{ "getpeername-32bit", "the same by a 32-bit system call", LIVE, 0, peer_name_by_compat },
	{ "SO_PEERNAME", "the same by SO_PEERNAME", LIVE, 0, peer_name_option },
	{ "ask SO_BINDTODEVICE", "read SO_BINDTODEVICE", LIVE, 0, ask_device },
	{ "ask IP_MTU", "read IP_MTU", LIVE, ONLY_V4, ask_mtu },
	{ "ask IPV6_MTU", "read IPV6_MTU", LIVE, ONLY_V6, ask_mtu6 },
	{ "SO_BINDTODEVICE", "set SO_BINDTODEVICE", LIVE, 0, set_device },
	{ "SO_BINDTOIFINDEX", "set SO_BINDTOIFINDEX", LIVE, 0, set_index },
	{ "SO_REUSEPORT", "set SO_REUSEPORT", ANY, 0, set_reuse_port },
	{ "SO_REUSEADDR", "set SO_REUSEADDR", LIVE, HARMLESS, set_reuse },
	{ "SO_PRIORITY", "set SO_PRIORITY to 6", ANY, 0, set_priority },
	{ "SO_PRIORITY-high", "set SO_PRIORITY to 7", LIVE, PRIVILEGED, set_high_priority },
	{ "SO_PRIORITY-32bit", "set SO_PRIORITY by a 32-bit system call", ANY, PAST_BPF, set_priority_by_compat },
	{ "SO_PRIORITY-socketcall", "set SO_PRIORITY by `socketcall`", LIVE, PAST_BPF, set_priority_by_socketcall },
	{ "SO_PRIORITY-uring", "set SO_PRIORITY by io_uring", LIVE, 0, set_priority_by_uring },
	{ "SO_MARK", "set SO_MARK", ANY, PRIVILEGED, set_mark },
	{ "SO_MARK-32bit", "set SO_MARK by a 32-bit system call", LIVE, PAST_BPF | PRIVILEGED, set_mark_by_compat },
	{ "SO_MAX_PACING_RATE", "set SO_MAX_PACING_RATE", LIVE, 0, set_pacing },
	{ "SO_DONTROUTE", "set SO_DONTROUTE", LIVE, 0, set_no_route },
	{ "SO_INCOMING_CPU", "set SO_INCOMING_CPU", LIVE, 0, set_incoming_cpu },
	{ "SO_TIMESTAMPING", "set SO_TIMESTAMPING", LIVE, 0, set_time_stamping },
	{ "SO_ATTACH_FILTER", "set SO_ATTACH_FILTER", LIVE, VARYING, set_filter },
	{ "SO_LOCK_FILTER", "set SO_LOCK_FILTER", LIVE, 0, set_lock_filter },
	{ "IP_TRANSPARENT", "set IP_TRANSPARENT", LIVE, PRIVILEGED | ONLY_V4, set_transparent },
	{ "IPV6_TRANSPARENT", "set IPV6_TRANSPARENT", LIVE, PRIVILEGED | ONLY_V6, set_transparent6 },
	{ "IP_FREEBIND", "set IP_FREEBIND", LIVE, ONLY_V4, set_free_bind },
	{ "IP_BIND_ADDRESS_NO_PORT", "set IP_BIND_ADDRESS_NO_PORT", LIVE, ONLY_V4, set_late_port },
	{ "IP_LOCAL_PORT_RANGE", "set IP_LOCAL_PORT_RANGE", LIVE, ONLY_V4, set_port_range },
	{ "IP_RECVERR", "set IP_RECVERR: routers' addresses", LIVE, ONLY_V4, set_errors },
	{ "IPV6_RECVERR", "set IPV6_RECVERR", LIVE, ONLY_V6, set_errors6 },
	{ "IP_PKTINFO", "set IP_PKTINFO: the host's address", LIVE, ONLY_V4, set_packet_info },
	{ "IPV6_RECVPKTINFO", "set IPV6_RECVPKTINFO", LIVE, ONLY_V6, set_packet_info6 },
	{ "IP_OPTIONS", "set IP_OPTIONS: a source route", LIVE, PRIVILEGED | ONLY_V4, set_source_route },
	{ "IP_TTL", "set IP_TTL: trace the underlay", LIVE, ONLY_V4, set_hops },
	{ "IPV6_UNICAST_HOPS", "set IPV6_UNICAST_HOPS", LIVE, ONLY_V6, set_hops6 },
	{ "IP_TOS", "set IP_TOS or IPV6_TCLASS, with effect", LIVE, 0, set_service },
	{ "IP_TOS-32bit", "the same by a 32-bit system call", LIVE, PAST_BPF, set_service_by_compat },
	{ "TCP_ULP", "set TCP_ULP: load a module of the kernel", LIVE, 0, set_protocol },
	{ "TCP_DEFER_ACCEPT", "set TCP_DEFER_ACCEPT", LIVE, 0, set_defer },
	{ "TCP_SAVE_SYN", "set TCP_SAVE_SYN", LIVE, 0, set_save_syn },
};

const size_t attempt_count = sizeof(attempts) / sizeof(attempts[0]);
