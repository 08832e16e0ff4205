/* SPDX-License-Identifier: Apache-2.0
 *
 * Secure mode: the words that the router and its two guards have in common, and calls that Swift cannot express.
 */
#pragma once
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include "../../../bpf/slim_guard.h"
#include "../../../bpf/slim_pairs.h"
#include "../../../kmod/uapi/slim.h"

/* ioctl(device, request, argument) */
int slim_guard_ioctl(int device, unsigned long request, void *argument);
/* setsockopt(fd, level, option, value, length) */
int slim_guard_option(int fd, int level, int option, const void *value, size_t length);
/* finit_module(file, "", 0) */
int slim_load_module(int file);
/* Mounts a BPF file system that only root may enter, unless there is one; the mount does not spread. */
int slim_mount_bpf(const char *path);
/* umount2(path, MNT_DETACH) */
int slim_unmount(const char *path);
/* Runs the program that joins the ends of a connection. Returns an enum slim_pair_verdict, or -1. */
int slim_join_pair(int program, const void *request);
/* rmdir(): a control group is removed without the files in it. */
int slim_remove_directory(const char *path);
/* bpf_obj_get_info_by_fd() of a link to a control group: the group's number, 0 once it is detached. */
int slim_link_group(int link, uint64_t *group);
/* The number of the architecture's system calls, as seccomp tells it (AUDIT_ARCH_...). */
uint32_t slim_native_architecture(void);
/* The same as libseccomp names it. */
const char *slim_seccomp_architecture_name(void);
/* The number of ioctl(2). */
uint32_t slim_ioctl_number(void);
/* What a filter answers. */
uint32_t slim_seccomp_allow(void);
uint32_t slim_seccomp_refuse(uint32_t error);
/* Where in struct seccomp_data the lower half of an argument is. */
uint32_t slim_seccomp_argument(uint32_t index);
