/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Stands in for a shim older than version 16: it offers SHIM_LOCK and leaves LoadImage() to
 * firmware. It refuses every image that contains the text "refuse-me", which firmware would start;
 * so only who asks and obeys gets it right. It starts \inner.efi with the load options that it was
 * given.
 */
#include <efi.h>
#include <efilib.h>

#include "tests/acpi/debugcon.h"

#define SHIM_LOCK_GUID                                                                             \
	{                                                                                          \
		0x605dab50, 0xe046, 0x4300,                                                        \
		{                                                                                  \
			0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23                             \
		}                                                                                  \
	}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* Not EFIAPI, as in shim. */
static EFI_STATUS verify(void *image, UINT32 size)
{
	static const char mark[] = "refuse-me";
	const UINT32 length = sizeof(mark) - 1;
	const char *bytes = image;

	for (UINT32 i = 0; size >= length && i <= size - length; i++) {
		UINT32 same = 0;

		while (same < length && bytes[i + same] == mark[same])
			same++;
		if (same == length) {
			debug_text("double: refused\n");
			return EFI_SECURITY_VIOLATION;
		}
	}
	debug_text("double: accepted\n");
	return EFI_SUCCESS;
}

static struct {
	EFI_STATUS (*verify)(void *image, UINT32 size);
	void *unused[2];
} shim_lock = { .verify = verify };

static EFI_STATUS start_inner(EFI_HANDLE image)
{
	static CHAR16 name[] = L"\\inner.efi";
	EFI_LOADED_IMAGE *self, *inner;
	EFI_DEVICE_PATH *path;
	EFI_HANDLE handle;
	EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (void **)&self);

	if (EFI_ERROR(status))
		return status;
	path = FileDevicePath(self->DeviceHandle, name);
	status = BS->LoadImage(FALSE, image, path, NULL, 0, &handle);
	if (!EFI_ERROR(status))
		status = BS->HandleProtocol(handle, &LoadedImageProtocol, (void **)&inner);
	if (EFI_ERROR(status))
		return status;
	inner->LoadOptions = self->LoadOptions;
	inner->LoadOptionsSize = self->LoadOptionsSize;
	return BS->StartImage(handle, NULL, NULL);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = SHIM_LOCK_GUID;
	EFI_HANDLE handle = NULL;
	EFI_STATUS status;

	InitializeLib(image, system);
	status = BS->InstallMultipleProtocolInterfaces(&handle, &guid, &shim_lock, NULL);
	if (EFI_ERROR(status))
		return status;
	status = start_inner(image);
	BS->UninstallMultipleProtocolInterfaces(handle, &guid, &shim_lock, NULL);
	return status;
}
