/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Starting the next loader.
 */
#include "boot/chainload.h"

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/file.h"
#include "boot/initrd.h"

static EFI_STATUS load(EFI_HANDLE self, const EFI_LOADED_IMAGE *image, const char *path,
    EFI_HANDLE *next)
{
	CHAR16 wide[CONFIG_PATH_MAX + 1];
	EFI_DEVICE_PATH *device_path;
	EFI_STATUS status;

	file_widen(wide, path);
	device_path = FileDevicePath(image->DeviceHandle, wide);
	if (!device_path)
		return EFI_OUT_OF_RESOURCES;
	*next = NULL;
	status = BS->LoadImage(FALSE, self, device_path, NULL, 0, next);
	/* With a security violation firmware may load the image and leave the decision to us. */
	if (EFI_ERROR(status) && *next)
		BS->UnloadImage(*next);
	BS->FreePool(device_path);
	return status;
}

static EFI_STATUS start(EFI_HANDLE next, const char *options)
{
	CHAR16 wide[CONFIG_LINE_MAX + 1];
	EFI_LOADED_IMAGE *loaded;
	CHAR16 *exit_data = NULL;
	UINTN exit_size;
	EFI_STATUS status;

	status = BS->HandleProtocol(next, &LoadedImageProtocol, (void **)&loaded);
	if (EFI_ERROR(status))
		return status;
	file_widen(wide, options);
	if (*options) {
		loaded->LoadOptions = wide;
		loaded->LoadOptionsSize = (UINT32)((text_length(options) + 1) * sizeof(CHAR16));
	}
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
