/* SPDX-License-Identifier: Apache-2.0 */
#include "slim_traffic.h"

#include <linux/tcp.h>
#include <string.h>

int slim_read_traffic(const void *info, size_t size, struct slim_traffic *traffic)
{
	struct tcp_info known;

	if (size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(known.tcpi_bytes_received))
		return 0;
	memset(&known, 0, sizeof(known));
	memcpy(&known, info, size < sizeof(known) ? size : sizeof(known));
	traffic->bytes_acked = known.tcpi_bytes_acked;
	traffic->bytes_received = known.tcpi_bytes_received;
	traffic->rtt = known.tcpi_rtt;
	traffic->retransmissions = known.tcpi_total_retrans;
	return 1;
}
