/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM as the operating system finds it: ACPI's table TPM2 and a device MSFT0101 (TCG ACPI
 * Specification 1.4, 8). Behind the launch.
 */
#ifndef BOOT_VTPM_H
#define BOOT_VTPM_H

#include "boot/efi.h"
#include "boot/partition.h"

/*
 * Leaves the vTPM out of them where the machine has a TPM of its own: it has its place at the same
 * address, and firmware measures into it. TRUE: it is left in.
 */
BOOLEAN vtpm_settle(struct partitions *partitions);

/*
 * Installs both tables; `log`: where events are logged, all the room there is, or none. Says what
 * is in the way: then no operating system finds the TPM.
 */
void vtpm_tell(struct blob log);

#endif
