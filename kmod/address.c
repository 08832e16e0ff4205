// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include "address.h"

bool slim_address_is_none(const struct slim_guard_address *address)
{
	return !memchr_inv(address, 0, sizeof(*address));
}

/* Whether a socket of this family can have the address. */
bool slim_address_fits(const struct slim_guard_address *address, int family)
{
	if (address->family == AF_INET6)
		return family == AF_INET6;
	if (address->family != AF_INET || address->scope)
		return false;
	return !memchr_inv(address->bytes + 4, 0, sizeof(address->bytes) - 4);
}

/* Writes an address that fits as a socket of this family shows it; returns its length. */
int slim_address_write(const struct slim_guard_address *address, int family,
		       struct sockaddr_storage *storage)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	if (family == AF_INET) {
		memset(in, 0, sizeof(*in));
		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->bytes, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	memset(in6, 0, sizeof(*in6));
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(address->port);
	if (address->family == AF_INET) {
		in6->sin6_addr.s6_addr[10] = 0xff;
		in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(&in6->sin6_addr.s6_addr[12], address->bytes, 4);
	} else {
		memcpy(&in6->sin6_addr, address->bytes, sizeof(in6->sin6_addr));
		in6->sin6_scope_id = address->scope;
	}
	return sizeof(*in6);
}

/* Whether a program that gives this address to a socket of this family means `address`. */
bool slim_address_matches(const struct slim_guard_address *address, int family,
			  const void *sockaddr, int length)
{
	struct sockaddr_storage own;
	const struct sockaddr_in6 *given = sockaddr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&own;
	int size = slim_address_write(address, family, &own);

	if (length < size)
		return false;
	if (family == AF_INET)
		return !memcmp(&own, sockaddr, offsetof(struct sockaddr_in, sin_zero));
	return given->sin6_family == AF_INET6 &&
	       given->sin6_port == in6->sin6_port &&
	       given->sin6_scope_id == in6->sin6_scope_id &&
	       ipv6_addr_equal(&given->sin6_addr, &in6->sin6_addr);
}
