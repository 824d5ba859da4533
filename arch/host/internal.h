/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the parts of the fake machine share.
 */
#pragma once

#include "arch/host/host.h"

const struct host_machine *host_machine(void);

/* Takes new CPUs, with nothing cached, all covered. */
void host_reset_cpus(unsigned count);

/* Takes new consoles. */
void host_reset_devices(void);

/*
 * Ends the test program: the fake machine was used against its contract, or a test has no way on.
 */
_Noreturn void host_fail(const char *why);
