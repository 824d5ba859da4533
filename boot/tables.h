/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where firmware keeps the ACPI tables; acpi.h reads them.
 */
#ifndef BOOT_TABLES_H
#define BOOT_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* Physical address of the RSDP, 0: firmware has no ACPI tables. */
uint64_t tables_rsdp(void);

/*
 * acpi_map_fn: firmware maps memory one to one; NULL where it does not, so a table that points
 * elsewhere is not followed.
 */
const uint8_t *tables_map(void *context, uint64_t address, uint64_t length);

/* acpi_write_fn: false where firmware does not let it be written. */
bool tables_write(void *context, uint64_t address, uint8_t value);

#endif
