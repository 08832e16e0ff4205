// SPDX-License-Identifier: Apache-2.0
/*
 * What a hostile container tries with the host sockets that were handed to it.
 *
 *     attacks --guard none|bpf|module [--cgroup PATH] [--user-namespace] [--filter FILE] [--only NAME] [--list]
 *
 * The process plays the host, in a network namespace of its own: it has a service that listens on the loopback only, makes
 * connections on host sockets, has them guarded, and hands them to a child that is the container: another network
 * namespace, uid 65534, the capabilities that container runtimes give. Each attempt is a process with a fresh socket.
 *
 * One line for each attempt: name, family, kind of socket, verdict (succeeded, refused, unsupported), what the kernel said.
 * The exit status is 0 when every attempt was carried out, whatever came of it, and 2 when the test itself failed.
 *
 * --guard bpf: the programs are attached to the control group PATH, which this process enters: what it tags there is guarded.
 * --guard module: by /dev/slim. --filter: of struct sock_filter, for the container. --list: what there is, as a table.
 * It links statically, so that it runs in a virtual machine that has nothing else.
 */
#include "attacks.h"
#include "../../bpf/slim_guard.h"
#include "../../kmod/uapi/slim.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum guard { NONE, BPF, MODULE };

static struct {
	enum guard guard;
	int with_user_namespace;
	const char *group;
	const char *filter;
	const char *only;
} setting;

static int device = -1;

/* What a container's default capabilities are (CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
 * NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP). */
#define CONTAINER_CAPABILITIES 0xa80425fbu

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "attacks: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int must(int result, const char *what)
{
	if (result == -1)
		fail(what);
	return result;
}

// MARK: The host's sockets

struct host {
	int family;
	int secret; /* listens on the loopback for the host alone */
	int data;   /* listens as a router's data port does */
	int full;   /* listens, and its backlog is full: who connects waits */
};

static socklen_t loopback(int family, int port, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	memset(address, 0, sizeof(*address));
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

static int port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	must(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port :
						    ((struct sockaddr_in6 *)&address)->sin6_port);
}

static int listener(int family, int backlog)
{
	struct sockaddr_storage address;
	socklen_t length = loopback(family, 0, &address);
	int fd = must(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	must(bind(fd, (struct sockaddr *)&address, length), "bind");
	must(listen(fd, backlog), "listen");
	return fd;
}

static int open_socket(int family, int flags)
{
	return must(socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket");
}

static void dial(int fd, int family, int to)
{
	struct sockaddr_storage address;
	socklen_t length = loopback(family, port_of(to), &address);

	if (connect(fd, (struct sockaddr *)&address, length) == -1 && errno != EINPROGRESS)
		fail("connect");
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	must(ioctl(fd, SIOCSIFFLAGS, &request), "bring up the loopback");
	close(fd);
}

static struct host open_host(int family)
{
	struct host host = { .family = family };

	host.secret = listener(family, 64);
	host.data = listener(family, 64);
	host.full = listener(family, 0);
	/* The first is accepted by the kernel, the second waits: no other gets through. */
	for (int count = 0; count < 3; count++)
		dial(open_socket(family, SOCK_NONBLOCK), family, host.full);
	return host;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), "SO_COOKIE");
	return cookie;
}

// MARK: The guards

