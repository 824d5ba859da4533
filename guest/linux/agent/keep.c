/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Keeping: a state that waits goes to its slot, to the disk, and only then is acknowledged. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest/linux/agent/agent.h"

#define WAIT_MS 1000u /* of one wait, and so for a signal that comes just before it */

volatile sig_atomic_t agent_stopping;

void agent_stop(int signal)
{
	agent_stopping = 1;
}

/* A line; the kernel's log has the level from its start. */
static void say(const struct agent *agent, int level, const char *text, const char *more)
{
	char line[256];
	int prefix = snprintf(line, sizeof(line), "<%d>", level);
	int length = snprintf(line + prefix, sizeof(line) - (size_t)prefix, "redoubt-agent: %s%s\n",
	    text, more);
	bool bare = agent->log == STDERR_FILENO;

	/* There is nobody to tell that a line could not be written. */
	if (write(agent->log, bare ? line + prefix : line,
		(size_t)(bare ? length : prefix + length)))
		return;
}

/* Says so the first time; a signal is no trouble. */
static int trouble(struct agent *agent, const char *what, int error)
{
	if (error == -EINTR)
		return error;
	if (!agent->trouble)
		say(agent, 3, what, strerror(-error));
	agent->trouble = true;
	return error;
}

/*
 * One state, if one comes within wait_ms. After an error nothing is taken to be on the disk: what
 * could not be flushed is written once more as a whole, since a second flush alone may succeed
 * without having written anything.
 */
static int keep_next(struct agent *agent, unsigned int wait_ms)
{
	struct redoubt_state *state = &agent->state;
	uint64_t generation;
	int error = redoubt_state_wait(agent->device, wait_ms, &generation);

	if (error)
		return trouble(agent, "cannot look for the TPM's state: ", error);
	if (generation) {
		error = redoubt_state_read(agent->device, state);
		if (error)
			return trouble(agent, "cannot take the TPM's state: ", error);
		error = slot_write(agent->slot[state->slot], state->bytes, state->size);
		if (error)
			return trouble(agent,
			    state->slot ? "the TPM waits, cannot write vtpm.1: "
					: "the TPM waits, cannot write vtpm.0: ",
			    error);
		error = redoubt_state_kept(agent->device, state->generation);
		if (error)
			return trouble(agent, "cannot say that the TPM's state is kept: ", error);
	}
	if (agent->trouble)
		say(agent, 5, "all is well again", "");
	agent->trouble = false;
	return 0;
}

int agent_run(struct agent *agent)
{
	static const struct timespec second = { .tv_sec = 1 };
	int error;

	while (!agent_stopping) {
		error = keep_next(agent, WAIT_MS);
		if (error && error != -EINTR)
			nanosleep(&second, NULL);
	}
	do {
		error = keep_next(agent, 0);
		if (!error && redoubt_state_keep(agent->device, false) == -EAGAIN)
			error = -EAGAIN;
	} while (error == -EINTR || error == -EAGAIN);
	return error;
}
