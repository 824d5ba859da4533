/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The agent's parts. What returns an int returns 0 or a negative errno. */
#ifndef REDOUBT_GUEST_LINUX_AGENT_AGENT_H
#define REDOUBT_GUEST_LINUX_AGENT_AGENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "guest/linux/libredoubt/libredoubt.h"

struct agent {
	int device;
	int log;		       /* /dev/kmsg, or standard error */
	int slot[REDOUBT_STATE_SLOTS]; /* the files */
	bool trouble;		       /* something failed, was said, and is tried again */
	struct redoubt_state state;
};

/*
 * Opens DIR/vtpm.0 and DIR/vtpm.1, and sees to it that what is in them is on the disk; false, said
 * why, if it cannot be, or they are not what slots are.
 */
bool slots_open(const char *folder, int slot[REDOUBT_STATE_SLOTS]);

/* To the start of the file, and to the disk. */
int slot_write(int fd, const void *bytes, size_t size);

/*
 * Keeps what comes until agent_stop(), then what waits, and gives the keeping up. An error is that
 * of what waits then: it is not on the disk.
 */
int agent_run(struct agent *agent);

/* A handler: ends agent_run(), by this variable. */
extern volatile sig_atomic_t agent_stopping;
void agent_stop(int signal);

#endif
