/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the parts of the monitor share beside the upcalls: the boot information, and secrets to
 * scrub.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <stddef.h>

#include "monitor/abi/bootinfo.h"

/* The checked block, from monitor_init() on; written by it alone. */
extern const struct bootinfo *monitor_boot;

#define LEAVE_SECRETS 16u

/*
 * Registers memory of the monitor's own that holds a secret: scrubbed before the machine resets or
 * powers off. Only during MONITOR_INIT; at most LEAVE_SECRETS times.
 */
void leave_scrubs(void *secret, size_t bytes);

#endif
