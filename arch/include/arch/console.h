/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor's consoles. Bytes go where the boot information block said; writing never blocks for
 * more than a bounded number of polls.
 */
#ifndef ARCH_CONSOLE_H
#define ARCH_CONSOLE_H

#include <stddef.h>

#include "monitor/abi/bootinfo.h"

/* Chooses the consoles. Called once, before any CPU is launched. */
void console_init(const struct bootinfo *info);

/* Writes bytes to every console in use; '\n' becomes "\r\n" on the serial port. */
void console_write(const char *text, size_t bytes);

/* The firmware phase is over: the serial port goes to the guest unless it was kept. */
void console_release(void);

#endif
