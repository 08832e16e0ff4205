// SPDX-License-Identifier: GPL-2.0
/* The attack suite of Tests/Attacks, which both guards face: here with the module, and without. */
#include <sys/wait.h>
#include "test.h"

#define SUITE "/attacks"
/* So many attempts at the least have an outcome that tells something. */
#define ENOUGH 200

/* Its outcomes are lines of name, family, state of the socket, verdict and error, between tabs; they are passed on. */
static bool run_suite(char *guard, char *more)
{
	char *arguments[] = { SUITE, "--guard", guard, more, NULL }, line[512];
	bool is_guarded = strcmp(guard, "none") != 0, well;
	int succeeded = 0, refused = 0, status, ends[2];
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
		printf("attack %s%s\t%s", guard, more ? more : "", line);
		succeeded += strstr(line, "\tsucceeded\t") != NULL;
		refused += strstr(line, "\trefused\t") != NULL;
	}
	fclose(outcomes);
	waitpid(child, &status, 0);
	well = !status && (is_guarded ? !succeeded && refused >= ENOUGH : succeeded >= ENOUGH);
	printf("%s attacks, %s%s: %d refused, %d succeeded\n", well ? "ok" : "not ok", guard, more ? more : "", refused,
	       succeeded);
	return well;
}

/* Where the suite is there. The module is loaded, and guards nothing that is not tagged. */
bool attack_suite(bool is_thorough)
{
	if (access(SUITE, X_OK))
		return true;
	if (!is_thorough)
		return run_suite("module", NULL);
	return run_suite("none", NULL) & run_suite("module", NULL) & run_suite("module", "--user-namespace");
}
