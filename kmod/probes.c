// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/socket.h>
#include "counters.h"
#include "guard.h"
#include "options.h"
#include "probes.h"

/*
 * A probe at the beginning of a function leads the call for a tagged socket, when it is one to
 * refuse, to a function with the same arguments that answers EPERM. Other than a return probe it
 * needs no memory for each call, which somebody could use up. The empty post_handler says to
 * kprobes that a handler changes the path: such a probe is not turned into a jump.
 *
 * A task cannot be in one of the answering functions when the module is unloaded: it holds the
 * socket, the socket its tag, the tag the module.
 */
static noinline int slim_answer_get(struct socket *sock, int level, int option)
{
	return slim_refuse(SLIM_COUNT_GET_OPTION);
}

static noinline long slim_answer_ioctl(struct file *file, unsigned int command,
				       unsigned long argument)
{
	return slim_refuse(SLIM_COUNT_CONTROL);
}

#ifndef SOCK_CUSTOM_SOCKOPT
static noinline int slim_answer_set(struct socket *sock, int level, int option, sockptr_t value,
				    unsigned int length)
{
	return slim_refuse(SLIM_COUNT_SET_OPTION);
}

static noinline int slim_answer_ignored(struct socket *sock, int level, int option, sockptr_t value,
					unsigned int length)
{
	return 0;
}

/* Before Linux 6.2 options of SOL_SOCKET do not come by the socket's operations. */
static int slim_probe_set(struct kprobe *probe, struct pt_regs *regs)
{
	struct socket *sock = (struct socket *)regs_get_kernel_argument(regs, 0);
	int level = regs_get_kernel_argument(regs, 1);
	int option = regs_get_kernel_argument(regs, 2);
	enum slim_permission permission;

	if (!slim_is_guarded(sock))
		return 0;
	permission = slim_may_set(level, option);
	if (permission == SLIM_PERMITTED)
		return 0;
	if (permission == SLIM_IGNORED)
		instruction_pointer_set(regs, (unsigned long)slim_answer_ignored);
	else
		instruction_pointer_set(regs, (unsigned long)slim_answer_set);
	return 1;
}
#endif

/* Reading options of SOL_SOCKET never comes by the socket's operations. */
static int slim_probe_get(struct kprobe *probe, struct pt_regs *regs)
{
	struct socket *sock = (struct socket *)regs_get_kernel_argument(regs, 0);
	int level = regs_get_kernel_argument(regs, 1);
	int option = regs_get_kernel_argument(regs, 2);

	if (level != SOL_SOCKET || !slim_is_guarded(sock) || slim_may_get(level, option))
		return 0;
	instruction_pointer_set(regs, (unsigned long)slim_answer_get);
	return 1;
}

/*
 * SIOCGIFCONF, SIOCGSKNS and others are answered before the socket's operations are asked; 32-bit
 * ioctls ask them first.
 */
static int slim_probe_ioctl(struct kprobe *probe, struct pt_regs *regs)
{
	struct file *file = (struct file *)regs_get_kernel_argument(regs, 0);
	unsigned int command = regs_get_kernel_argument(regs, 1);

	if (slim_may_control(command) || !slim_is_guarded(file->private_data))
		return 0;
	instruction_pointer_set(regs, (unsigned long)slim_answer_ioctl);
	return 1;
}

static void slim_probe_after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe slim_probes[] = {
#ifndef SOCK_CUSTOM_SOCKOPT
	{
		.symbol_name = "sock_setsockopt",
		.pre_handler = slim_probe_set,
		.post_handler = slim_probe_after,
	},
#endif
	{
		.symbol_name = "security_socket_getsockopt",
		.pre_handler = slim_probe_get,
		.post_handler = slim_probe_after,
	},
	{
		.symbol_name = "sock_ioctl",
		.pre_handler = slim_probe_ioctl,
		.post_handler = slim_probe_after,
	},
};

int slim_probes_register(void)
{
	int registered, err;

	for (registered = 0; registered < ARRAY_SIZE(slim_probes); registered++) {
		err = register_kprobe(&slim_probes[registered]);
		if (err) {
			pr_err("slim: cannot probe %s (error %d); nothing is guarded\n",
			       slim_probes[registered].symbol_name, err);
			goto unregister;
		}
	}
	return 0;
unregister:
	while (registered-- > 0)
		unregister_kprobe(&slim_probes[registered]);
	return err;
}

void slim_probes_unregister(void)
{
	int left = ARRAY_SIZE(slim_probes);

	while (left-- > 0)
		unregister_kprobe(&slim_probes[left]);
}
