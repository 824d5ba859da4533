/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI tables: finding them in memory, and reading the few that the doctor needs. Anything before
 * us may have written them: every length and checksum is tested before use. No call to firmware.
 */
#ifndef TOOLS_DOCTOR_ACPI_H
#define TOOLS_DOCTOR_ACPI_H

#include "tools/doctor/facts.h"

#define ACPI_HEADER    36u	  /* bytes that every table but the RSDP begins with */
#define ACPI_TABLE_MAX (4u << 20) /* bytes; real tables are far below */

/* Gives `length` readable bytes at a physical address, or NULL. */
typedef const uint8_t *(*acpi_map_fn)(void *context, uint64_t address, uint64_t length);

/*
 * Follows the RSDP at `rsdp` (0: absent) to the first table with a signature. ACPI 6.5: 5.2.5.3,
 * 5.2.6, 5.2.7, 5.2.8.
 */
enum fact acpi_find(uint64_t rsdp, acpi_map_fn map, void *context, const char *signature,
    struct bytes *table);

/* Whether a table has the signature, a length of its own that fits, and a right checksum. */
bool acpi_whole(struct bytes table, const char *signature);

/* The readers below expect a whole table of their kind. FACT_DAMAGED: an entry does not fit. */

/* CPUs that the MADT lists (ACPI 6.5, 5.2.12.2 and 5.2.12.12). */
struct acpi_cpus {
	unsigned enabled;
	unsigned addable;  /* disabled now, may be enabled while the system runs */
	unsigned disabled; /* disabled for good: entries that firmware did not fill */
};
enum fact acpi_read_cpus(struct bytes madt, struct acpi_cpus *cpus);

/* VT-d (Intel's specification 8.1 and 8.3) and AMD-Vi (AMD's 5.2). */
struct acpi_iommu {
	unsigned units;
	bool remapping;	     /* of interrupts */
	uint64_t first_unit; /* address of its registers */
};
enum fact acpi_read_dmar(struct bytes dmar, struct acpi_iommu *iommu);
enum fact acpi_read_ivrs(struct bytes ivrs, struct acpi_iommu *iommu);

/* How the TPM 2.0 is reached (TCG ACPI specification 1.3, 7.3): the table's start method. */
enum fact acpi_read_tpm2(struct bytes tpm2, uint32_t *start_method);

/* PM1a control as an I/O port; 0: there is none that can be watched (5.2.9). */
enum fact acpi_read_sleep(struct bytes fadt, uint16_t *pm1a_control);

#endif
