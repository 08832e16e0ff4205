// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/errno.h>
#include "counters.h"

static atomic64_t counters[SLIM_COUNTERS];

void slim_count(enum slim_counter counter, int by)
{
	atomic64_add(by, &counters[counter]);
}

/* The one answer to what a guarded socket may not. */
int slim_refuse(enum slim_counter counter)
{
	slim_count(counter, 1);
	return -EPERM;
}

u64 slim_counted(enum slim_counter counter)
{
	return atomic64_read(&counters[counter]);
}

void slim_counters_tell(struct slim_guard_statistics *statistics)
{
	statistics->tags = slim_counted(SLIM_COUNT_TAGS);
	statistics->tagged = slim_counted(SLIM_COUNT_TAGGED);
	statistics->revoked = slim_counted(SLIM_COUNT_REVOKED);
	statistics->refused_connect = slim_counted(SLIM_COUNT_CONNECT);
	statistics->refused_bind = slim_counted(SLIM_COUNT_BIND);
	statistics->refused_listen = slim_counted(SLIM_COUNT_LISTEN);
	statistics->refused_set_option = slim_counted(SLIM_COUNT_SET_OPTION);
	statistics->refused_get_option = slim_counted(SLIM_COUNT_GET_OPTION);
	statistics->refused_control = slim_counted(SLIM_COUNT_CONTROL);
	statistics->refused_message = slim_counted(SLIM_COUNT_MESSAGE);
}
