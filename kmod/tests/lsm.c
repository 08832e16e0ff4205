// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF guard on a kernel that runs BPF programs as a security module (LSM): two hosts with a router and a container each, and
 * the attack suite on the guard of one of them.
 */
#include <dirent.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include "programs.h"
#include "test.h"

#define GROUPS "/sys/fs/cgroup/slim"
#define ROUTER "lab:" LAB "/h1"

/* The control group of one of the routers. */
static bool find_group(char *path, size_t size)
{
	DIR *groups = opendir(GROUPS);
	struct dirent *entry;
	bool found = false;

	while (groups && !found && (entry = readdir(groups)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			snprintf(path, size, GROUPS "/%s", entry->d_name);
			found = true;
		}
	if (groups)
		closedir(groups);
	return found;
}

/* Whether the kernel has attachments of BPF programs, or still has after some time. */
static bool has_links(int seconds)
{
	int tenths;

	for (tenths = 0; tenths <= seconds * 10; tenths++) {
		union bpf_attr attributes = { .start_id = 0 };

		if (syscall(SYS_bpf, BPF_LINK_GET_NEXT_ID, &attributes, sizeof(attributes)) && errno == ENOENT)
			return false;
		usleep(100000);
	}
	return true;
}

static void fetch_page(void)
{
	pid_t server = begin(NULL, "slimctl", "lab", "exec", "--name", LAB, "h2c1", "--", "nginx", "-c", "/nginx.conf",
			     NULL);

	EXPECT(perform("/tmp/page", "slimctl", "lab", "exec", "--name", LAB, "h1c1", "--", "curl", "-sS", "--retry", "30",
		       "--retry-connrefused", "--retry-delay", "1", "-w", " %{local_ip} %{remote_ip}",
		       "http://10.32.2.2:8080/page", NULL) == 0);
	EXPECT(contains("/tmp/page", "a page of h2c1 10.32.1.2 10.32.2.2", true));
	kill(server, SIGTERM);
	finish(server);
}

static void use_guard(void)
{
	char group[512];

	EXPECT(perform("/tmp/status", "slimctl", "secure", "status", "--router", ROUTER, NULL) == 0);
	EXPECT(contains("/tmp/status", "refused by BPF LSM", true));
	EXPECT(!contains("/tmp/status", "seccomp", false));
	fetch_page();
	EXPECT(find_group(group, sizeof(group)));
	EXPECT(attack_suite_on_bpf(group));
	/* Loaded once more, the programs take the place of those that run. */
	EXPECT(perform(NULL, "slimctl", "secure", "enable", "--guard", "bpf", "--router", ROUTER, NULL) == 0);
	EXPECT(perform("/tmp/status", "slimctl", "secure", "status", "--router", ROUTER, NULL) == 0);
	EXPECT(contains("/tmp/status", "refused by BPF LSM", true));
	EXPECT(has_links(0));
}

/* Run by init in a process of its own, where the programs are there. */
void bpf_system(void)
{
	prepare_programs();
	EXPECT(mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0);
	EXPECT(perform(NULL, "slimctl", "lab", "up", "--name", LAB, "--hosts", "2", "--containers", "1", "--secure",
		       NULL) == 0);
	if (!failures)
		use_guard();
	EXPECT(perform(NULL, "slimctl", "lab", "down", "--name", LAB, NULL) == 0);
	EXPECT(!has_links(30));
	printf("%s bpf_system\n", failures ? "not ok" : "ok");
}
