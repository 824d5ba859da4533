/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the loader gives the monitor for the secrets of partitions: random bytes, the root key, and
 * how fast the clock runs.
 */
#ifndef BOOT_SECRETS_H
#define BOOT_SECRETS_H

#include "boot/efi.h"
#include "monitor/abi/bootinfo.h"

/* Fills in entropy, tsc_khz, and the root key with its flags (root.h). */
void secrets_fill(struct bootinfo *info, const EFI_LOADED_IMAGE *image);

/* Scrubs them. */
void secrets_forget(struct bootinfo *info);

#endif
