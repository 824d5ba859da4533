/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI tables for the machine that Bochs emulates. The firmware used with Bochs installs none, for
 * want of QEMU's configuration device, and without a MADT an operating system sees one CPU.
 */
#ifndef REDOUBT_TESTS_ACPI_TABLES_H
#define REDOUBT_TESTS_ACPI_TABLES_H

#include <efi.h>

/*
 * Builds FADT, FACS, DSDT and a MADT with every CPU that the MP services list, switches the power
 * management registers from SMI to SCI, and has firmware install the tables. Boot services must be
 * there. With `missing` the MADT lists one more CPU, APIC id 0x7e, that is not there, with these
 * flags. Returns the status of the first step that failed.
 */
EFI_STATUS install_acpi_tables(EFI_SYSTEM_TABLE *system, UINT32 missing);

#endif
