/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where firmware keeps the ACPI tables.
 */
#include "boot/tables.h"

#include <stddef.h>

#include "boot/efi.h"
#include "boot/x86.h"

#define PAGE ((UINT64)4096)
/* Addresses below are the lower half with tables of four levels, where firmware maps memory. */
#define LOW_HALF (1ull << 47)

uint64_t tables_rsdp(void)
{
	EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
	void *rsdp;

	if (EFI_ERROR(LibGetSystemConfigurationTable(&acpi2, &rsdp)) &&
	    EFI_ERROR(LibGetSystemConfigurationTable(&acpi1, &rsdp)))
		return 0;
	return (uint64_t)rsdp;
}

const uint8_t *tables_map(void *context, uint64_t address, uint64_t length)
{
	if (address + length > LOW_HALF)
		return NULL;
	for (uint64_t page = address & ~(PAGE - 1); page < address + length; page += PAGE)
		if (!page_mapped(page))
			return NULL;
	return (const uint8_t *)address;
}

bool tables_write(void *context, uint64_t address, uint8_t value)
{
	if (address >= LOW_HALF || !page_writable(address))
		return false;
	*(volatile uint8_t *)address = value;
	return true;
}
