// SPDX-License-Identifier: GPL-2.0
/* Runs the project's programs, and those that use them, on a machine that has nothing else. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "programs.h"
#include "test.h"

#define ARGUMENTS 32

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
pid_t begin(const char *output, ...)
{
	va_list rest;
	pid_t child;

	va_start(rest, output);
	child = start(output, &rest);
	va_end(rest);
	return child;
}

/* Its exit status, or -1 when it has not ended in time. */
int finish(pid_t child)
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

int perform(const char *output, ...)
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

bool contains(const char *path, const char *text, bool tells)
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

void prepare_programs(void)
{
	setenv("PATH", "/usr/bin:/usr/sbin:/bin:/sbin", 1);
	mkdir("/run", 0755);
	write_text("/nginx.conf",
		   "user root; daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr; events {}\n"
		   "http { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f;\n"
		   "uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s; server { listen 8080; root /tmp/www; } }\n");
	mkdir("/tmp/www", 0755);
	write_text("/tmp/www/page", "a page of h2c1");
}