/* The socket may still be connected, once, to where `destination` listens; -1: nowhere, ever. */
static void guard_socket(int fd, const struct host *host, int destination)
{
	struct slim_guard_tag tag = {
		.fd = fd,
		.generation = 1,
		.local = { .family = AF_INET, .port = 40000, .bytes = { 10, 32, 1, 2 } },
		.peer = { .family = AF_INET, .port = 80, .bytes = { 10, 32, 2, 2 } },
	};
	struct sockaddr_storage address;

	if (destination != -1) {
		loopback(host->family, port_of(destination), &address);
		tag.flags = SLIM_GUARD_TAG_PREPARED;
		tag.destination.family = (uint16_t)host->family;
		tag.destination.port = (uint16_t)port_of(destination);
		if (host->family == AF_INET)
			memcpy(tag.destination.bytes, &((struct sockaddr_in *)&address)->sin_addr, 4);
		else
			memcpy(tag.destination.bytes, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
	}
	switch (setting.guard) {
	case NONE:
		return;
	case BPF:
		must(setsockopt(fd, SLIM_BPF_LEVEL, SLIM_BPF_TAG, &tag, sizeof(tag)), "tag by BPF");
		return;
	case MODULE:
		tag.cookie = tag.id = cookie_of(fd);
		must(ioctl(device, SLIM_GUARD_TAG, &tag), "tag by the module");
		return;
	}
}

/* SOCK_DESTROY, by the addresses and the cookie. */
static void destroy(int fd)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = { 0 };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	struct sockaddr_storage local, peer;
	socklen_t length = sizeof(local);
	uint64_t cookie = cookie_of(fd);
	int diagnostics = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "socket diagnostics");

	must(getsockname(fd, (struct sockaddr *)&local, &length), "getsockname");
	length = sizeof(peer);
	must(getpeername(fd, (struct sockaddr *)&peer, &length), "getpeername");
	request.header.nlmsg_len = sizeof(request);
	request.header.nlmsg_type = SOCK_DESTROY;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request.body.sdiag_family = (uint8_t)local.ss_family;
	request.body.sdiag_protocol = IPPROTO_TCP;
	request.body.idiag_states = ~0u;
	request.body.id.idiag_cookie[0] = (uint32_t)cookie;
	request.body.id.idiag_cookie[1] = (uint32_t)(cookie >> 32);
	if (local.ss_family == AF_INET) {
		request.body.id.idiag_sport = ((struct sockaddr_in *)&local)->sin_port;
		request.body.id.idiag_dport = ((struct sockaddr_in *)&peer)->sin_port;
		memcpy(request.body.id.idiag_src, &((struct sockaddr_in *)&local)->sin_addr, 4);
		memcpy(request.body.id.idiag_dst, &((struct sockaddr_in *)&peer)->sin_addr, 4);
	} else {
		request.body.id.idiag_sport = ((struct sockaddr_in6 *)&local)->sin6_port;
		request.body.id.idiag_dport = ((struct sockaddr_in6 *)&peer)->sin6_port;
		memcpy(request.body.id.idiag_src, &((struct sockaddr_in6 *)&local)->sin6_addr, 16);
		memcpy(request.body.id.idiag_dst, &((struct sockaddr_in6 *)&peer)->sin6_addr, 16);
	}
	must((int)send(diagnostics, &request, sizeof(request), 0), "SOCK_DESTROY");
	must((int)recv(diagnostics, &answer, sizeof(answer), 0), "SOCK_DESTROY");
	errno = -answer.error.error;
	if (errno)
		fail("SOCK_DESTROY");
	close(diagnostics);
}

static void cut(int fd)
{
	struct slim_guard_revocation item = { .cookie = cookie_of(fd), .fd = -1 };
	struct slim_guard_revoke request = { .items = (uintptr_t)&item, .count = 1 };

	if (setting.guard != MODULE)
		return destroy(fd);
	must(ioctl(device, SLIM_GUARD_REVOKE, &request), "revoke by the module");
	errno = item.error;
	if (item.error)
		fail("revoke by the module");
}

// MARK: A socket for an attempt

struct connection {
	int given; /* to the container */
	int other; /* its other end, -1: none */
};

/* As a router makes it: guarded before its SYN is sent. */
static int connect_guarded(const struct host *host, int to, int flags)
{
	int fd = open_socket(host->family, flags);

	guard_socket(fd, host, to);
	dial(fd, host->family, to);
	return fd;
}

/* As a router prepares it: its SYN is sent with what is written first. */
static int connect_on_write(const struct host *host)
{
	int fd = open_socket(host->family, SOCK_NONBLOCK), on = 1;

	must(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &on, sizeof(on)), "TCP_FASTOPEN_NO_COOKIE");
	must(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)), "TCP_FASTOPEN_CONNECT");
	dial(fd, host->family, host->data);
	guard_socket(fd, host, -1);
	return fd;
}

