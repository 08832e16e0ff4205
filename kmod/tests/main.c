// SPDX-License-Identifier: GPL-2.0
/*
 * Init of the machine: loads the module, runs every test, looks at what the kernel has to say, and
 * turns the machine off.
 */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <sys/wait.h>
#include "test.h"

/* QEMU's isa-debug-exit: its exit status is twice this plus one. */
#define DEBUG_EXIT_PORT 0xf4
#define SUCCEEDED 0x10
#define FAILED 0x11

/* An out-of-tree module, and one without a signature: nothing else may have happened. */
#define EXPECTED_TAINT ((1 << 12) | (1 << 13))

static const struct {
	const char *name;
	void (*function)(int family);
} tests[] = {
#define TEST_ENTRY(name) { #name, name },
	TESTS(TEST_ENTRY)
};

/* A test that hangs for this long has failed; the machine may be an emulated one on a busy host. */
#define LIMIT_SECONDS 120

static bool run_test(unsigned int index, int family)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		alarm(LIMIT_SECONDS);
		tests[index].function(family);
		fflush(stdout);
		_exit(failures ? 1 : 0);
	}
	waitpid(child, &status, 0);
	/* Orphans of the test are not to disturb the next one. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	printf("%s %s, %s", status ? "not ok" : "ok", tests[index].name, family == AF_INET ? "IPv4" : "IPv6");
	printf(WIFSIGNALED(status) ? " (signal %d)\n" : "\n", WTERMSIG(status));
	fflush(stdout);
	return !status;
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("%s: %s\n", path, strerror(errno));
	close(fd);
}

/* What the tests need of the kernel beside the module: each is there or not. */
static void load_others(void)
{
	static const char *const names[] = {
		"/inet_diag.ko", "/tcp_diag.ko", "/tls.ko", "/ib_core.ko", "/smc.ko",
	};
	unsigned int index;

	for (index = 0; index < sizeof(names) / sizeof(*names); index++) {
		int file = open(names[index], O_RDONLY | O_CLOEXEC);

		if (file >= 0 && syscall(SYS_finit_module, file, "", 0))
			printf("%s: %s\n", names[index], strerror(errno));
		close(file);
	}
}

/* Asked for on the kernel's command line. */
static bool is_asked_for(const char *option)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t length = read(fd, line, sizeof(line) - 1);

	close(fd);
	return length > 0 && strstr(line, option);
}

/* Whether the kernel has found anything wrong with itself. */
static bool kernel_is_well(void)
{
	static const char *const bad[] = {
		"BUG:", "WARNING:", "Oops", "general protection", "refcount_t", "list_add corruption",
		"list_del corruption", "Poison overwritten", "Redzone", "Object already free", "soft lockup",
		"rcu_sched self-detected", "rcu_preempt self-detected", "use-after-free", "memory leak", "Call Trace",
	};
	static char log[1 << 20];
	long taint = -1;
	bool well;
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");
	int length = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);
	unsigned int index;

	if (!file || fscanf(file, "%ld", &taint) != 1 || length < 0)
		return false;
	fclose(file);
	printf("tainted: %ld\n", taint);
	well = (taint & ~EXPECTED_TAINT) == 0;
	for (index = 0; index < sizeof(bad) / sizeof(*bad); index++) {
		char *found = strstr(log, bad[index]);

		if (!found)
			continue;
		well = false;
		printf("kernel log: %.2000s\n", found);
	}
	return well;
}

static void power_off(bool succeeded)
{
	fflush(stdout);
	sync();
	tcdrain(1);
	if (ioperm(DEBUG_EXIT_PORT, 1, 1) == 0)
		outb(succeeded ? SUCCEEDED : FAILED, DEBUG_EXIT_PORT);
	reboot(RB_POWER_OFF);
}

static void finish_tests(bool succeeded)
{
	int tenths;

	/* Processes that are ending may still hold it; it may never have been loaded. */
	for (tenths = 0; tenths < 100 && unload() && errno != ENOENT; tenths++)
		usleep(100000);
	if (tenths == 100) {
		printf("cannot unload: %s\n", strerror(errno));
		succeeded = false;
	}
	/* What is freed a grace period later is checked as well. */
	sleep(1);
	if (!kernel_is_well())
		succeeded = false;
	printf(succeeded ? "slim tests passed\n" : "slim tests failed\n");
	power_off(succeeded);
}

int main(int count, char **arguments)
{
	struct utsname name;
	bool succeeded = true;
	unsigned int index;

	if (count == 4 && !strcmp(arguments[1], "attack")) {
		attack(atoi(arguments[2]), atoi(arguments[3]));
		fflush(stdout);
		return failures ? 1 : 0;
	}
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	for (index = 0; index < 3; index++)
		dup2(open("/dev/console", O_RDWR), index);
	setvbuf(stdout, NULL, _IOLBF, 0);
	uname(&name);
	printf("\nslim tests on Linux %s\n", name.release);
	raise_loopback();
	write_file("/proc/sys/net/ipv4/tcp_fastopen", "1543");
	/* An image with the programs has the module where it would be installed: the router loads it. */
	if (access("/usr/bin/slimrouter", X_OK) == 0) {
		int status;
		pid_t child = fork();

		if (!child) {
			if (is_asked_for("slim.lsm"))
				bpf_system();
			else
				whole_system();
			fflush(stdout);
			_exit(failures ? 1 : 0);
		}
		waitpid(child, &status, 0);
		finish_tests(status == 0);
	}
	load_others();
	if (load()) {
		printf("cannot load /slim.ko: %s\n", strerror(errno));
		power_off(false);
	}
	for (index = 0; index < sizeof(tests) / sizeof(*tests); index++) {
		succeeded &= run_test(index, AF_INET);
		succeeded &= run_test(index, AF_INET6);
	}
	succeeded &= attack_suite(is_asked_for("slim.thorough"));
	finish_tests(succeeded);
	return 1;
}
