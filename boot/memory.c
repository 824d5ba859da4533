/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's memory.
 */
#include "boot/memory.h"

#include "boot/x86.h"

#define PAGE	    4096ull
#define LARGE_PAGES 512ull /* 4 KiB pages in 2 MiB */
#define BELOW_4G    0xffffffffull

static BOOLEAN is_usable(UINT32 type)
{
	switch (type) {
	case EfiLoaderCode:
	case EfiLoaderData:
	case EfiBootServicesCode:
	case EfiBootServicesData:
	case EfiRuntimeServicesCode:
	case EfiRuntimeServicesData:
	case EfiConventionalMemory:
	case EfiACPIReclaimMemory:
	case EfiACPIMemoryNVS:
		return TRUE;
	default:
		return FALSE;
	}
}

#define MAP_GUESS 16384u /* bytes, grown until the map fits */

struct map {
	UINT8 *first;
	UINTN size;
	UINTN step;
};

/* Firmware's map in pool memory that the caller frees. */
static EFI_STATUS read_map(struct map *map)
{
	EFI_STATUS status;
	UINT32 version;
	UINTN key;

	for (map->size = MAP_GUESS;; map->size += 4 * map->step) {
		status = BS->AllocatePool(EfiLoaderData, map->size, (void **)&map->first);
		if (EFI_ERROR(status))
			return status;
		status = BS->GetMemoryMap(&map->size, (EFI_MEMORY_DESCRIPTOR *)map->first, &key,
		    &map->step, &version);
		if (!EFI_ERROR(status) && map->step >= sizeof(EFI_MEMORY_DESCRIPTOR))
			return EFI_SUCCESS;
		BS->FreePool(map->first);
		if (status != EFI_BUFFER_TOO_SMALL)
			return EFI_ERROR(status) ? status : EFI_UNSUPPORTED;
	}
}

EFI_STATUS memory_usable(struct ranges *ranges)
{
	struct map map;
	EFI_STATUS status = read_map(&map);

	if (EFI_ERROR(status))
		return status;
	for (UINTN at = 0; at + map.step <= map.size && !EFI_ERROR(status); at += map.step) {
		const EFI_MEMORY_DESCRIPTOR *d = (const EFI_MEMORY_DESCRIPTOR *)(map.first + at);

		if (d->NumberOfPages && is_usable(d->Type) &&
		    !ranges_add(ranges, d->PhysicalStart, d->NumberOfPages))
			status = EFI_OUT_OF_RESOURCES;
	}
	BS->FreePool(map.first);
	return status;
}

void memory_release(UINT64 base, UINT64 pages)
{
	BS->FreePages(base, pages);
}

/* Reserves more than is wanted, and gives back what stands before and behind the aligned part. */
static EFI_STATUS reserve_aligned(EFI_ALLOCATE_TYPE type, UINT64 pages, UINT64 *base)
{
	EFI_PHYSICAL_ADDRESS all = BELOW_4G;
	UINT64 head;
	EFI_STATUS status = BS->AllocatePages(type, EfiReservedMemoryType, pages + LARGE_PAGES - 1,
	    &all);

	if (EFI_ERROR(status))
		return status;
	head = (LARGE_PAGES - all / PAGE % LARGE_PAGES) % LARGE_PAGES;
	if (head)
		memory_release(all, head);
	if (head < LARGE_PAGES - 1)
		memory_release(all + (head + pages) * PAGE, LARGE_PAGES - 1 - head);
	*base = all + head * PAGE;
	return EFI_SUCCESS;
}

EFI_STATUS memory_reserve(UINT64 pages, UINT64 *base)
{
	EFI_STATUS status = reserve_aligned(AllocateMaxAddress, pages, base);

	if (EFI_ERROR(status))
		status = reserve_aligned(AllocateAnyPages, pages, base);
	if (EFI_ERROR(status))
		status = BS->AllocatePages(AllocateAnyPages, EfiReservedMemoryType, pages, base);
	return status;
}

EFI_STATUS memory_reserve_small(UINT64 pages, UINT64 *base)
{
	EFI_STATUS status;

	*base = BELOW_4G;
	status = BS->AllocatePages(AllocateMaxAddress, EfiReservedMemoryType, pages, base);
	if (EFI_ERROR(status))
		status = BS->AllocatePages(AllocateAnyPages, EfiReservedMemoryType, pages, base);
	return status;
}

EFI_STATUS memory_reserve_at(UINT64 address)
{
	return BS->AllocatePages(AllocateAddress, EfiReservedMemoryType, 1, &address);
}

/* NULL: firmware has none. */
static memory_attribute_t *attribute_protocol(void)
{
	EFI_GUID guid = MEMORY_ATTRIBUTE_GUID;
	memory_attribute_t *protocol;

	if (EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&protocol)))
		return NULL;
	return protocol;
}

BOOLEAN memory_make_executable(UINT64 base, UINT64 pages, UINT64 *before)
{
	memory_attribute_t *protocol = attribute_protocol();
	UINT64 size = pages * PAGE;

	*before = 0;
	if (protocol) {
		if (EFI_ERROR(protocol->get(protocol, base, size, before)))
			*before = 0;
		if (EFI_ERROR(protocol->set(protocol, base, size, MEMORY_RO)) ||
		    EFI_ERROR(protocol->clear(protocol, base, size, EFI_MEMORY_XP)))
			return FALSE;
	}
	for (UINT64 i = 0; i < pages; i++)
		if (!page_executable(base + i * PAGE))
			return FALSE;
	return TRUE;
}

BOOLEAN memory_put_back(UINT64 base, UINT64 pages, UINT64 before)
{
	memory_attribute_t *protocol = attribute_protocol();
	UINT64 size = pages * PAGE;

	if (!protocol)
		return TRUE;
	if (!(before & MEMORY_RO) && EFI_ERROR(protocol->clear(protocol, base, size, MEMORY_RO)))
		return FALSE;
	return !(before & EFI_MEMORY_XP) ||
	    !EFI_ERROR(protocol->set(protocol, base, size, EFI_MEMORY_XP));
}
