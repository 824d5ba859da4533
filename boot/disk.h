/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The disk that a volume is a partition of.
 */
#ifndef BOOT_DISK_H
#define BOOT_DISK_H

#include "boot/efi.h"
#include "boot/image.h"

/*
 * What is measured of the GUID partition table (gpt.h) by which firmware has found `volume`. FALSE:
 * there is none, since the disk is partitioned otherwise or not at all; or it cannot be read, which
 * is said. To be freed.
 */
BOOLEAN disk_table(EFI_HANDLE volume, struct blob *event);

#endif
