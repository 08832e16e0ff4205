/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SLIM_PROGRAMS_H
#define SLIM_PROGRAMS_H

#include <stdbool.h>
#include <sys/types.h>

#define LAB "vm"
/* Generous: the machine is emulated, its host may be busy. */
#define WAIT_SECONDS 180

/* A search path, and a page that nginx serves by /nginx.conf. */
void prepare_programs(void);

/* Starts a program, whose output goes to a file or nowhere else; the arguments end with NULL. */
pid_t begin(const char *output, ...);

/* Its exit status, or -1 when it has not ended in time. */
int finish(pid_t child);

int perform(const char *output, ...);

/* Whether a file has a text in it. */
bool contains(const char *path, const char *text, bool tells);

#endif
