/* SPDX-License-Identifier: Apache-2.0 */
#include "slim_guarding.h"
#include <bpf/bpf.h>
#include <string.h>

int slim_join_pair(int program, const void *request)
{
	char input[SLIM_PAIR_OFFSET + sizeof(struct slim_pair_request)] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = input, .data_size_in = sizeof(input));

	memcpy(input + SLIM_PAIR_OFFSET, request, sizeof(struct slim_pair_request));
	if (bpf_prog_test_run_opts(program, &run) != 0)
		return -1;
	return (int)run.retval;
}
