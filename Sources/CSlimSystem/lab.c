/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_lab.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int slim_lab_unshare(int mount_too)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWUTS | (mount_too ? CLONE_NEWNS : 0)) == -1)
		return -1;
	return mount_too ? mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) : 0;
}

int slim_lab_enter(const struct slim_lab_namespaces *namespaces)
{
	if (namespaces->network != -1 && setns(namespaces->network, CLONE_NEWNET) == -1)
		return -1;
	if (namespaces->uts != -1 && setns(namespaces->uts, CLONE_NEWUTS) == -1)
		return -1;
	if (namespaces->mount == -1)
		return 0;
	/* A thread that shares its working directory with others cannot change mount namespaces. */
	if (unshare(CLONE_FS) == -1)
		return -1;
	return setns(namespaces->mount, CLONE_NEWNS);
}

/* The mask that this program was started with: later, threads block signals, the first one too now and then. */
static sigset_t inherited_mask;

__attribute__((constructor)) static void note_inherited_mask(void)
{
	sigprocmask(SIG_BLOCK, NULL, &inherited_mask);
}

static int confine(const struct slim_lab_program *program)
{
	struct sock_fprog filter = {
		.len = (unsigned short)(program->filter_length / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)program->filter,
	};

	return filter.len ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) : 0;
}

/* Only what may be called between fork and exec, the directory excepted, which the caller has prepared. */
static int become(const struct slim_lab_program *program, const char *directory)
{
	int wanted[3] = { program->input, program->output, program->error };

	if (slim_lab_enter(&program->namespaces) == -1)
		return -1;
	/* The directory may not exist in the other mount namespace: its root, then, where setns has put us. */
	if (directory[0] && chdir(directory) == -1 && errno != ENOENT && errno != ENOTDIR)
		return -1;
	for (int number = 0; number < 3; number++)
		if (wanted[number] != -1 && dup2(wanted[number], number) == -1)
			return -1;
	sigprocmask(SIG_SETMASK, &inherited_mask, NULL);
	if (confine(program) == -1)
		return -1;
	return execvpe(program->program, program->arguments, program->environment);
}

static void find_directory(const struct slim_lab_program *program, char *path, size_t size)
{
	if (program->directory)
		snprintf(path, size, "%s", program->directory);
	else if (!getcwd(path, size))
		path[0] = 0;
}

int slim_lab_execute(const struct slim_lab_program *program)
{
	char directory[4096];

	find_directory(program, directory, sizeof(directory));
	return become(program, directory);
}

struct report {
	pid_t process;
	int code;
};

/* In the child, and for a detached program in its child. Writes a report only when it is the last that this process says. */
static void child_main(const struct slim_lab_program *program, const char *directory, int pipe)
{
	struct report report = { .process = 0, .code = 0 };
	struct sigaction standard = { .sa_handler = SIG_DFL };

	for (int signal = 1; signal < 65; signal++) {
		struct sigaction now;

		/* What was ignored stays ignored, as exec has it; handlers of this program must not run in the child. */
		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaction(signal, &standard, NULL);
	}
	if (program->detached) {
		pid_t process;

		if (setsid() == -1)
			goto failed;
		process = fork();
		if (process == -1)
			goto failed;
		if (process > 0) {
			report.process = process;
			(void)!write(pipe, &report, sizeof(report));
			_exit(0);
		}
	}
	/* The rest of the caller's descriptors are none of the program's business. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	become(program, directory);
failed:
	report.code = errno;
	(void)!write(pipe, &report, sizeof(report));
	_exit(127);
}

pid_t slim_lab_spawn(const struct slim_lab_program *program)
{
	char directory[4096];
	struct report report;
	sigset_t all, before;
	int ends[2], code = 0;
	pid_t child, process;
	ssize_t count;

	find_directory(program, directory, sizeof(directory));
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		child_main(program, directory, ends[1]);
	}
	code = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (child == -1) {
		close(ends[0]);
		errno = code;
		return -1;
	}
	process = child;
	code = 0;
	/* Ends when exec has closed the other end. */
	while ((count = read(ends[0], &report, sizeof(report))) != 0) {
		if (count == -1 && errno == EINTR)
			continue;
		if (count != sizeof(report))
			break;
		if (report.process)
			process = report.process;
		if (report.code)
			code = report.code;
	}
	close(ends[0]);
	if (code || program->detached)
		while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
			;
	if (!code)
		return process;
	errno = code;
	return -1;
}

int slim_lab_set_host_name(const char *name)
{
	return sethostname(name, strlen(name));
}

int slim_lab_mount_private_tmpfs(const char *path)
{
	if (mount("slim-lab", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711") == -1)
		return -1;
	return mount("none", path, NULL, MS_PRIVATE, NULL);
}

int slim_lab_bind(const char *source, const char *target)
{
	return mount(source, target, NULL, MS_BIND, NULL);
}

int slim_lab_remount_sysfs(void)
{
	char source[64];
	int code = 0, cgroups = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == -1)
		code = errno;
	else if (cgroups != -1) {
		snprintf(source, sizeof(source), "/proc/thread-self/fd/%d", cgroups);
		if (mount(source, "/sys/fs/cgroup", NULL, MS_BIND | MS_REC, NULL) == -1)
			code = errno;
	}
	if (cgroups != -1)
		close(cgroups);
	errno = code;
	return code ? -1 : 0;
}

int slim_lab_detach(const char *path)
{
	return umount2(path, MNT_DETACH);
}

int slim_lab_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

void slim_lab_buffer_lines(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

int slim_lab_nameless_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}

int slim_lab_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}

int slim_lab_await_end(int process, int milliseconds)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, process, 0), .events = POLLIN };
	int ready;

	if (end.fd == -1)
		return errno == ESRCH ? 0 : -1;
	ready = poll(&end, 1, milliseconds);
	close(end.fd);
	return ready < 0 ? -1 : 0;
}
