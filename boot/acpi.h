/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the monitor needs of ACPI: the ports of PM1 control and reset, from the FADT, the value that
 * powers off, from the DSDT, and the CPUs of the MADT; and any table for those who read more.
 * Tables are data that anything before us may have written: every length and checksum is tested
 * before use. No call to firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_ACPI_H
#define BOOT_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/abi/bootinfo.h"

/* Gives `length` readable bytes at a physical address, or NULL. */
typedef const uint8_t *(*acpi_map_fn)(void *context, uint64_t address, uint64_t length);

enum acpi_result {
	ACPI_OK,      /* found */
	ACPI_ABSENT,  /* no such table */
	ACPI_DAMAGED, /* a length or checksum is wrong */
};

#define ACPI_HEADER 36u /* bytes, of every table but the RSDP */

/* A table with the header that all share, whole and with a right checksum. */
struct acpi_table {
	const uint8_t *data;
	uint32_t length; /* at least ACPI_HEADER */
};

/*
 * Follows the RSDP at `rsdp` (0: absent) to the first table with a signature of four characters.
 * ABSENT if no entry leads to one; DAMAGED if the one that does is, or if one that might leads to
 * no memory. Others are not judged.
 */
enum acpi_result acpi_find_table(uint64_t rsdp, acpi_map_fn map, void *context,
    const char *signature, struct acpi_table *table);

/* The table at an address. false: no memory, or a length or checksum that is wrong. */
bool acpi_table_at(acpi_map_fn map, void *context, uint64_t address, struct acpi_table *table);

/* Where a FADT has the DSDT; 0: nowhere. */
uint64_t acpi_dsdt(const struct acpi_table *fadt);

/* Told of each table: where it is, and its signature's four characters. */
typedef void (*acpi_table_fn)(void *context, uint64_t address, const uint8_t *signature);

/*
 * Calls `visit` for each entry of the XSDT, then of the RSDT: a table in both is seen twice. Lists
 * that are damaged and entries that lead to no memory are left out. `context` is handed to `map`
 * and to `visit`.
 */
void acpi_tables(uint64_t rsdp, acpi_map_fn map, acpi_table_fn visit, void *context);

/*
 * Follows the RSDP to the FADT and the DSDT. Unless ACPI_OK is returned,
 * `power` says that nothing is known. ACPI 6.5: 5.2.5.3 RSDP, 5.2.6 headers, 5.2.7 and 5.2.8 RSDT
 * and XSDT, 5.2.9 FADT, 7.4.2 \_S5, 20.2 AML.
 */
enum acpi_result acpi_find_power(uint64_t rsdp, acpi_map_fn map, void *context,
    struct bootinfo_power *power);

/* A CPU as the MADT lists it. */
struct acpi_cpu {
	uint32_t apic_id;
	uint32_t flags; /* ACPI_CPU_ */
};

#define ACPI_CPU_ENABLED	(1u << 0)
#define ACPI_CPU_ONLINE_CAPABLE (1u << 1) /* the operating system may switch it on */

typedef void (*acpi_cpu_fn)(void *context, const struct acpi_cpu *cpu);

/*
 * Calls `visit` for each CPU of the MADT, in its order. DAMAGED may come after some were visited.
 * `context` is handed to `map` and to `visit`. ACPI 6.5: 5.2.12 MADT.
 */
enum acpi_result acpi_cpus(uint64_t rsdp, acpi_map_fn map, acpi_cpu_fn visit, void *context);

#endif
