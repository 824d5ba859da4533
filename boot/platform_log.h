/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's log of what the platform's TPM holds, for the vTPM to begin with (measure.h).
 */
#ifndef BOOT_PLATFORM_LOG_H
#define BOOT_PLATFORM_LOG_H

#include "boot/efi.h"
#include "boot/image.h"

/*
 * Copies the log, once nothing is measured there any more. Says what is wrong with it: then there
 * is none, which includes that it does not replay to what the TPM's registers are.
 */
void platform_log_take(void);

/* The copy: well formed; size 0: there is none. */
struct blob platform_log(void);

void platform_log_drop(void);

#endif
