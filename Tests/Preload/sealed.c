/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that seal themselves with a seccomp filter which kills for every call that it does not name: the library must
 * not make one. Each sealed program is a child, whose exit status tells how far it came (159: killed by SIGSYS).
 */
#include "check.h"
#include <stddef.h>
#include <sys/prctl.h>

/* What musl has no headers for. */
#define BPF_LD_ABSOLUTE 0x20
#define BPF_JUMP_EQUAL 0x15
#define BPF_RETURN 0x06
#define ALLOW 0x7fff0000u
#define REFUSE(code) (0x00050000u | (code))
#define KILL 0x80000000u
#if defined(__x86_64__)
#define ARCHITECTURE 0xc000003e
#else
#define ARCHITECTURE 0xc00000b7
#endif

struct instruction {
	uint16_t code;
	uint8_t if_true, if_false;
	uint32_t operand;
};

struct filter {
	uint16_t count;
	struct instruction *instructions;
};

/* The filter sees { int number; unsigned architecture; ... }. */
#define LOAD_NUMBER { BPF_LD_ABSOLUTE, 0, 0, 0 }
#define LOAD_ARCHITECTURE { BPF_LD_ABSOLUTE, 0, 0, 4 }
#define IS(value, if_true, if_false) { BPF_JUMP_EQUAL, if_true, if_false, (uint32_t)(value) }
#define RETURN(action) { BPF_RETURN, 0, 0, action }

#define MOST 60
static const char *self;

enum way { BY_PRCTL, BY_SYSCALL, BY_SYSCALL_PRCTL };

static int install(const struct filter *filter, enum way way)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (way == BY_PRCTL)
		return prctl(PR_SET_SECCOMP, 2, filter);
	if (way == BY_SYSCALL)
		return (int)syscall(SYS_seccomp, 1, 0, filter);
	return (int)syscall(SYS_prctl, PR_SET_SECCOMP, 2, filter, 0, 0);
}

/* Lets the calls named through, and kills for all else. */
static void seal(enum way way, const int *calls, int count)
{
	struct instruction all[4 + 2 * MOST + 1] = { LOAD_ARCHITECTURE, IS(ARCHITECTURE, 1, 0), RETURN(KILL), LOAD_NUMBER };
	struct filter filter = { .count = 4, .instructions = all };
	int index;

	for (index = 0; index < count; index++) {
		all[filter.count++] = (struct instruction)IS(calls[index], 0, 1);
		all[filter.count++] = (struct instruction)RETURN(ALLOW);
	}
	all[filter.count++] = (struct instruction)RETURN(KILL);
	if (install(&filter, way))
		_exit(100);
}

#define SEAL(way, ...)                                                                                                 \
	do {                                                                                                           \
		const int calls_[] = { SYS_exit_group, SYS_exit, __VA_ARGS__ };                                        \
		seal(way, calls_, sizeof(calls_) / sizeof(calls_[0]));                       \
	} while (0)

static int exchanges(int fd)
{
	char back[4] = "";

	return write(fd, "ping", 4) == 4 && read(fd, back, 4) == 4 && !memcmp(back, "ping", 4);
}

/* A client as the plainest are: three calls and the transfer. */
static int client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return 1;
	if (connect_to(fd, peer_v4, PEER_PORT))
		return 2;
	if (write(fd, "echo\n", 5) != 5 || !exchanges(fd))
		return 3;
	return close(fd) ? 4 : 0;
}

static void clients(void)
{
	enum way way;

	for (way = BY_PRCTL; way <= BY_SYSCALL_PRCTL; way++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			SEAL(way, SYS_socket, SYS_connect, SYS_read, SYS_write, SYS_close);
			_exit(client());
		}
		status = end_of(child);
		check("a sealed client", status == 0, "way %d: %d", way, status);
	}
}

