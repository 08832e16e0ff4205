/* SPDX-License-Identifier: GPL-2.0 */
/* What is counted for SLIM_GUARD_STATISTICS. */
#ifndef SLIM_COUNTERS_H
#define SLIM_COUNTERS_H

#include "uapi/slim.h"

enum slim_counter {
	SLIM_COUNT_TAGS,
	SLIM_COUNT_TAGGED,
	SLIM_COUNT_REVOKED,
	SLIM_COUNT_CONNECT,
	SLIM_COUNT_BIND,
	SLIM_COUNT_LISTEN,
	SLIM_COUNT_SET_OPTION,
	SLIM_COUNT_GET_OPTION,
	SLIM_COUNT_CONTROL,
	SLIM_COUNT_MESSAGE,
	SLIM_COUNTERS
};

void slim_count(enum slim_counter counter, int by);
int slim_refuse(enum slim_counter counter);
u64 slim_counted(enum slim_counter counter);
void slim_counters_tell(struct slim_guard_statistics *statistics);

#endif
