/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/slim, by which a router says what is tagged and revoked. */
#ifndef SLIM_DEVICE_H
#define SLIM_DEVICE_H

int slim_device_register(void);
void slim_device_unregister(void);

#endif