/* Connections that were made before go on, and so does what can be told of them without being killed. */
static void connected(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0), value = 1;
		struct name name = { .length = sizeof(name.address) };

		if (connect_to(fd, peer_v4, PEER_PORT) || write(fd, "echo\n", 5) != 5)
			_exit(1);
		SEAL(BY_PRCTL, SYS_read, SYS_write, SYS_close, SYS_getpeername, SYS_setsockopt, SYS_shutdown, SYS_bind);
		if (!exchanges(fd))
			_exit(2);
		if (getpeername(fd, (struct sockaddr *)&name.address, &name.length))
			_exit(3);
		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value)))
			_exit(4);
		if (bind_to(other, "0.0.0.0", 0))
			_exit(5);
		_exit(shutdown(fd, SHUT_WR) || close(fd) ? 6 : 0);
	}
	status = end_of(child);
	check("a connection from before", status == 0, "%d", status);

	child = fork();
	if (child == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect_to(fd, peer_v4, PEER_PORT))
			_exit(1);
		SEAL(BY_PRCTL, SYS_write, SYS_close, SYS_getpeername, SYS_getsockname, SYS_getsockopt, SYS_rt_sigprocmask);
		if (strncmp(peer_name(fd), peer_v4, strlen(peer_v4)) || port_of(fd) <= 0)
			_exit(2);
		_exit(strncmp(own_name(fd), own_v4, strlen(own_v4)) ? 3 : 0);
	}
	status = end_of(child);
	check("its names", status == 0, "%d", status);

	/* The kernel has no way from a filter, which containers of secure labs have, to the strict mode. */
	if (is_secure())
		return;
	child = fork();
	if (child == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect_to(fd, peer_v4, PEER_PORT) || write(fd, "echo\n", 5) != 5)
			_exit(1);
		if (prctl(PR_SET_SECCOMP, 1))
			_exit(2);
		syscall(SYS_exit, exchanges(fd) ? 0 : 3);
	}
	status = end_of(child);
	check("in strict mode", status == 0, "%d", status);
}

/* Accepts one connection on a listener and echoes on it. */
static int serve(int listening)
{
	char buffer[64];
	ssize_t count;
	int fd = accept(listening, NULL, NULL);

	if (fd < 0)
		return 10;
	while ((count = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(fd, buffer, count) != count)
			return 11;
	return close(fd) ? 12 : 0;
}

/* Asks a sealed server, once it says that it is ready. */
static void ask(const char *what, pid_t child, int port, int from_child)
{
	char byte, name[80];
	int control, status, is_ready = read(from_child, &byte, 1) == 1;

	if (is_ready) {
		control = dialled(own_v4, port);
		snprintf(name, sizeof(name), "%s is connected to", what);
		check(name, !strncmp(read_line(control), "ok ", 3), "no");
		close(control);
	}
	status = end_of(child);
	check(what, is_ready && status == 0, "%d", status);
	close(from_child);
}

static void servers(void)
{
	int ends[2], when;
	pid_t child;

	/* Sealed before it listens, and after. */
	for (when = 0; when < 2; when++) {
		if (pipe(ends))
			abort();
		child = fork();
		if (child == 0) {
			int fd;

			close(ends[0]);
			fd = when ? listener("0.0.0.0", 6801, 8) : -1;
			SEAL(BY_SYSCALL, SYS_socket, SYS_setsockopt, SYS_bind, SYS_listen, SYS_accept, SYS_read, SYS_write,
			     SYS_close, SYS_fcntl, SYS_poll, SYS_ppoll);
			if (!when)
				fd = listener("0.0.0.0", 6801, 8);
			if (write(ends[1], "r", 1) != 1 || ready(fd, POLLIN, 10000) != POLLIN)
				_exit(1);
			_exit(serve(fd));
		}
		close(ends[1]);
		ask(when ? "a server sealed after listen" : "a server sealed before listen", child, 6801, ends[0]);
	}
}

/* A child that seals itself leaves the listener, which it has inherited and does not use, to its parent. */
static void shared(void)
{
	int listening = listener("0.0.0.0", 6802, 8), control, other;
	pid_t child = fork();

	if (child == 0) {
		SEAL(BY_PRCTL, SYS_read);
		_exit(0);
	}
	check("the child", end_of(child) == 0, "killed");
	control = dialled(own_v4, 6802);
	check("dialled", !strncmp(read_line(control), "ok ", 3), "no");
	other = accept(listening, NULL, NULL);
	check("the parent accepts", other >= 0 && echoes(other), "%s", strerror(errno));
	close(other);
	close(control);
	close(listening);
}

/* A filter that is inherited over exec: what it kills for is not tried either. */
static void executed(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		SEAL(BY_PRCTL, SYS_execve, SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_openat, SYS_read, SYS_pread64,
		     SYS_write, SYS_close, SYS_fstat, SYS_newfstatat, SYS_set_tid_address, SYS_set_robust_list, SYS_rseq,
		     SYS_prlimit64, SYS_getrandom, SYS_faccessat, SYS_socket, SYS_connect, SYS_rt_sigaction, SYS_ioctl,
		     SYS_writev, SYS_readv, SYS_getcwd, SYS_readlinkat, SYS_futex, SYS_lseek, SYS_fcntl,
#ifdef __x86_64__
		     SYS_arch_prctl, SYS_access, SYS_open, SYS_stat, SYS_readlink,
#endif
		     SYS_gettid);
		execl(self, self, peer_v4, peer_v6, own_v4, own_v6, "client", NULL);
		_exit(101);
	}
	status = end_of(child);
	check("a filter inherited over exec", status == 0, "%d", status);
}

