/* SPDX-License-Identifier: GPL-2.0 */
/* What options and ioctls a guarded socket still has. */
#ifndef SLIM_OPTIONS_H
#define SLIM_OPTIONS_H

#include <linux/types.h>

struct socket;

enum slim_permission {
	SLIM_REFUSED,
	SLIM_IGNORED,	/* answered with success, without effect */
	SLIM_PERMITTED,
};

enum slim_permission slim_may_set(int level, int option);
bool slim_may_get(int level, int option);
bool slim_may_control(unsigned int command);
void slim_options_clear(struct socket *sock);

#endif
