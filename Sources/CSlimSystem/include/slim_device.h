/* SPDX-License-Identifier: Apache-2.0
 *
 * What drivers of network devices tell.
 */
#pragma once
#include <stdint.h>

/* ioctl SIOCETHTOOL with ETHTOOL_GSET: Mbit/s, 0 when the driver does not know. -1 with errno. */
int64_t slim_link_speed(int socket, const char *name);
