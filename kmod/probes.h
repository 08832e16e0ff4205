/* SPDX-License-Identifier: GPL-2.0 */
/* Refusals where the kernel does not ask a socket's own operations. */
#ifndef SLIM_PROBES_H
#define SLIM_PROBES_H

int slim_probes_register(void);
void slim_probes_unregister(void);

#endif