/* What earlier attempts have left there. */
static void forget_arrivals(int listener)
{
	struct pollfd waiting = { .fd = listener, .events = POLLIN };

	while (poll(&waiting, 1, 0) == 1)
		close(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
}

static struct connection open_connection(const struct host *host, enum kind kind)
{
	struct connection connection = { -1, -1 };

	forget_arrivals(host->data);
	switch (kind) {
	case CONNECTING:
		connection.given = connect_guarded(host, host->full, SOCK_NONBLOCK);
		return connection;
	case DEFERRED:
		connection.given = connect_on_write(host);
		return connection;
	case PREPARED:
		connection.given = open_socket(host->family, 0);
		guard_socket(connection.given, host, host->data);
		return connection;
	case ACCEPTED:
		connection.other = open_socket(host->family, 0);
		dial(connection.other, host->family, host->data);
		connection.given = must(accept4(host->data, NULL, NULL, SOCK_CLOEXEC), "accept");
		guard_socket(connection.given, host, -1);
		return connection;
	default:
		connection.given = connect_guarded(host, host->data, 0);
		connection.other = must(accept4(host->data, NULL, NULL, SOCK_CLOEXEC), "accept");
		if (kind == REVOKED)
			cut(connection.given);
		return connection;
	}
}

// MARK: The container

/* What the container and the host say to each other: a question, an answer, one integer each. */
static int questions = -1;

struct question {
	int is_option;
	int level;
	int name;
};

static int ask(struct question question)
{
	int answer = -1;

	if (write(questions, &question, sizeof(question)) != sizeof(question) ||
		read(questions, &answer, sizeof(answer)) != sizeof(answer))
		return -1;
	return answer;
}

static int is_reachable(struct target *target)
{
	struct pollfd waiting = { .fd = target->fd, .events = POLLIN };
	int reached = ask((struct question){ 0 });

	/* To be connected to and not to be told is worth nothing. */
	return reached == 1 && poll(&waiting, 1, 1000) == 1 && accept(target->fd, NULL, NULL) != -1;
}

static int option_in_truth(struct target *target, int level, int name)
{
	(void)target;
	return ask((struct question){ 1, level, name });
}

/* The host connects to whatever listens on a socket of the container's. */
static int reach(int fd, int family)
{
	struct sockaddr_storage address;
	socklen_t length = loopback(family, port_of(fd), &address);
	struct pollfd waiting = { .events = POLLOUT };
	int error = 0, reached;

	waiting.fd = must(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
	connect(waiting.fd, (struct sockaddr *)&address, length);
	reached = poll(&waiting, 1, 500) == 1;
	length = sizeof(error);
	getsockopt(waiting.fd, SOL_SOCKET, SO_ERROR, &error, &length);
	/* Left open: the container accepts it. */
	return reached && !error;
}

static void serve(int fd, const struct host *host, int channel)
{
	struct question question;

	while (read(channel, &question, sizeof(question)) == sizeof(question)) {
		int answer = -1;
		socklen_t length = sizeof(answer);

		if (!question.is_option)
			answer = reach(fd, host->family);
		else
			getsockopt(fd, question.level, question.name, &answer, &length);
		if (write(channel, &answer, sizeof(answer)) != sizeof(answer))
			return;
	}
}

/* The host's own service: tells its secret to whoever connects. */
static void tell_secret(const struct host *host)
{
	for (;;) {
		int client = accept(host->secret, NULL, NULL);

		if (client == -1)
			_exit(0);
		(void)!write(client, SECRET, sizeof(SECRET) - 1);
		close(client);
	}
}

static void keep_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { CONTAINER_CAPABILITIES, CONTAINER_CAPABILITIES,
						  CONTAINER_CAPABILITIES } };

	for (int capability = 0; capability < 64; capability++)
		if (capability >= 32 || !(CONTAINER_CAPABILITIES >> capability & 1))
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS");
	must(setresgid(65534, 65534, 65534), "setresgid");
	must(setresuid(65534, 65534, 65534), "setresuid");
	must((int)syscall(SYS_capset, &header, data), "capset");
}

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC), path);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail(path);
	close(fd);
}

