/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What firmware's ACPI tables tell of and the operating system is not to find. No call to firmware:
 * tested and fuzzed on the host.
 */
#ifndef BOOT_HIDE_H
#define BOOT_HIDE_H

#include <stdbool.h>

#include "boot/acpi.h"

/* Writes the byte at a physical address; false: it cannot be written. */
typedef bool (*acpi_write_fn)(void *context, uint64_t address, uint8_t value);

/* How memory is reached; `context` is handed to both. */
struct acpi_memory {
	acpi_map_fn map;
	acpi_write_fn write;
	void *context;
};

/*
 * Makes all tables with this signature of four characters unfindable: its first letter becomes an
 * X, and their checksum fits as well as before. false: one cannot be changed, and is as before.
 */
bool hide_tables(uint64_t rsdp, const struct acpi_memory *memory, const char *signature);

/*
 * Makes devices unfindable that DSDT or SSDTs name by a string of eight characters (_HID, _CID:
 * ACPI 6.5, 6.1.5): its first letter becomes an X, wherever it stands as a whole string of AML's.
 * The device stays, with a name that no driver knows. false: a table cannot be changed.
 */
bool hide_device(uint64_t rsdp, const struct acpi_memory *memory, const char *name);

#endif
