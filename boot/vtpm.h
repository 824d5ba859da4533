/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM as the operating system finds it: ACPI's table TPM2 and a device MSFT0101 (TCG ACPI
 * Specification 1.4, 8). Behind the launch.
 */
#ifndef BOOT_VTPM_H
#define BOOT_VTPM_H

#include "boot/efi.h"
#include "boot/partition.h"

/* Whether one of these is the vTPM. */
BOOLEAN vtpm_among(const struct partitions *partitions);

/* Installs both tables. Says what is in the way: then no operating system finds the TPM. */
void vtpm_tell(void);

#endif
