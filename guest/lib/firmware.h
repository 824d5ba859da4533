/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a guest takes from UEFI before it takes the machine.
 */
#ifndef GUEST_LIB_FIRMWARE_H
#define GUEST_LIB_FIRMWARE_H

#include <efi.h>

#include <stdint.h>

#define FIRMWARE_MAX_RANGES 256u
#define FIRMWARE_MAX_CPUS   64u

struct firmware {
	void *pool; /* zeroed pages below 4 GiB */
	uint64_t pool_pages;
	uint64_t low; /* the low area */
	unsigned cpus;
	uint32_t apic_ids[FIRMWARE_MAX_CPUS]; /* the running CPU's first */
	unsigned ranges;
};

/* Reads the options (options.h). */
void firmware_options(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* Allocates the memory and lists the CPUs. Ends the run where it cannot. */
void firmware_collect(EFI_SYSTEM_TABLE *system, struct firmware *firmware);

/* Leaves boot services; memory_map() is set from then on. */
void firmware_exit(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

#endif
