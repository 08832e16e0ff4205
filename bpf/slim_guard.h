/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the router says to the BPF guard: socket options that only the guard's program knows, and only from processes in the
 * router's control group. On a socket that the guard does not watch the kernel answers ENOPROTOOPT: a socket that was
 * tagged is one that is guarded.
 */
#ifndef SLIM_BPF_GUARD_H
#define SLIM_BPF_GUARD_H

/* Level of setsockopt(2). */
#define SLIM_BPF_LEVEL 0x536c
/* Sets the tag: a struct slim_guard_tag, of which fd, cookie and id do not count. */
#define SLIM_BPF_TAG 1
/* Succeeds on a socket that the guard watches. */
#define SLIM_BPF_WATCHED 2

/*
 * How the programs that the kernel runs as a security module (LSM) say that it does run them: setsockopt() with this level and
 * the lower half of the number of the router's control group, and ioctl() with this command and the whole number, are answered
 * with ECANCELED. A kernel may take the programs and never run them.
 */
#define SLIM_BPF_LSM_LEVEL 0x536d
#define SLIM_BPF_LSM_CONTROL 0x536d

#endif
