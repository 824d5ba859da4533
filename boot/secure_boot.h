/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What firmware says about Secure Boot. It is told, and nothing else hangs on it: what comes next
 * is judged in the same way whatever the state.
 */
#ifndef BOOT_SECURE_BOOT_H
#define BOOT_SECURE_BOOT_H

#include "boot/secure_boot_state.h"

/* Asks firmware. */
enum secure_boot secure_boot_read(void);

#endif