static void become_container(void)
{
	if (setting.group) {
		/* Out of the router's group, as every container is: into the one above. */
		char parent[4096];

		snprintf(parent, sizeof(parent), "%s/../cgroup.procs", setting.group);
		write_file(parent, "0");
	}
	must(unshare(CLONE_NEWNET | CLONE_NEWIPC), "unshare");
	if (setting.with_user_namespace) {
		must(setresgid(65534, 65534, 65534), "setresgid");
		must(setresuid(65534, 65534, 65534), "setresuid");
		must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
		must(unshare(CLONE_NEWUSER), "unshare a user namespace");
		write_file("/proc/self/uid_map", "65534 65534 1");
		write_file("/proc/self/setgroups", "deny");
		write_file("/proc/self/gid_map", "65534 65534 1");
	} else {
		keep_capabilities();
	}
	if (setting.filter) {
		static struct sock_filter code[4096];
		struct sock_fprog program = { .filter = code };
		int fd = must(open(setting.filter, O_RDONLY | O_CLOEXEC), setting.filter);
		ssize_t count = must((int)read(fd, code, sizeof(code)), setting.filter);

		program.len = (unsigned short)((size_t)count / sizeof(code[0]));
		must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
		must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "PR_SET_SECCOMP");
	}
}

static const char *const verdicts[] = { "succeeded", "refused", "unsupported" };

static const char *name_of(enum kind kind)
{
	switch (kind) {
	case CONNECTED:
		return "connected";
	case CONNECTING:
		return "connecting";
	case ACCEPTED:
		return "accepted";
	case REVOKED:
		return "revoked";
	case DEFERRED:
		return "deferred";
	default:
		return "prepared";
	}
}

static void report(const struct attempt *attempt, int family, enum kind kind, enum verdict verdict, int code)
{
	printf("%s\tIPv%d\t%s\t%s\t%s\n", attempt->name, family == AF_INET ? 4 : 6, name_of(kind), verdicts[verdict],
		verdict == SUCCEEDED ? "-" : strerrorname_np(code) ? strerrorname_np(code) : "?");
	fflush(stdout);
}

struct outcome {
	enum verdict verdict;
	int code;
};

/* In a process of its own, which has the socket and nothing else of the host's. */
static struct outcome attack(const struct attempt *attempt, const struct host *host, enum kind kind)
{
	struct connection connection = open_connection(host, kind);
	struct outcome *outcome = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome result;
	int ends[2], status = 0;
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	*outcome = (struct outcome){ REFUSED, ETIMEDOUT };
	fflush(stdout);
	child = must(fork(), "fork");
	if (child == 0) {
		struct target target = { .fd = fcntl(connection.given, F_DUPFD, 100), .family = host->family, .kind = kind,
			.is_reachable = is_reachable, .option_in_truth = option_in_truth };
		enum verdict verdict;

		target.secret_length = loopback(host->family, port_of(host->secret), &target.secret);
		loopback(host->family, port_of(host->data), &target.destination);
		questions = fcntl(ends[1], F_DUPFD_CLOEXEC, 200);
		alarm(20);
		close_range(3, 99, 0);
		close_range(101, 199, 0);
		become_container();
		errno = 0;
		verdict = attempt->try(&target);
		*outcome = (struct outcome){ verdict, errno };
		_exit(0);
	}
	close(ends[1]);
	serve(connection.given, host, ends[0]);
	must(waitpid(child, &status, 0), "waitpid");
	close(ends[0]);
	close(connection.given);
	if (connection.other != -1)
		close(connection.other);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		exit(2);
	/* A filter may have ended it. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		*outcome = (struct outcome){ REFUSED, EPERM };
	result = *outcome;
	/* Under a filter a call that does not exist is one that is refused. */
	if (setting.filter && result.verdict == UNSUPPORTED)
		result.verdict = REFUSED;
	munmap(outcome, 4096);
	return result;
}

