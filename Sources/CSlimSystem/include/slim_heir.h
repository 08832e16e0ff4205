/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a connection that a router has accepted, and not yet given to a program, when the router is killed.
 *
 * The heir is a process that shares the router's descriptor table, and so outlives it with all its descriptors. It passes to
 * the keeper what nobody else has, closes the rest and ends. Until then it does nothing.
 */
#pragma once
#include <stdint.h>
#include "slim_abi.h"

enum slim_flight_state {
	SLIM_FLIGHT_NONE = 0,
	SLIM_FLIGHT_TAKEN = 1, /* accepted; its preamble may have been read */
	SLIM_FLIGHT_GIVEN = 2, /* a program has it, or is being given it */
};

/* Memory that router and heir share: written by the connection thread, read when it is no more. */
struct slim_flight {
	uint64_t listener; /* whose backlog is being accepted from, by the keeper's number; 0 for a data port */
	int original;      /* its listening socket */
	int keeper;        /* the connection to the keeper, or -1 */
	int connection;    /* what the router is at */
	uint32_t state;
	uint8_t preamble[SLIM_PREAMBLE_LENGTH]; /* as far as it was read; begins with 0 before */
};

/* Zeroed, with no keeper; NULL and errno. */
struct slim_flight *slim_flight_map(void);
void slim_flight_unmap(struct slim_flight *flight);
/*
 * Starts the heir. `lock` is closed last: whoever then finds it free finds all else free too.
 * 0, or an errno.
 */
int slim_heir_start(const struct slim_flight *flight, int lock);
