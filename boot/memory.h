/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's memory: what of it is usable, and reserving parts of it for the monitor.
 */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "boot/efi.h"
#include "boot/ranges.h"

/*
 * Adds what firmware's map has as RAM that the operating system may use, now or after it has read
 * what lies there: conventional, loader and boot services memory, runtime services, ACPI tables and
 * ACPI NVS. EFI_OUT_OF_RESOURCES: more ranges than the list holds.
 */
EFI_STATUS memory_usable(struct ranges *ranges);

/*
 * Reserves `pages` pages: below 4 GiB if they are to be had there, at a multiple of 2 MiB if one
 * is. The operating system sees them as reserved. Freed with memory_release().
 */
EFI_STATUS memory_reserve(UINT64 pages, UINT64 *base);

/* The same wherever firmware has room, so that small blocks lie together. */
EFI_STATUS memory_reserve_small(UINT64 pages, UINT64 *base);

/* Reserves one page at an address. */
EFI_STATUS memory_reserve_at(UINT64 address);

void memory_release(UINT64 base, UINT64 pages);

/*
 * Lets instructions be fetched from pages, and writes to them be refused, by the memory attribute
 * protocol where firmware has it. FALSE: it refused, or they are not executable afterwards. What
 * held of all of them goes to `before`, for memory_put_back(); 0 where firmware does not tell.
 */
BOOLEAN memory_make_executable(UINT64 base, UINT64 pages, UINT64 *before);

/* Undoes the above, before such pages are released. FALSE: firmware refused. */
BOOLEAN memory_put_back(UINT64 base, UINT64 pages, UINT64 before);

#endif
