/* ring PORT: a server that accepts by io_uring, and tells each client its address. */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET }, peer;
	socklen_t length;
	struct io_uring_params params = { 0 };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, ring;
	char *submissions, *completions;
	struct io_uring_sqe *entry;

	address.sin_port = htons((uint16_t)atoi(count > 1 ? arguments[1] : "0"));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 64)) {
		perror("listen");
		return 1;
	}
	ring = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0) {
		perror("io_uring_setup");
		return 77;
	}
	submissions = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	completions = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	entry = mmap(NULL, params.sq_entries * sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		     IORING_OFF_SQES);
	if (submissions == MAP_FAILED || completions == MAP_FAILED || (void *)entry == MAP_FAILED)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		unsigned *tail = (unsigned *)(submissions + params.sq_off.tail);
		unsigned *head = (unsigned *)(completions + params.cq_off.head);
		unsigned mask = *(unsigned *)(submissions + params.sq_off.ring_mask);
		struct io_uring_cqe *done;
		char text[64];

		length = sizeof(peer);
		memset(entry, 0, sizeof(*entry));
		entry->opcode = IORING_OP_ACCEPT;
		entry->fd = listener;
		entry->addr = (uintptr_t)&peer;
		entry->addr2 = (uintptr_t)&length;
		((unsigned *)(submissions + params.sq_off.array))[*tail & mask] = 0;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			continue;
		mask = *(unsigned *)(completions + params.cq_off.ring_mask);
		done = (struct io_uring_cqe *)(completions + params.cq_off.cqes) + (*head & mask);
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
		if (done->res < 0) {
			fprintf(stderr, "accept: %s\n", strerror(-done->res));
			return 1;
		}
		snprintf(text, sizeof(text), "%s\n", inet_ntoa(peer.sin_addr));
		if (write(done->res, text, strlen(text)) < 0)
			return 1;
		close(done->res);
	}
}
