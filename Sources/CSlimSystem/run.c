/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_run.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t target;
static volatile sig_atomic_t waiting;

static void forward(int signal, siginfo_t *info, void *context)
{
	int before = errno;

	(void)context;
	/* What a terminal sends reaches the whole foreground group, the program too. */
	if (info->si_code == SI_KERNEL && target)
		;
	else if (target)
		kill(target, signal);
	else
		waiting = signal;
	errno = before;
}

int slim_run_hold_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (unsigned index = 0; index < sizeof(signals) / sizeof(*signals); index++) {
		struct sigaction now;

		if (sigaction(signals[index], NULL, &now) == -1)
			return -1;
		/* nohup stays nohup. */
		if (now.sa_handler == SIG_IGN)
			continue;
		if (sigaction(signals[index], &action, NULL) == -1)
			return -1;
	}
	return 0;
}

int slim_run_held_signal(void)
{
	return waiting;
}

void slim_run_forward_signals(pid_t process)
{
	target = process;
	if (waiting)
		kill(process, waiting);
}

int slim_run_wait(pid_t process)
{
	int status;

	while (waitpid(process, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int slim_is_terminal(int fd)
{
	return isatty(fd);
}
