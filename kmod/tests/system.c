// SPDX-License-Identifier: GPL-2.0
/* The whole system: two hosts with a router and a container each, the module as their guard, real programs. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "test.h"

#define LAB "vm"
#define ARGUMENTS 32
/* Generous: the machine is emulated, its host may be busy. */
#define WAIT_SECONDS 180

static pid_t start(const char *output, va_list *rest)
{
	char *arguments[ARGUMENTS];
	int count = 0;
	pid_t child;

	while (count < ARGUMENTS - 1 && (arguments[count] = va_arg(*rest, char *)))
		count++;
	arguments[count] = NULL;
	child = fork();
	if (!child) {
		dup2(open("/dev/null", O_RDONLY), 0);
		if (output)
			dup2(open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
		execvp(arguments[0], arguments);
		_exit(127);
	}
	return child;
}

/* Starts a program; the arguments end with NULL. */
static pid_t begin(const char *output, ...)
{
	va_list rest;
	pid_t child;

	va_start(rest, output);
	child = start(output, &rest);
	va_end(rest);
	return child;
}

/* Its exit status, or -1 when it has not ended in time. */
static int finish(pid_t child)
{
	int tenths, status;

	for (tenths = 0; tenths < WAIT_SECONDS * 10; tenths++) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		usleep(100000);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return -1;
}

static int perform(const char *output, ...)
{
	va_list rest;
	pid_t child;

	va_start(rest, output);
	child = start(output, &rest);
	va_end(rest);
	return finish(child);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool contains(const char *path, const char *text, bool tells)
{
	static char content[65536];
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, content, sizeof(content) - 1);

	close(fd);
	content[length > 0 ? length : 0] = 0;
	if (strstr(content, text))
		return true;
	if (tells)
		printf("    %s: %s\n", path, content);
	return false;
}

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
	pid_t server = begin("/tmp/server", "slimctl", "lab", "exec", "--name", LAB, "h2c1", "--", "iperf3", "-s",
			     "--one-off", "--forceflush", NULL);
	int tenths;

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

		if (tagged)
			EXPECT(revoke_everything() >= 1); /* what is left may end by itself */
		else
			kill(client, SIGTERM);
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
	setenv("PATH", "/usr/bin:/usr/sbin:/bin:/sbin", 1);
	mkdir("/run", 0755);
	write_text("/nginx.conf",
		   "user root; daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr; events {}\n"
		   "http { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f;\n"
		   "uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s; server { listen 8080; root /tmp/www; } }\n");
	mkdir("/tmp/www", 0755);
	write_text("/tmp/www/page", "a page of h2c1");
	EXPECT(perform(NULL, "slimctl", "lab", "up", "--name", LAB, "--hosts", "2", "--containers", "1", NULL) == 0);
	if (!failures)
		use_system();
	EXPECT(perform(NULL, "slimctl", "lab", "down", "--name", LAB, NULL) == 0);
	EXPECT(wait_for_tags(0, 0, WAIT_SECONDS));
	printf("%s whole_system\n", failures ? "not ok" : "ok");
	fflush(stdout);
	_exit(failures ? 1 : 0);
}
