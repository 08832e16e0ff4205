/* SPDX-License-Identifier: GPL-2.0-only */
/* What all of the guard's programs have in common: whose sockets are tagged, who is not restricted, what is harmless. */
#ifndef SLIM_TAGS_BPF_H
#define SLIM_TAGS_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <asm/socket.h>
#include <bpf/bpf_helpers.h>
#include "slim.h"
#include "slim_guard.h"
#include "slim_options.h"

/* The router's control group, whose members are not restricted. */
const volatile __u64 router_group = 0;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct slim_guard_tag);
} slim_tags SEC(".maps");

static __always_inline int is_router(void)
{
	return bpf_get_current_cgroup_id() == router_group;
}

#define SLIM_OPTION(level_, name_) \
	if (level == (level_) && name == (name_)) \
		return 1;

static __always_inline int is_settable(int level, int name)
{
	SLIM_OPTIONS_SET(SLIM_OPTION)
	return 0;
}

static __always_inline int is_ignored(int level, int name)
{
	SLIM_OPTIONS_IGNORED(SLIM_OPTION)
	return 0;
}

static __always_inline int is_readable(int level, int name)
{
	SLIM_OPTIONS_READ(SLIM_OPTION)
	return is_settable(level, name);
}

#endif
