/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubt-agent: writes the vTPM's state to the two files beside the loader. */
#include "guest/linux/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char HELP[] =
    "usage: redoubt-agent [--foreground] DIR\n"
    "Writes the TPM's state, encrypted, to DIR/vtpm.0 and DIR/vtpm.1 before the TPM answers.\n"
    "DIR is the loader's folder in the EFI system partition; both files must be there, 262144\n"
    "bytes each. It goes to the background as soon as it is there for the TPM, unless told not\n"
    "to. SIGTERM ends it: what waits is written; commands that change the state then fail.\n"
    "exit status: 0 in the background, or ended; 1 it could not, or what waited at the end is\n"
    "             not written; 2 wrong usage\n";

static int usage(FILE *to, int status)
{
	fputs(HELP, to);
	return status;
}

static bool fail(const char *what, const char *why)
{
	fprintf(stderr, "redoubt-agent: %s: %s\n", what, why);
	return false;
}

static const char *keep_error(int error)
{
	switch (-error) {
	case EBUSY:
		return "another one is there already, or the TPM is busy";
	case ENOENT:
		return "this machine has no TPM of Redoubt's";
	case ENOTTY:
		return "the module is older than this program";
	case EOPNOTSUPP:
		return "Redoubt's TPM on this machine keeps no state";
	default:
		return redoubt_error_text(error);
	}
}

static bool become_keeper(struct agent *agent)
{
	int error;

	agent->device = redoubt_open(true);
	if (agent->device < 0)
		return fail(REDOUBT_DEVICE, redoubt_open_error(agent->device));
	error = redoubt_state_keep(agent->device, true);
	return error ? fail("cannot keep the TPM's state", keep_error(error)) : true;
}

static void handle_signals(void)
{
	/* Without SA_RESTART: waiting ends. */
	struct sigaction stop = { .sa_handler = agent_stop };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

static void open_log(struct agent *agent)
{
	agent->log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (agent->log < 0)
		agent->log = STDERR_FILENO;
}

/* Lets go of whoever started it; standard error stays if it is the log. */
static void detach(const struct agent *agent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") || null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (agent->log != STDERR_FILENO)
		dup2(null, STDERR_FILENO);
}

static int serve(struct agent *agent, char *name)
{
	/* The disk that has its pages may wait for the TPM. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		fail("cannot lock its memory", strerror(errno));
	/* systemd spares such names at switch-root and, until the end, at shutdown. */
	if (name[0])
		name[0] = '@';
	return agent_run(agent) ? 1 : 0;
}

static int start(struct agent *agent, const char *folder, bool foreground, char *name)
{
	pid_t child = 0;

	if (!slots_open(folder, agent->slot) || !become_keeper(agent))
		return 1;
	handle_signals();
	open_log(agent);
	if (!foreground)
		child = fork();
	if (child < 0)
		fail("cannot go to the background", strerror(errno));
	if (child)
		return child < 0;
	if (!foreground)
		detach(agent);
	return serve(agent, name);
}

int main(int argc, char **argv)
{
	static struct agent agent;
	bool foreground = argc > 1 && !strcmp(argv[1], "--foreground");

	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout, 0);
	if (argc != 2 + foreground || argv[argc - 1][0] == '-')
		return usage(stderr, 2);
	return start(&agent, argv[argc - 1], foreground, argv[0]);
}
