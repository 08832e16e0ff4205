/* SPDX-License-Identifier: Apache-2.0
 *
 * A program in the foreground on behalf of which this process waits and is signalled.
 */
#pragma once
#include <sys/types.h>

/* Signals that would end this process are remembered from now on: it has something to clean up. */
int slim_run_hold_signals(void);
/* The signal that was remembered; 0: none. */
int slim_run_held_signal(void);
/* Signals, a remembered one too, go to the process from now on. */
void slim_run_forward_signals(pid_t process);
/* waitpid: the exit status, 128 + signal when a signal ended it, -1 with errno. */
int slim_run_wait(pid_t process);
/* isatty */
int slim_is_terminal(int fd);
