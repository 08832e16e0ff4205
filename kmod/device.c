// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "counters.h"
#include "device.h"
#include "guard.h"
#include "tag.h"
#include "uapi/slim.h"

static int slim_device_open(struct inode *inode, struct file *file)
{
	/*
	 * The file's mode is the first lock; a container that made itself a node of this number
	 * meets the second.
	 */
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	return nonseekable_open(inode, file);
}

static long slim_device_greet(void __user *argument)
{
	struct slim_guard_greeting greeting;
	u32 version;

	if (copy_from_user(&greeting, argument, sizeof(greeting)))
		return -EFAULT;
	version = greeting.version;
	greeting.version = 0;
	if (memchr_inv(&greeting, 0, sizeof(greeting)))
		return -EINVAL;
	greeting.version = SLIM_GUARD_VERSION;
	greeting.batch = SLIM_GUARD_BATCH;
	greeting.tags = slim_counted(SLIM_COUNT_TAGS);
#ifdef SOCK_CUSTOM_SOCKOPT
	greeting.features |= SLIM_GUARD_FEATURE_SOCKET_OPTIONS;
#endif
	if (copy_to_user(argument, &greeting, sizeof(greeting)))
		return -EFAULT;
	return version == SLIM_GUARD_VERSION ? 0 : -EPROTONOSUPPORT;
}

static long slim_device_tag(void __user *argument)
{
	struct slim_guard_tag request;
	struct socket *sock;
	int err;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	sock = sockfd_lookup(request.fd, &err);
	if (!sock)
		return err;
	err = slim_tag_add(sock, &request);
	sockfd_put(sock);
	return err;
}

/* The cookie of the tag of a descriptor's socket. */
static int slim_device_find(int fd, struct slim_guard_entry *entry)
{
	struct socket *sock;
	int err = 0;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return err;
	if (slim_is_guarded(sock))
		slim_tag_tell(slim_tag_of(sock), entry);
	else
		err = -ENOENT;
	sockfd_put(sock);
	return err;
}

static int slim_device_revoke_one(const struct slim_guard_revocation *item)
{
	struct slim_guard_entry entry;
	int err;

	if (item->fd < 0)
		return item->fd == -1 && item->cookie ?
		       slim_tag_revoke(item->cookie, item->namespace_cookie) : -EINVAL;
	if (item->cookie || item->namespace_cookie)
		return -EINVAL;
	err = slim_device_find(item->fd, &entry);
	return err ? err : slim_tag_revoke(entry.cookie, 0);
}

static long slim_device_revoke(void __user *argument)
{
	struct slim_guard_revocation __user *items;
	struct slim_guard_revocation item;
	struct slim_guard_revoke request;
	u32 index;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (!request.count || request.count > SLIM_GUARD_BATCH || request.done ||
	    memchr_inv(request.reserved, 0, sizeof(request.reserved)))
		return -EINVAL;
	items = u64_to_user_ptr(request.items);
	for (index = 0; index < request.count; index++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (copy_from_user(&item, &items[index], sizeof(item)))
			return -EFAULT;
		item.error = -slim_device_revoke_one(&item);
		if (!item.error)
			request.done++;
		if (put_user(item.error, &items[index].error))
			return -EFAULT;
		cond_resched();
	}
	return copy_to_user(argument, &request, sizeof(request)) ? -EFAULT : 0;
}

static long slim_device_query(void __user *argument)
{
	struct slim_guard_query query;
	int err;

	if (copy_from_user(&query, argument, sizeof(query)))
		return -EFAULT;
	if (query.reserved || memchr_inv(&query.entry, 0, sizeof(query.entry)))
		return -EINVAL;
	err = slim_device_find(query.fd, &query.entry);
	if (err)
		return err;
	return copy_to_user(argument, &query, sizeof(query)) ? -EFAULT : 0;
}

static long slim_device_list(void __user *argument)
{
	struct slim_guard_entry __user *entries;
	struct slim_guard_entry entry;
	struct slim_guard_list list;
	u64 after;

	if (copy_from_user(&list, argument, sizeof(list)))
		return -EFAULT;
	if (!list.capacity || list.capacity > SLIM_GUARD_BATCH || list.count ||
	    memchr_inv(list.reserved, 0, sizeof(list.reserved)))
		return -EINVAL;
	entries = u64_to_user_ptr(list.entries);
	after = list.after;
	while (list.count < list.capacity && slim_tag_next(after, &entry)) {
		if (copy_to_user(&entries[list.count], &entry, sizeof(entry)))
			return -EFAULT;
		after = entry.cookie;
		list.count++;
		cond_resched();
	}
	return copy_to_user(argument, &list, sizeof(list)) ? -EFAULT : 0;
}

static long slim_device_statistics(void __user *argument)
{
	struct slim_guard_statistics statistics;

	if (copy_from_user(&statistics, argument, sizeof(statistics)))
		return -EFAULT;
	if (memchr_inv(&statistics, 0, sizeof(statistics)))
		return -EINVAL;
	slim_counters_tell(&statistics);
	return copy_to_user(argument, &statistics, sizeof(statistics)) ? -EFAULT : 0;
}

static long slim_device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *pointer = (void __user *)argument;

	switch (command) {
	case SLIM_GUARD_GREET:
		return slim_device_greet(pointer);
	case SLIM_GUARD_TAG:
		return slim_device_tag(pointer);
	case SLIM_GUARD_REVOKE:
		return slim_device_revoke(pointer);
	case SLIM_GUARD_QUERY:
		return slim_device_query(pointer);
	case SLIM_GUARD_LIST:
		return slim_device_list(pointer);
	case SLIM_GUARD_STATISTICS:
		return slim_device_statistics(pointer);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations slim_device_operations = {
	.owner = THIS_MODULE,
	.open = slim_device_open,
	.unlocked_ioctl = slim_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice slim_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "slim",
	.mode = 0600,
	.fops = &slim_device_operations,
};

int slim_device_register(void)
{
	return misc_register(&slim_device);
}

void slim_device_unregister(void)
{
	misc_deregister(&slim_device);
}
