/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Waits for the operating system: when it ends boot services, the counter of starts is set to zero
 * and the monitor is told. What does this outlives the loader, whose memory firmware takes back
 * when the next loader has failed: a page of code and a page of data of their own.
 */
#ifndef BOOT_WATCH_H
#define BOOT_WATCH_H

#include "boot/efi.h"

/*
 * Installs the watch. `vendor`: which call instruction tells the monitor (REDOUBT_VENDOR_), 0 where
 * none runs. Called at most once. Any EFI status but success: there is no watch.
 */
EFI_STATUS watch_install(UINT32 vendor);

#endif
