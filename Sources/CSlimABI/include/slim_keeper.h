/* SPDX-License-Identifier: Apache-2.0
 *
 * What SlimRouter and its keeper say to each other. Fixed size, so that a router of another build can take over.
 */
#pragma once
#include "slim_abi.h"

#define SLIM_KEEPER_VERSION 1

enum slim_keep_operation {
	SLIM_KEEP_ORIGINAL = 1, /* with the listening socket of listener `id` */
	SLIM_KEEP_CHANNEL = 2,  /* with the router's end of its accept channel */
	SLIM_KEEP_PORT = 3,     /* with the listening socket of data port `id` */
	SLIM_KEEP_KEY = 4,      /* preamble key `id` of the peer `name` */
	SLIM_KEEP_DROP = 5,     /* listener `id` is no more */
	SLIM_KEEP_TAKE = 6,     /* a new router: hand over the part that `id` names */
	SLIM_KEEP_END = 7,      /* the answer to TAKE or SYNC ends here; `id` is the part */
	SLIM_KEEP_SYNC = 8,     /* answered once all that was said before is done */
	SLIM_KEEP_ARRIVAL = 9,  /* with a connection that no router looks after; of listener `id`, or of a data port */
};

/* A router needs the ports and keys to begin with, the listeners when it can serve them: until then the keeper does. */
enum slim_keep_part {
	SLIM_KEEP_ALL = 0,
	SLIM_KEEP_PORTS_AND_KEYS = 1,
	SLIM_KEEP_LISTENERS = 2,
};

struct slim_kept {
	struct slim_header header;
	uint64_t id;
	uint64_t program_end;      /* SO_COOKIE of the program's end of the channel */
	uint64_t namespace_cookie; /* of the listener's container */
	struct slim_address endpoint;
	uint16_t family; /* of the listening socket */
	uint16_t is_v6_only;
	uint32_t reserved;
	uint8_t secret[32]; /* of an arrival its preamble begins here, all 0 when that is still to be read */
	char name[64];      /* not terminated when full */
};

_Static_assert(sizeof(struct slim_kept) == 168, "slim_kept");
