/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses as a router tells them, and as the socket calls have them. */
#ifndef SLIM_ADDRESS_H
#define SLIM_ADDRESS_H

#include <linux/socket.h>
#include "uapi/slim.h"

bool slim_address_is_none(const struct slim_guard_address *address);
bool slim_address_fits(const struct slim_guard_address *address, int family);
int slim_address_write(const struct slim_guard_address *address, int family,
		       struct sockaddr_storage *storage);
bool slim_address_matches(const struct slim_guard_address *address, int family,
			  const void *sockaddr, int length);

#endif