/* A filter that takes nothing from the library: that the path stays, the caller sees. */
static void lenient(void)
{
	struct instruction all[] = { LOAD_NUMBER, IS(SYS_execve, 1, 0), IS(SYS_ptrace, 0, 1), RETURN(REFUSE(EACCES)), RETURN(ALLOW) };
	struct filter filter = { .count = 5, .instructions = all };
	int round, well = 0, fd, control, other;

	check("sealed", install(&filter, BY_PRCTL) == 0, "%s", strerror(errno));
	CHECK_FAILS("no exec", execl(self, self, NULL), EACCES);
	for (round = 0; round < 10; round++)
		well += client() == 0;
	check("connections", well == 10, "%d", well);
	fd = listener("0.0.0.0", 6803, 8);
	control = dialled(own_v4, 6803);
	other = accept(fd, NULL, NULL);
	check("accept", other >= 0 && echoes(other), "%s", strerror(errno));
	close(other);
	close(control);
	close(fd);
}

static void refused(void)
{
	struct instruction one = RETURN(KILL);
	struct filter filter = { .count = 0, .instructions = &one };

	/* What is no filter, and pointers that lead nowhere: the kernel has the error, and nothing changes. */
	CHECK_FAILS("an empty filter", install(&filter, BY_PRCTL), EINVAL);
	CHECK_FAILS("no filter", install(NULL, BY_SYSCALL), EFAULT);
	CHECK_FAILS("a wild pointer", install((void *)0x5000, BY_PRCTL), EFAULT);
	filter.count = 1;
	filter.instructions = (void *)0x5000;
	CHECK_FAILS("wild instructions", install(&filter, BY_PRCTL), EFAULT);
	one.code = 0xffff;
	filter.instructions = &one;
	CHECK_FAILS("no instruction", install(&filter, BY_SYSCALL), EINVAL);
	check("a client after all that", client() == 0, "fails");
	check("other calls", syscall(SYS_getpid) == getpid() && prctl(PR_GET_DUMPABLE) == 1, "differ");
	CHECK_FAILS("errors of other calls", syscall(SYS_close, -1), EBADF);
}

int main(int count, char **arguments)
{
	begin(count, arguments);
	self = arguments[0];
	if (count > 5 && !strcmp(arguments[5], "client"))
		return client();
	if (count == 5) {
		clients();
		connected();
		servers();
		shared();
		executed();
	}
	refused();
	lenient();
	return finish();
}
