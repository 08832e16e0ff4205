// SPDX-License-Identifier: GPL-2.0
/*
 * Makes sockets of the host's network namespace harmless in the hands of containers. See README.md.
 */
#include <linux/module.h>
#include "device.h"
#include "guard.h"
#include "probes.h"

static int __init slim_init(void)
{
	int err;

	err = slim_guard_prepare();
	if (err)
		return err;
	err = slim_probes_register();
	if (err)
		return err;
	err = slim_device_register();
	if (err)
		goto unregister_probes;
	return 0;
unregister_probes:
	slim_probes_unregister();
	return err;
}

/* There is no tag left: each one holds the module. */
static void __exit slim_exit(void)
{
	slim_device_unregister();
	slim_probes_unregister();
}

module_init(slim_init);
module_exit(slim_exit);

MODULE_DESCRIPTION("Guards the host sockets of Slim, a container overlay network");
MODULE_AUTHOR("The Slim authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0.0");
