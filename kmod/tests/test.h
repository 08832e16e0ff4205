/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the kernel module, for a machine that boots to run nothing else: main.c is its init.
 * Each test is a process of its own; what an EXPECT misses is printed, and the test has failed.
 */
#ifndef SLIM_TEST_H
#define SLIM_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../uapi/slim.h"

extern int failures;

void expect(bool holds, const char *what, const char *file, int line);

#define EXPECT(what) expect((what), #what, __FILE__, __LINE__)

/* The call fails, with this error. */
#define REFUSED(call, error)								\
	do {										\
		long refused_result = (errno = 0, (call));				\
		int refused_errno = errno;						\
											\
		expect(refused_result == -1 && refused_errno == (error), #call, __FILE__, __LINE__); \
		if (refused_result != -1 || refused_errno != (error))			\
			printf("    returned %ld, %s\n", refused_result, strerror(refused_errno)); \
	} while (0)

/* sockets.c: sockets on loopback, and what a router does with them. */
#define OVERLAY_LOCAL_PORT 34567
#define OVERLAY_PEER_PORT 80

int loopback(int family, uint16_t port, struct sockaddr_storage *address);
int listener(int family, struct sockaddr_storage *address, int *length);
void connected_pair(int family, int *client, int *server);
int slim_device(void);
uint64_t cookie_of(int fd);
struct slim_guard_tag tag_for(int fd, int family);
int tag(int fd, int family);
int tag_prepared(int fd, int family, const struct sockaddr_storage *destination);
int cut(int fd);
struct slim_guard_statistics statistics(void);
struct slim_guard_entry query(int fd);
bool shows_overlay(int fd, int peer);
bool carries_data(int one, int other);
int send_descriptor(int channel, int fd);
int receive_descriptor(int channel);
int run(void (*body)(void *), void *argument);

/* module.c */
int load(void);
int unload(void);

/*
 * attack.c: everything that a tagged socket's holder may not; exits or returns with failures
 * counted.
 */
void attack(int fd, int family);

/* suite.c */
bool attack_suite(bool is_thorough);
bool attack_suite_on_bpf(char *group);

/* system.c, lsm.c: with the programs of the project instead of the tests. */
void whole_system(void);
void bpf_system(void);

/* The tests: one function each, called for AF_INET and for AF_INET6. */
#define TESTS(X)						\
	X(refuses_what_is_promised)				\
	X(shows_overlay_addresses)				\
	X(shows_v4_overlay_addresses_on_v6)			\
	X(carries_data_as_before)				\
	X(keeps_harmless_options)				\
	X(clears_what_would_tell_of_the_host)			\
	X(waits_for_a_pending_connection)			\
	X(untagged_sockets_are_untouched)			\
	X(follows_dup)						\
	X(follows_fork_and_exec)				\
	X(follows_descriptor_passing)				\
	X(holds_for_uid_1000)					\
	X(last_close_frees_the_tag)				\
	X(revokes_for_every_holder)				\
	X(revoking_wakes_blocked_calls)				\
	X(revoking_wakes_a_blocked_connect)			\
	X(revokes_in_batches)					\
	X(prepared_connects_once_to_its_destination)		\
	X(prepared_connects_by_fastopen)			\
	X(prepared_goes_nowhere_else)				\
	X(prepared_is_spent_by_one_of_many)			\
	X(prepared_and_revoked_never_connects)			\
	X(refuses_through_io_uring)				\
	X(refuses_32_bit_calls)					\
	X(tags_plain_tcp_only)					\
	X(refuses_malformed_requests)				\
	X(lists_in_pages)					\
	X(counts_what_it_refuses)				\
	X(survives_fuzzed_requests)				\
	X(stands_tag_close_and_revoke_at_once)			\
	X(unloading_waits_for_the_last_tag)

#define DECLARE_TEST(name) void name(int family);
TESTS(DECLARE_TEST)

#endif
