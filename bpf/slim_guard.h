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

#endif
