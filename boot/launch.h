/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Putting every CPU under the monitor.
 */
#ifndef BOOT_LAUNCH_H
#define BOOT_LAUNCH_H

#include "boot/cpus.h"
#include "boot/handover.h"

enum launch_outcome {
	LAUNCH_DONE,	/* every CPU is covered, as CPUID on each of them shows */
	LAUNCH_REFUSED, /* a CPU cannot be covered; the machine is as before */
	/* refused too, but a CPU may still run the check: its memory stays reserved */
	LAUNCH_ABANDONED,
	LAUNCH_BROKEN, /* some CPUs are covered and some are not: the machine must not go on */
};

/*
 * Asks the monitor on every CPU whether it can be covered, starts it, and launches every CPU, the
 * own one last. Says why where the outcome is not LAUNCH_DONE.
 */
enum launch_outcome launch(struct cpus *cpus, const struct handover *handover);

#endif
