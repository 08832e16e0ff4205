// SPDX-License-Identifier: GPL-2.0
/* The whole system: two hosts with a router and a container each, the module as their guard, real programs. */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "programs.h"
#include "test.h"

static bool wait_for_tags(uint64_t least, uint64_t most, int seconds)
{
	int tenths;

	for (tenths = 0; tenths < seconds * 10; tenths++) {
		uint64_t tags = statistics().tags;

		if (tags >= least && tags <= most)
			return true;
		usleep(100000);
	}
	printf("    %llu tags\n", (unsigned long long)statistics().tags);
	return false;
}

static unsigned int revoke_everything(void)
{
	static struct slim_guard_entry entries[64];
	static struct slim_guard_revocation items[64];
	struct slim_guard_list list = { .entries = (uintptr_t)entries, .capacity = 64 };
	struct slim_guard_revoke request = { .items = (uintptr_t)items };

	EXPECT(ioctl(slim_device(), SLIM_GUARD_LIST, &list) == 0);
	for (request.count = 0; request.count < list.count; request.count++)
		items[request.count] = (struct slim_guard_revocation){
			.cookie = entries[request.count].cookie, .fd = -1,
			.namespace_cookie = entries[request.count].namespace_cookie,
		};
	EXPECT(request.count && ioctl(slim_device(), SLIM_GUARD_REVOKE, &request) == 0);
	return request.done;
}

/*
 * A router hands out a host socket only while its peer answers within a fifth of a second; here one may not, and the packet overlay
 * carries the connection. So programs are run until there are tags.
 */
static void use_nginx(void)
{
	struct slim_guard_statistics before = statistics();
	pid_t server = begin(NULL, "slimctl", "lab", "exec", "--name", LAB, "h2c1", "--", "nginx", "-c", "/nginx.conf",
			     NULL);
	int attempt;

	for (attempt = 0; attempt < 20 && statistics().tagged < before.tagged + 2; attempt++) {
		EXPECT(perform("/tmp/page", "slimctl", "lab", "exec", "--name", LAB, "h1c1", "--", "curl", "-sS",
			       "--retry", "30", "--retry-connrefused", "--retry-delay", "1", "-w",
			       " %{local_ip} %{remote_ip}", "http://10.32.2.2:8080/page", NULL) == 0);
		EXPECT(contains("/tmp/page", "a page of h2c1 10.32.1.2 10.32.2.2", true));
	}
	EXPECT(statistics().tagged >= before.tagged + 2); /* both ends */
	kill(server, SIGTERM);
	finish(server);
}

static pid_t begin_iperf_server(void)
{
	pid_t server;
	int tenths;

	/* The one before has said that it listens, too. */
	unlink("/tmp/server");
	server = begin("/tmp/server", "slimctl", "lab", "exec", "--name", LAB, "h2c1", "--", "iperf3", "-s",
		       "--one-off", "--forceflush", NULL);
	for (tenths = 0; tenths < WAIT_SECONDS * 10 && !contains("/tmp/server", "Server listening", false); tenths++)
		usleep(100000);
	return server;
}

static void use_iperf(void)
{
	pid_t server = begin_iperf_server();

	EXPECT(perform("/tmp/iperf", "slimctl", "lab", "exec", "--name", LAB, "h1c1", "--", "iperf3", "-c", "10.32.2.2",
		       "-t", "2", "-f", "m", NULL) == 0);
	EXPECT(contains("/tmp/iperf", "iperf Done.", true));
	EXPECT(finish(server) == 0);
	EXPECT(wait_for_tags(0, 0, WAIT_SECONDS));
}

/* Everything is revoked under iperf3: it does not end by itself. */
static void revoke_under_iperf(void)
{
	int attempt;

	for (attempt = 0; attempt < 10; attempt++) {
		pid_t server = begin_iperf_server();
		pid_t client = begin("/tmp/client", "slimctl", "lab", "exec", "--name", LAB, "h1c1", "--", "iperf3",
				     "-c", "10.32.2.2", "-t", "1000", NULL);
		bool tagged = wait_for_tags(2, 64, 20);

		if (tagged) {
			EXPECT(revoke_everything() >= 1); /* what is left may end by itself */
		} else {
			kill(client, SIGTERM);
			kill(server, SIGTERM);
		}
		EXPECT(finish(client) > 0);
		EXPECT(finish(server) >= 0);
		if (tagged)
			return;
	}
	EXPECT(!"iperf3 never had a host socket");
}

static void use_system(void)
{
	EXPECT(perform(NULL, "slimctl", "secure", "enable", "--guard", "module", "--router", "lab:" LAB "/h1", NULL) == 0);
	EXPECT(perform(NULL, "slimctl", "secure", "enable", "--guard", "module", "--router", "lab:" LAB "/h2", NULL) == 0);
	use_nginx();
	use_iperf();
	revoke_under_iperf();
	EXPECT(wait_for_tags(0, 0, WAIT_SECONDS));
	EXPECT(perform(NULL, "slimctl", "secure", "status", "--router", "lab:" LAB "/h1", NULL) == 0);
}

/* Run by init in a process of its own, where the programs are there. */
void whole_system(void)
{
	prepare_programs();
	EXPECT(perform(NULL, "slimctl", "lab", "up", "--name", LAB, "--hosts", "2", "--containers", "1", NULL) == 0);
	if (!failures)
		use_system();
	EXPECT(perform(NULL, "slimctl", "lab", "down", "--name", LAB, NULL) == 0);
	EXPECT(wait_for_tags(0, 0, WAIT_SECONDS));
	printf("%s whole_system\n", failures ? "not ok" : "ok");
}
