/* SPDX-License-Identifier: Apache-2.0
 *
 * One operation at a time by io_uring, without its library.
 */
#pragma once
#include "attacks.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

/* The result of one submission, -ENOSYS without io_uring. */
static inline int uring(const struct io_uring_sqe *wanted)
{
	struct io_uring_params parameters = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &parameters);
	uint8_t *submissions, *completions;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *done;
	uint32_t tail;
	int result;

	if (ring == -1)
		return errno == EPERM ? -ENOSYS : -errno;
	submissions = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED,
		ring, IORING_OFF_SQ_RING);
	completions = mmap(NULL, parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe),
		PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	entries = mmap(NULL, parameters.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		IORING_OFF_SQES);
	if (submissions == MAP_FAILED || completions == MAP_FAILED || entries == MAP_FAILED) {
		close(ring);
		return -ENOMEM;
	}
	entries[0] = *wanted;
	((uint32_t *)(submissions + parameters.sq_off.array))[0] = 0;
	tail = *(uint32_t *)(submissions + parameters.sq_off.tail);
	__atomic_store_n((uint32_t *)(submissions + parameters.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) {
		result = -errno;
	} else {
		done = (struct io_uring_cqe *)(completions + parameters.cq_off.cqes);
		result = done->res;
	}
	close(ring);
	return result;
}
