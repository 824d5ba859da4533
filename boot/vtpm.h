/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM as the operating system finds it: ACPI's table TPM2 and a device MSFT0101 (TCG ACPI
 * Specification 1.4, 8). Behind the launch.
 */
#ifndef BOOT_VTPM_H
#define BOOT_VTPM_H

#include "boot/efi.h"
#include "boot/partition.h"

enum vtpm_place {
	VTPM_NONE,
	VTPM_ALONE, /* the machine has no TPM of its own */
	VTPM_BOUND, /* it has one, which is to be the vTPM's */
};

/*
 * Leaves the vTPM out of them where the machine has a TPM of its own that is not at the usual
 * address: then its registers could not be kept from the operating system.
 */
enum vtpm_place vtpm_settle(struct partitions *partitions);

/*
 * Behind the launch, with VTPM_BOUND: firmware's ACPI table and device of the platform's TPM are
 * not found any more. Says what is in the way.
 */
void vtpm_hide_platform(void);

/*
 * Installs both tables; `log`: where events are logged, all the room there is, or none. Says what
 * is in the way: then no operating system finds the TPM.
 */
void vtpm_tell(struct blob log);

#endif
