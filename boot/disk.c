/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Disks (disk.h): UEFI 2.10, 10.3.5.1 (what a partition's path says), 13.9 (EFI_BLOCK_IO_PROTOCOL).
 */
#include "boot/disk.h"

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/gpt.h"

/* Nodes of a path: 10.2, 10.3.5.1. */
#define NODE_HEADER	4u
#define PARTITION_BYTES 42u
#define FORMAT_AT	40u
#define FORMAT_GPT	2u

struct disk {
	EFI_BLOCK_IO *io;
	UINT8 *header, *table; /* whole pages, as any disk can be read to */
	UINTN header_pages, table_pages;
};

/* A path without its node of a GUID partition; FALSE: it has none. */
static BOOLEAN cut_partition(EFI_DEVICE_PATH *path)
{
	while (!IsDevicePathEnd(path)) {
		UINTN length = get16(path->Length);

		if (length < NODE_HEADER)
			return FALSE;
		if (DevicePathType(path) == MEDIA_DEVICE_PATH &&
		    DevicePathSubType(path) == MEDIA_HARDDRIVE_DP && length == PARTITION_BYTES &&
		    ((const UINT8 *)path)[FORMAT_AT] == FORMAT_GPT) {
			SetDevicePathEndNode(path);
			return TRUE;
		}
		path = NextDevicePathNode(path);
	}
	return FALSE;
}

/* FALSE: it is none with a GUID partition table. */
static BOOLEAN find(EFI_HANDLE volume, struct disk *disk)
{
	EFI_DEVICE_PATH *own = DevicePathFromHandle(volume), *path, *rest;
	EFI_STATUS status = EFI_NOT_FOUND;
	EFI_HANDLE handle;

	if (!own || !(path = DuplicateDevicePath(own)))
		return FALSE;
	rest = path;
	if (cut_partition(path))
		status = BS->LocateDevicePath(&BlockIoProtocol, &rest, &handle);
	if (!EFI_ERROR(status) && !IsDevicePathEnd(rest))
		status = EFI_NOT_FOUND;
	FreePool(path);
	return !EFI_ERROR(status) &&
	    !EFI_ERROR(BS->HandleProtocol(handle, &BlockIoProtocol, (void **)&disk->io));
}

/* Whole blocks, to pages of their own. */
static EFI_STATUS read(const struct disk *disk, UINT64 block, UINTN bytes, UINT8 **to, UINTN *count)
{
	const EFI_BLOCK_IO_MEDIA *media = disk->io->Media;
	EFI_PHYSICAL_ADDRESS at = 0;
	EFI_STATUS status;

	bytes = (bytes + media->BlockSize - 1) / media->BlockSize * media->BlockSize;
	*count = EFI_SIZE_TO_PAGES(bytes);
	status = BS->AllocatePages(AllocateAnyPages, EfiLoaderData, *count, &at);
	if (EFI_ERROR(status))
		return status;
	*to = (UINT8 *)(UINTN)at;
	return disk->io->ReadBlocks(disk->io, media->MediaId, block, bytes, *to);
}

/* NULL, or what is in the way. */
static const char *read_table(struct disk *disk, struct gpt *gpt)
{
	const EFI_BLOCK_IO_MEDIA *media = disk->io->Media;
	const char *complaint;
	EFI_STATUS status;

	if (media->BlockSize < GPT_BLOCK_MIN || media->BlockSize > GPT_BLOCK_MAX)
		return "the disk has blocks of an unknown size";
	status = read(disk, GPT_BLOCK, media->BlockSize, &disk->header, &disk->header_pages);
	if (EFI_ERROR(status))
		return status_text(status);
	complaint = gpt_read(gpt, (struct blob){ disk->header, media->BlockSize },
	    media->LastBlock);
	if (complaint)
		return complaint;
	status = read(disk, gpt->table_block, gpt_table_bytes(gpt), &disk->table,
	    &disk->table_pages);
	if (EFI_ERROR(status))
		return status_text(status);
	return gpt_table_good(gpt, disk->table) ? NULL : "its entries' CRC is wrong";
}

BOOLEAN disk_table(EFI_HANDLE volume, struct blob *event)
{
	struct disk disk = { 0 };
	const char *complaint;
	UINT8 *bytes = NULL;
	struct gpt gpt;

	if (!find(volume, &disk))
		return FALSE;
	complaint = read_table(&disk, &gpt);
	if (!complaint && !(bytes = AllocatePool(GPT_EVENT_MAX)))
		complaint = status_text(EFI_OUT_OF_RESOURCES);
	if (complaint)
		say("note: the disk's partition table is not measured: %s", complaint);
	else
		*event = (struct blob){ bytes, gpt_event(&gpt, disk.table, bytes) };
	if (disk.header)
		BS->FreePages((UINTN)disk.header, disk.header_pages);
	if (disk.table)
		BS->FreePages((UINTN)disk.table, disk.table_pages);
	return !complaint;
}
