/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "slim_guarding.h"
#include <bpf/bpf.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int slim_guard_ioctl(int device, unsigned long request, void *argument)
{
	return ioctl(device, request, argument);
}

int slim_load_module(int file)
{
	return (int)syscall(SYS_finit_module, file, "", 0);
}

int slim_mount_bpf(const char *path)
{
	struct statfs found;

	if (statfs(path, &found) == -1)
		return -1;
	if (found.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("slim-guard", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") == -1)
		return -1;
	return mount("none", path, NULL, MS_PRIVATE, NULL);
}

int slim_link_group(int link, uint64_t *group)
{
	struct bpf_link_info info;
	__u32 length = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(link, &info, &length) != 0)
		return -1;
	*group = info.cgroup.cgroup_id;
	return 0;
}

uint32_t slim_native_architecture(void)
{
#if defined(__x86_64__)
	return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
	return AUDIT_ARCH_AARCH64;
#else
#error "the architecture's number is missing here"
#endif
}

int slim_guard_option(int fd, int level, int option, const void *value, size_t length)
{
	return setsockopt(fd, level, option, value, (socklen_t)length);
}

const char *slim_seccomp_architecture_name(void)
{
	return slim_native_architecture() == AUDIT_ARCH_X86_64 ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64";
}

uint32_t slim_ioctl_number(void)
{
	return SYS_ioctl;
}

uint32_t slim_seccomp_allow(void)
{
	return SECCOMP_RET_ALLOW;
}

uint32_t slim_seccomp_refuse(uint32_t error)
{
	return SECCOMP_RET_ERRNO | error;
}

uint32_t slim_seccomp_argument(uint32_t index)
{
	/* Both architectures are little-endian. */
	return (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
}

int slim_remove_directory(const char *path)
{
	return rmdir(path);
}

int slim_unmount(const char *path)
{
	return umount2(path, MNT_DETACH);
}
