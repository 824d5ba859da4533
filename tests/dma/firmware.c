/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What firmware may have done before the loader runs (tests/acpi starts it): switched an IOMMU on,
 * with a table of its own that leads every device to what it had before. The load options are what:
 *
 *   vtd     VT-d translates, its queue has been used
 *   remap   VT-d remaps interrupts, and lets those pass that are not in its format
 *   amdvi   AMD-Vi is on, its queue has been used
 *
 * The units are where QEMU has them. Returns when the unit is on; its tables stay.
 */
#include <efi.h>

#include "tests/acpi/debugcon.h"

#define VTD   0xfed90000ull
#define AMDVI 0xfed80000ull

#define PAGE	 4096u
#define GIB	 4u /* that devices reach */
#define TIMEOUT	 1000000u
#define VTD_GCMD 0x18u
#define VTD_GSTS 0x1cu
#define VTD_ROOT 0x20u
#define VTD_TAIL 0x88u
#define VTD_IQA	 0x90u
#define VTD_IRTA 0xb8u

#define TRANSLATE (1u << 31)
#define SET_ROOT  (1u << 30)
#define QUEUE	  (1u << 26)
#define REMAP	  (1u << 25)
#define SET_REMAP (1u << 24)
#define ONE_SHOT  (SET_ROOT | SET_REMAP)

#define AMDVI_TABLE    0x0000u
#define AMDVI_COMMANDS 0x0008u
#define AMDVI_EVENTS   0x0010u
#define AMDVI_CONTROL  0x0018u
#define AMDVI_TAIL     0x2008u
/* On, events, coherent, commands. */
#define AMDVI_ON 0x1405u

#define DEVICES	   256u /* those of the first bus */
#define IO_RW	   (3ull << 61)
#define LENGTH_256 (8ull << 56)

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system);

static volatile UINT32 *vtd32(UINT32 at)
{
	return (volatile UINT32 *)(VTD + at);
}

static volatile UINT64 *vtd64(UINT32 at)
{
	return (volatile UINT64 *)(VTD + at);
}

static volatile UINT64 *amdvi64(UINT32 at)
{
	return (volatile UINT64 *)(AMDVI + at);
}

/* Zeroed pages that stay; NULL: there are none. */
static UINT64 *pages(EFI_BOOT_SERVICES *bs, UINTN count)
{
	EFI_PHYSICAL_ADDRESS at = 0xffffffff;

	if (bs->AllocatePages(AllocateMaxAddress, EfiReservedMemoryType, count, &at))
		return NULL;
	bs->SetMem((void *)at, count * PAGE, 0);
	return (UINT64 *)at;
}

/* Three levels that lead everything to itself; `leaf` and `table` are the bits of entries. */
static UINT64 *identity(EFI_BOOT_SERVICES *bs, UINT64 leaf, UINT64 table)
{
	UINT64 *top = pages(bs, 1 + GIB);

	for (UINT64 i = 0; top && i < GIB; i++) {
		UINT64 *large = top + (1 + i) * PAGE / 8;

		top[i] = (UINT64)large | table;
		for (UINT64 k = 0; k < PAGE / 8; k++)
			large[k] = i << 30 | k << 21 | leaf;
	}
	return top;
}

static BOOLEAN wait(volatile UINT64 *done)
{
	for (UINT32 i = 0; i < TIMEOUT; i++)
		if (*done)
			return TRUE;
	return FALSE;
}

static BOOLEAN command(UINT32 bit)
{
	*vtd32(VTD_GCMD) = (*vtd32(VTD_GSTS) & ~ONE_SHOT) | bit;
	for (UINT32 i = 0; i < TIMEOUT; i++)
		if (*vtd32(VTD_GSTS) & bit)
			return TRUE;
	return FALSE;
}

static BOOLEAN vtd_on(EFI_BOOT_SERVICES *bs)
{
	UINT64 *root = pages(bs, 1), *contexts = pages(bs, 1), *queue = pages(bs, 1);
	UINT64 *table = identity(bs, 0x83, 3);

	if (!root || !contexts || !queue || !table)
		return FALSE;
	for (UINTN i = 0; i < PAGE / 8; i += 2) {
		root[i] = (UINT64)contexts | 1;
		contexts[i] = (UINT64)table | 1;
		contexts[i + 1] = 5 << 8 | 1;
	}
	*vtd64(VTD_ROOT) = (UINT64)root;
	*vtd64(VTD_IQA) = (UINT64)queue;
	if (!command(SET_ROOT) || !command(QUEUE))
		return FALSE;
	/* That it is done, at the queue's end. */
	queue[0] = 5 | 1 << 5 | 1ull << 32;
	queue[1] = (UINT64)(queue + PAGE / 8 - 1);
	*vtd64(VTD_TAIL) = 16;
	return wait(queue + PAGE / 8 - 1) && command(TRANSLATE);
}

static BOOLEAN remap_on(EFI_BOOT_SERVICES *bs)
{
	UINT64 *table = pages(bs, 1);

	if (!table)
		return FALSE;
	*vtd64(VTD_IRTA) = (UINT64)table | 7; /* 256 entries, none of them present */
	return command(SET_REMAP) && command(REMAP);
}

static BOOLEAN amdvi_on(EFI_BOOT_SERVICES *bs)
{
	UINT64 *devices = pages(bs, DEVICES * 32 / PAGE), *queue = pages(bs, 1),
	       *events = pages(bs, 1);
	UINT64 *table = identity(bs, 1 | IO_RW, 1 | 2 << 9 | IO_RW);

	if (!devices || !queue || !events || !table)
		return FALSE;
	for (UINTN i = 0; i < DEVICES; i++) {
		devices[4 * i] = (UINT64)table | 3 | 3 << 9 | IO_RW;
		devices[4 * i + 1] = 5;
	}
	*amdvi64(AMDVI_TABLE) = (UINT64)devices | (DEVICES * 32 / PAGE - 1);
	*amdvi64(AMDVI_COMMANDS) = (UINT64)queue | LENGTH_256;
	*amdvi64(AMDVI_EVENTS) = (UINT64)events | LENGTH_256;
	*amdvi64(AMDVI_CONTROL) = AMDVI_ON;
	queue[0] = 1ull << 60 | (UINT64)(queue + PAGE / 8 - 1) | 1;
	queue[1] = 1;
	*amdvi64(AMDVI_TAIL) = 16;
	return wait(queue + PAGE / 8 - 1);
}

static const struct {
	CHAR16 first; /* letter of the name */
	BOOLEAN (*on)(EFI_BOOT_SERVICES *bs);
} kinds[] = { { 'v', vtd_on }, { 'r', remap_on }, { 'a', amdvi_on } };

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;
	BOOLEAN on = FALSE;

	status = system->BootServices->HandleProtocol(self, &guid, (void **)&image);
	if (status || image->LoadOptionsSize < sizeof(CHAR16))
		return EFI_INVALID_PARAMETER;
	for (UINTN i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (*(const CHAR16 *)image->LoadOptions == kinds[i].first)
			on = kinds[i].on(system->BootServices);
	debug_text(on ? "firmware: the unit is on\n" : "firmware: the unit is not on\n");
	return on ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}
