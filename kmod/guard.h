/* SPDX-License-Identifier: GPL-2.0 */
/* The operations of a tagged socket. */
#ifndef SLIM_GUARD_H
#define SLIM_GUARD_H

#include <linux/types.h>

struct proto_ops;
struct socket;

int slim_guard_prepare(void);
bool slim_is_guarded(const struct socket *sock);
const struct proto_ops *slim_guarded(const struct proto_ops *inner);

#endif
