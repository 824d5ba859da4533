/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the readers of DMAR and IVRS share. Only iommu.c, dmar.c and ivrs.c include this.
 */
#ifndef BOOT_IOMMU_READ_H
#define BOOT_IOMMU_READ_H

#include "boot/iommu.h"

/* The reading of one table. */
struct iommu_reading {
	const char *name; /* of the table */
	struct acpi_table table;
	struct iommus *found;
	uint32_t at[BOOTINFO_IOMMUS];	 /* offsets of the structures that describe the units */
	uint32_t range_at[IOMMU_RANGES]; /* and of those that have the ranges */
};

/*
 * Sets the status, and the complaint: `what` is wrong at an offset of the table. Returns false.
 * Nothing is read behind a fault.
 */
bool iommu_fail(struct iommu_reading *r, enum iommu_tables status, uint32_t at, const char *what);

/*
 * Whether the structure at an offset within the table has at least `minimum` bytes and ends within
 * the table. Both tables' structures have their length in 16 bits at offset 2.
 */
bool iommu_structure_fits(struct iommu_reading *r, uint32_t at, uint32_t minimum);

/* Adds the unit, or range of `length` bytes, that the structure at an offset describes. */
bool iommu_add_unit(struct iommu_reading *r, uint32_t at, const struct bootinfo_iommu *unit);
bool iommu_add_range(struct iommu_reading *r, uint32_t at, uint64_t base, uint64_t length);

/* Each reads a whole table; false after a fault. */
bool dmar_read(struct iommu_reading *r);
bool ivrs_read(struct iommu_reading *r);

#endif
