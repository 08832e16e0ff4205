/* SPDX-License-Identifier: Apache-2.0
 *
 * What the lab asks of the kernel: namespaces, and programs started inside them.
 */
#pragma once
#include <sys/types.h>

/* The namespaces of a host or container of a lab: open namespace files, or -1 to stay where the caller is. */
struct slim_lab_namespaces {
	int network;
	int uts;
	int mount;
};

struct slim_lab_program {
	/* Looked up in the PATH of the caller when it holds no slash. */
	const char *program;
	char *const *arguments;
	char *const *environment;
	/* NULL: the caller's. */
	const char *directory;
	struct slim_lab_namespaces namespaces;
	/* Become descriptors 0, 1 and 2; -1: the caller's. */
	int input;
	int output;
	int error;
	/* Not 0: in a session of its own, not the caller's child: whoever adopts orphans reaps it. */
	int detached;
	/* A seccomp filter, struct sock_filter after struct sock_filter; no bytes: none. */
	const void *filter;
	size_t filter_length;
};

/* unshare(CLONE_NEWNET | CLONE_NEWUTS), and CLONE_NEWNS with private propagation when `mount` is not 0.
 * Moves the calling thread for good: call it on a thread that ends. */
int slim_lab_unshare(int mount);

/* setns into each namespace that is given. The mount namespace takes the thread's working directory to its root. */
int slim_lab_enter(const struct slim_lab_namespaces *namespaces);

/* fork, setns, execvpe. The answer is the new process, or -1 with errno (that of a failed exec in the child too). */
pid_t slim_lab_spawn(const struct slim_lab_program *program);

/* setns and execvpe in place: returns only on failure. Restores the signal mask that the process was started with,
 * whatever thread calls. */
int slim_lab_execute(const struct slim_lab_program *program);

/* The name in the calling thread's UTS namespace. */
int slim_lab_set_host_name(const char *name);

int slim_lab_mount_private_tmpfs(const char *path);
int slim_lab_bind(const char *source, const char *target);
/* A fresh sysfs at /sys that shows the calling thread's network namespace; the cgroup mounts below are kept. */
int slim_lab_remount_sysfs(void);
/* umount2(path, MNT_DETACH) */
int slim_lab_detach(const char *path);

/* Keeps the calling process on one CPU. */
int slim_lab_pin(int cpu);
/* Standard output is written line by line, also into a pipe. */
void slim_lab_buffer_lines(void);
/* memfd_create, close-on-exec */
int slim_lab_nameless_file(const char *name);
/* pipe2(ends, O_CLOEXEC) */
int slim_lab_pipe(int ends[2]);
/* Sleeps until a child process has ended, which is not reaped, or for so long. */
int slim_lab_await_end(int process, int milliseconds);
