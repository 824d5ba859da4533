/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the parts of the monitor share beside the upcalls: the boot information.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "monitor/abi/bootinfo.h"

/* The checked block, from monitor_init() on; written by it alone. */
extern const struct bootinfo *monitor_boot;

#endif
