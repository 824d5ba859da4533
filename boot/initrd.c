/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The initrd's LoadFile2 protocol.
 */
#include "boot/initrd.h"

#include "boot/config.h"
#include "boot/file.h"

/* Vendor media node with Linux' GUID, then the end node. */
static const struct {
	VENDOR_DEVICE_PATH vendor;
	EFI_DEVICE_PATH end;
} __attribute__((packed)) initrd_path = {
	{ { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { sizeof(VENDOR_DEVICE_PATH), 0 } },
	    LINUX_INITRD_GUID },
	{ END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
};

static EFI_STATUS EFIAPI load(load_file2_t *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy,
    UINTN *size, void *buffer)
{
	struct initrd *initrd = (struct initrd *)self;

	if (boot_policy)
		return EFI_UNSUPPORTED;
	if (!path || !size)
		return EFI_INVALID_PARAMETER;
	if (!buffer || *size < initrd->size) {
		*size = initrd->size;
		return EFI_BUFFER_TOO_SMALL;
	}
	*size = initrd->size;
	return file_read(initrd->file, buffer, initrd->size);
}

/* The path as the protocol functions want it, which never write to it. */
static void *path_interface(void)
{
	return (void *)(UINTN)&initrd_path;
}

EFI_STATUS initrd_offer(struct initrd *initrd, EFI_HANDLE device, const char *path)
{
	EFI_GUID load_file2 = LOAD_FILE2_GUID;
	CHAR16 wide[CONFIG_PATH_MAX + 1];
	EFI_STATUS status;

	file_widen(wide, path);
	status = file_open(device, wide, &initrd->file, &initrd->size);
	if (EFI_ERROR(status))
		return status;
	initrd->protocol.load = load;
	initrd->handle = NULL;
	status = BS->InstallMultipleProtocolInterfaces(&initrd->handle, &DevicePathProtocol,
	    path_interface(), &load_file2, &initrd->protocol, NULL);
	if (EFI_ERROR(status)) {
		initrd->file->Close(initrd->file);
		initrd->handle = NULL;
	}
	return status;
}

void initrd_withdraw(struct initrd *initrd)
{
	EFI_GUID load_file2 = LOAD_FILE2_GUID;

	if (!initrd->handle)
		return;
	BS->UninstallMultipleProtocolInterfaces(initrd->handle, &DevicePathProtocol,
	    path_interface(), &load_file2, &initrd->protocol, NULL);
	initrd->file->Close(initrd->file);
	initrd->handle = NULL;
}
