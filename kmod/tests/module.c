// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. The other tests find the module loaded; this one leaves it so. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "test.h"

int load(void)
{
	int file = open("/slim.ko", O_RDONLY | O_CLOEXEC), result;

	result = syscall(SYS_finit_module, file, "", 0);
	close(file);
	return result;
}

int unload(void)
{
	return syscall(SYS_delete_module, "slim", O_NONBLOCK);
}

/* Uses the device in a process of its own, so that it is open nowhere else. */
static void tag_and_hand_over(void *argument)
{
	int *channel = argument, client, server;

	connected_pair(channel[2], &client, &server);
	EXPECT(tag(client, channel[2]) == 0);
	EXPECT(send_descriptor(channel[0], client) == 0);
}

static void hold_device(void *argument)
{
	EXPECT(slim_device() >= 0);
	REFUSED(unload(), EWOULDBLOCK);
}

void unloading_waits_for_the_last_tag(int family)
{
	int channel[3], held, round;

	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
	channel[2] = family;
	REFUSED(load(), EEXIST);
	run(hold_device, NULL);
	run(tag_and_hand_over, channel);
	/* In flight in a socket's queue, then held. */
	REFUSED(unload(), EWOULDBLOCK);
	held = receive_descriptor(channel[1]);
	REFUSED(unload(), EWOULDBLOCK);
	attack(held, family);
	close(held);
	EXPECT(unload() == 0);
	REFUSED(open(SLIM_GUARD_DEVICE, O_RDWR), ENOENT);
	REFUSED(unload(), ENOENT);
	for (round = 0; round < 10; round++) {
		EXPECT(load() == 0);
		run(tag_and_hand_over, channel);
		close(receive_descriptor(channel[1]));
		EXPECT(unload() == 0);
	}
	EXPECT(load() == 0);
}
