// SPDX-License-Identifier: GPL-2.0
/* The attack suite of Tests/Attacks, which both guards face, and without one. */
#include <sys/wait.h>
#include "test.h"

#define SUITE "/attacks"
/* So many attempts at the least have an outcome that tells something. */
#define ENOUGH 200

/*
 * Its outcomes are lines of name, family, state of the socket, verdict and error, between tabs; they are passed on after a
 * word that says which run it was.
 */
static bool run_suite(const char *run, char *const arguments[], bool is_guarded)
{
	int succeeded = 0, refused = 0, status, ends[2];
	char line[512];
	bool well;
	pid_t child;
	FILE *outcomes;

	if (pipe(ends))
		return false;
	fflush(stdout);
	child = fork();
	if (!child) {
		dup2(ends[1], 1);
		close(ends[0]);
		execv(SUITE, arguments);
		_exit(127);
	}
	close(ends[1]);
	outcomes = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), outcomes)) {
		printf("attack %s\t%s", run, line);
		succeeded += strstr(line, "\tsucceeded\t") != NULL;
		refused += strstr(line, "\trefused\t") != NULL;
	}
	fclose(outcomes);
	waitpid(child, &status, 0);
	well = !status && (is_guarded ? !succeeded && refused >= ENOUGH : succeeded >= ENOUGH);
	printf("%s attacks, %s: %d refused, %d succeeded\n", well ? "ok" : "not ok", run, refused, succeeded);
	return well;
}

/* Where the suite is there. The module is loaded, and guards nothing that is not tagged. */
bool attack_suite(bool is_thorough)
{
	char *none[] = { SUITE, "--guard", "none", NULL };
	char *module[] = { SUITE, "--guard", "module", NULL };
	char *within[] = { SUITE, "--guard", "module", "--user-namespace", NULL };

	if (access(SUITE, X_OK))
		return true;
	if (!is_thorough)
		return run_suite("module", module, true);
	return run_suite("none", none, false) & run_suite("module", module, true) &
	       run_suite("module within a user namespace", within, true);
}

/* On a BPF guard that a router has loaded, whose control group this is. */
bool attack_suite_on_bpf(char *group)
{
	char *arguments[] = { SUITE, "--guard", "bpf", "--cgroup", group, NULL };

	return run_suite("lsm", arguments, true);
}
