/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine's CPUs, through firmware's MP services.
 */
#ifndef BOOT_CPUS_H
#define BOOT_CPUS_H

#include "boot/efi.h"
#include "monitor/abi/bootinfo.h"

struct cpu {
	UINTN number; /* firmware's */
	UINT32 apic_id;
};

/* cpu[0] is the one that the loader runs on. */
struct cpus {
	mp_services_t *mp;
	UINT32 count;
	struct cpu cpu[BOOTINFO_MAX_CPUS];
};

/*
 * Lists every CPU that firmware has as enabled and healthy. FALSE, after saying why: firmware does
 * not tell, there are more than the monitor can hold, or the ACPI tables name one that is not among
 * them (I14).
 */
BOOLEAN cpus_find(struct cpus *cpus);

/*
 * Runs `procedure` on a CPU and waits for it, at most five seconds where it is not
 * the own one. It runs
 * with interrupts off. EFI_TIMEOUT: it did not come back; firmware has reset that CPU.
 */
EFI_STATUS cpus_run(struct cpus *cpus, UINT32 index, ap_procedure_t procedure, void *argument);

#endif