static void attack_all(const struct host *host)
{
	static const enum kind kinds[] = { CONNECTED, CONNECTING, ACCEPTED, REVOKED, PREPARED, DEFERRED };
	int unwanted = host->family == AF_INET ? ONLY_V6 : ONLY_V4;

	for (size_t index = 0; index < attempt_count; index++) {
		const struct attempt *attempt = &attempts[index];

		if ((attempt->attributes & unwanted) || (setting.only && strcmp(setting.only, attempt->name) != 0))
			continue;
		for (size_t number = 0; number < sizeof(kinds) / sizeof(kinds[0]); number++) {
			struct outcome outcome;

			if (!(attempt->kinds & kinds[number]))
				continue;
			outcome = attack(attempt, host, kinds[number]);
			report(attempt, host->family, kinds[number], outcome.verdict, outcome.code);
		}
	}
}

// MARK: Command line

static void list(void)
{
	for (size_t index = 0; index < attempt_count; index++) {
		int attributes = attempts[index].attributes;

		printf("%s\t%s\t%s%s%s%s%s\n", attempts[index].name, attempts[index].what,
			attributes & PAST_BPF ? "past-bpf " : "", attributes & PRIVILEGED ? "privileged " : "",
			attributes & HARMLESS ? "harmless " : "", attributes & REFUSED_ANYWAY ? "refused-anyway " : "",
			attributes & VARYING ? "varying " : "");
	}
}

static void prepare_guard(void)
{
	char path[4096];

	switch (setting.guard) {
	case NONE:
		return;
	case BPF:
		if (!setting.group) {
			fprintf(stderr, "attacks: --guard bpf needs --cgroup\n");
			exit(2);
		}
		snprintf(path, sizeof(path), "%s/cgroup.procs", setting.group);
		write_file(path, "0");
		return;
	case MODULE:
		device = must(open(SLIM_GUARD_DEVICE, O_RDWR | O_CLOEXEC), SLIM_GUARD_DEVICE);
		return;
	}
}

static void parse(int count, char **arguments)
{
	for (int index = 1; index < count; index++) {
		const char *name = arguments[index];
		const char *value = index + 1 < count ? arguments[index + 1] : "";

		if (strcmp(name, "--list") == 0) {
			list();
			exit(0);
		} else if (strcmp(name, "--after-exec") == 0) {
			exit(run_after_exec(value));
		} else if (strcmp(name, "--user-namespace") == 0) {
			setting.with_user_namespace = 1;
			continue;
		} else if (strcmp(name, "--guard") == 0) {
			setting.guard = strcmp(value, "bpf") == 0 ? BPF : strcmp(value, "module") == 0 ? MODULE : NONE;
		} else if (strcmp(name, "--cgroup") == 0) {
			setting.group = value;
		} else if (strcmp(name, "--filter") == 0) {
			setting.filter = value;
		} else if (strcmp(name, "--only") == 0) {
			setting.only = value;
		} else {
			fprintf(stderr, "attacks: %s is not known\n", name);
			exit(2);
		}
		index++;
	}
}

int main(int count, char **arguments)
{
	static const int families[] = { AF_INET, AF_INET6 };

	parse(count, arguments);
	signal(SIGPIPE, SIG_IGN);
	prepare_guard();
	must(unshare(CLONE_NEWNET), "unshare");
	bring_up_loopback();
	for (size_t index = 0; index < 2; index++) {
		struct host host = open_host(families[index]);
		pid_t teller = must(fork(), "fork");

		if (teller == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			tell_secret(&host);
		}
		attack_all(&host);
		kill(teller, SIGKILL);
		waitpid(teller, NULL, 0);
	}
	return 0;
}
