/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor's consoles. Bytes go where the boot information block says; writing never blocks for
 * more than a bounded number of polls.
 */
#pragma once

#include <stddef.h>

/* Writes bytes to every console in use; '\n' becomes "\r\n" on the serial port. */
void console_write(const char *text, size_t bytes);

/* The firmware phase is over: the serial port goes to the guest unless it was kept. */
void console_release(void);
