/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the loader gives the monitor for the secrets of partitions: random bytes, the root key, and
 * how fast the clock runs.
 */
#ifndef BOOT_SECRETS_H
#define BOOT_SECRETS_H

#include "boot/efi.h"
#include "monitor/abi/bootinfo.h"

/*
 * Fills in entropy, tsc_khz, and the root key with its flag. The key is derived from the 32 bytes
 * of root.key beside the loader, which is written if it is not there; where that fails, random
 * numbers are wanting, or the file has another size, it is said and there is no key: partitions can
 * seal nothing.
 */
void secrets_fill(struct bootinfo *info, const EFI_LOADED_IMAGE *image);

/* Scrubs them. */
void secrets_forget(struct bootinfo *info);

#endif
