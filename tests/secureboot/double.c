/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Stands in for a shim older than version 16: it offers SHIM_LOCK and leaves LoadImage() to
 * firmware. It refuses every image that contains the text "refuse-me", which firmware would start;
 * so only who asks and obeys gets it right. An image that contains "delete-me" it accepts, and
 * deletes \delete.efi from the volume: so only who starts the bytes that were judged gets it right.
 *
 * It stands in for firmware, too, whose policy lets an image be loaded and not started: one that
 * contains "start-me-not". What is unloaded is told.
 *
 * It starts \inner.efi with the load options that it was given.
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

static EFI_HANDLE volume;
static EFI_IMAGE_START start_image;
static EFI_IMAGE_UNLOAD unload_image;

static BOOLEAN contains(const char *bytes, UINT64 size, const char *mark)
{
	const UINT64 length = strlena((const CHAR8 *)mark);

	for (UINT64 i = 0; size >= length && i <= size - length; i++)
		if (CompareMem(bytes + i, mark, length) == 0)
			return TRUE;
	return FALSE;
}

static void delete_file(void)
{
	static CHAR16 name[] = L"\\delete.efi";
	EFI_FILE_HANDLE root = LibOpenRoot(volume), file;
	EFI_STATUS status = EFI_NOT_FOUND;

	if (root) {
		status = root->Open(root, &file, name, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
		root->Close(root);
	}
	if (!EFI_ERROR(status))
		status = file->Delete(file);
	debug_text("double: deleted -> ");
	debug_hex(status);
	debug_text("\n");
}

/* Not EFIAPI, as in shim. */
static EFI_STATUS verify(void *image, UINT32 size)
{
	if (contains(image, size, "refuse-me")) {
		debug_text("double: refused\n");
		return EFI_SECURITY_VIOLATION;
	}
	if (contains(image, size, "delete-me"))
		delete_file();
	debug_text("double: accepted\n");
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI start(EFI_HANDLE image, UINTN *exit_size, CHAR16 **exit_data)
{
	EFI_LOADED_IMAGE *loaded;

	if (!EFI_ERROR(BS->HandleProtocol(image, &LoadedImageProtocol, (void **)&loaded)) &&
	    contains(loaded->ImageBase, loaded->ImageSize, "start-me-not")) {
		debug_text("double: not started\n");
		return EFI_SECURITY_VIOLATION;
	}
	return start_image(image, exit_size, exit_data);
}

static EFI_STATUS EFIAPI unload(EFI_HANDLE image)
{
	EFI_STATUS status = unload_image(image);

	debug_text("double: unloaded -> ");
	debug_hex(status);
	debug_text("\n");
	return status;
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
	volume = self->DeviceHandle;
	path = FileDevicePath(volume, name);
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
	start_image = BS->StartImage;
	unload_image = BS->UnloadImage;
	BS->StartImage = start;
	BS->UnloadImage = unload;
	status = start_inner(image);
	BS->StartImage = start_image;
	BS->UnloadImage = unload_image;
	BS->UninstallMultipleProtocolInterfaces(handle, &guid, &shim_lock, NULL);
	return status;
}
