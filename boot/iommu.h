/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What firmware's tables tell of IOMMUs: DMAR for VT-d (VT-d specification, chapter 8), IVRS for
 * AMD-Vi (AMD I/O Virtualization Technology specification, 48882, chapter 5). Tables are data that
 * anything before us may have written: nothing of them is taken that does not fit the rest. No call
 * to firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_IOMMU_H
#define BOOT_IOMMU_H

#include "boot/acpi.h"
#include "boot/hide.h"
#include "boot/ranges.h"

#define IOMMU_RANGES	64u
#define IOMMU_COMPLAINT 128u /* bytes, the NUL included */

struct iommus {
	uint32_t status;			     /* enum iommu_tables */
	uint32_t count;				     /* 0 unless status is OK */
	struct bootinfo_iommu unit[BOOTINFO_IOMMUS]; /* as the boot information wants them */
	/*
	 * Memory that devices must reach whatever the operating system does (RMRR, IVMD), in no
	 * order; where status is not OK, what was read before the fault.
	 */
	uint32_t range_count;
	struct bootinfo_range range[IOMMU_RANGES];
	uint32_t address_bits; /* of the machine's addresses; 0: the table does not say */
	uint32_t skipped;      /* structures and entries of types that are not known */
	/* what is wrong and where, of a status that is neither NONE nor OK */
	char complaint[IOMMU_COMPLAINT];
};

/*
 * Reads the tables below the RSDP at `rsdp` (0: there are none). `usable` is memory, which
 * registers cannot lie in.
 */
void iommus_find(uint64_t rsdp, acpi_map_fn map, void *context, const struct ranges *usable,
    struct iommus *found);

/* Makes all tables DMAR and IVRS unfindable (hide.h). */
bool iommus_hide(uint64_t rsdp, acpi_map_fn map, acpi_write_fn write, void *context);

#endif
