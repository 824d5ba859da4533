/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Starting the next loader.
 */
#include "boot/chainload.h"

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/file.h"
#include "boot/initrd.h"
#include "boot/shim.h"

struct file {
	void *bytes; /* from the pool */
	UINT64 size;
};

static EFI_STATUS read(EFI_HANDLE device, CHAR16 *path, struct file *out)
{
	EFI_FILE_HANDLE file;
	EFI_STATUS status = file_open(device, path, &file, &out->size);

	if (EFI_ERROR(status))
		return status;
	status = BS->AllocatePool(EfiLoaderData, out->size, &out->bytes);
	if (!EFI_ERROR(status)) {
		status = file_read(file, out->bytes, out->size);
		if (EFI_ERROR(status))
			BS->FreePool(out->bytes);
	}
	file->Close(file);
	return status;
}

/*
 * Loads from memory, and so the very bytes that shim has judged. LoadImage() judges them too:
 * firmware does, or shim, which from version 16 on puts its own in its place.
 */
static EFI_STATUS load_judged(EFI_HANDLE self, EFI_DEVICE_PATH *path, const struct file *file,
    EFI_HANDLE *next)
{
	EFI_STATUS status;

	*next = NULL;
	status = BS->LoadImage(FALSE, self, path, file->bytes, file->size, next);
	/* With a security violation firmware may load the image and leave the decision to us. */
	if (EFI_ERROR(status) && *next)
		BS->UnloadImage(*next);
	return status;
}

static EFI_STATUS load(EFI_HANDLE self, const EFI_LOADED_IMAGE *image, const char *path,
    EFI_HANDLE *next)
{
	CHAR16 wide[CONFIG_PATH_MAX + 1];
	EFI_DEVICE_PATH *device_path;
	EFI_STATUS status;
	struct file file;

	file_widen(wide, path);
	status = read(image->DeviceHandle, wide, &file);
	if (EFI_ERROR(status))
		return status;
	device_path = FileDevicePath(image->DeviceHandle, wide);
	status = device_path ? shim_verify(file.bytes, file.size) : EFI_OUT_OF_RESOURCES;
	if (device_path && EFI_ERROR(status))
		say("shim does not accept %s", path);
	if (!EFI_ERROR(status))
		status = load_judged(self, device_path, &file, next);
	if (device_path)
		BS->FreePool(device_path);
	BS->FreePool(file.bytes);
	return status;
}

static EFI_STATUS start(EFI_HANDLE next, const char *options)
{
	CHAR16 wide[CONFIG_LINE_MAX + 1];
	EFI_LOADED_IMAGE *loaded;
	CHAR16 *exit_data = NULL;
	UINTN exit_size;
	UINT32 size = 0;
	EFI_STATUS status;

	status = BS->HandleProtocol(next, &LoadedImageProtocol, (void **)&loaded);
	if (EFI_ERROR(status))
		return status;
	/* Set where there are none, too: shim would hand on its own. */
	file_widen(wide, options);
	loaded->LoadOptions = *options ? wide : NULL;
	if (*options)
		size = (UINT32)((text_length(options) + 1) * sizeof(CHAR16));
	loaded->LoadOptionsSize = size;
	status = BS->StartImage(next, &exit_size, &exit_data);
	if (exit_data)
		BS->FreePool(exit_data);
	return status;
}

EFI_STATUS chainload(EFI_HANDLE self, const EFI_LOADED_IMAGE *image, const struct config *config)
{
	struct initrd initrd = { 0 };
	EFI_HANDLE next;
	EFI_STATUS status = EFI_SUCCESS;

	if (*config->initrd)
		status = initrd_offer(&initrd, image->DeviceHandle, config->initrd);
	if (EFI_ERROR(status)) {
		say("initrd %s: %s", config->initrd, status_text(status));
		return status;
	}
	status = load(self, image, config->next, &next);
	if (EFI_ERROR(status)) {
		say("next loader %s: %s", config->next, status_text(status));
	} else {
		say("starting %s", config->next);
		status = start(next, config->options);
		say("next loader %s returned: %s", config->next, status_text(status));
	}
	initrd_withdraw(&initrd);
	return status;
}
