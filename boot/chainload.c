/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Starting the next loader.
 */
#include "boot/chainload.h"

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/file.h"
#include "boot/initrd.h"
#include "boot/measure.h"
#include "boot/shim.h"

struct file {
	void *bytes; /* from the pool */
	UINT64 size;
};

/*
 * Loads from memory, and so the very bytes that shim has judged. LoadImage() judges them too:
 * firmware does, or shim, which from version 16 on puts its own in its place.
 */
static EFI_STATUS load_judged(EFI_HANDLE self, EFI_DEVICE_PATH *path, const struct file *file,
    EFI_HANDLE *next)
{
	UINT64 measured = measure_images();
	EFI_STATUS status;

	*next = NULL;
	status = BS->LoadImage(FALSE, self, path, file->bytes, file->size, next);
	/* Firmware that knows TCG2 has measured it; what is refused is not started. */
	if (!EFI_ERROR(status) && measured == measure_images())
		measure_image((struct blob){ file->bytes, file->size }, path);
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
	status = file_whole(image->DeviceHandle, wide, &file.bytes, &file.size);
	if (EFI_ERROR(status))
		return status;
	device_path = FileDevicePath(image->DeviceHandle, wide);
	status = device_path ? shim_verify(file.bytes, file.size) : EFI_OUT_OF_RESOURCES;
	if (device_path && EFI_ERROR(status))
		say("shim does not accept %s", path);
	if (!EFI_ERROR(status))
		status = load_judged(self, device_path, &file, next);
	if (device_path && !EFI_ERROR(status))
		measure_disk(image->DeviceHandle);
	if (device_path)
		BS->FreePool(device_path);
	BS->FreePool(file.bytes);
	return status;
}

/*
 * The options as images take them; NULL for none. From the pool, since an image that stays (a
 * driver) may look at them when the loader has ended.
 */
static EFI_STATUS widen_options(const char *options, CHAR16 **wide)
{
	EFI_STATUS status;

	*wide = NULL;
	if (!*options)
		return EFI_SUCCESS;
	status = BS->AllocatePool(EfiLoaderData, (text_length(options) + 1) * sizeof(CHAR16),
	    (void **)wide);
	if (!EFI_ERROR(status))
		file_widen(*wide, options);
	return status;
}

static BOOLEAN is_loaded(EFI_HANDLE next, const EFI_LOADED_IMAGE *as)
{
	EFI_LOADED_IMAGE *loaded;

	return !EFI_ERROR(BS->HandleProtocol(next, &LoadedImageProtocol, (void **)&loaded)) &&
	    loaded == as;
}

/*
 * Starts a loaded image and returns what it, or StartImage(), has returned. `*there`: it is still
 * loaded. With an error that is one that was refused, since firmware unloads what has failed. An
 * image of shim's is gone in any case, and its handle may by then lead to memory that is free.
 */
static EFI_STATUS start(EFI_HANDLE next, EFI_LOADED_IMAGE *loaded, BOOLEAN *there)
{
	BOOLEAN of_shim = shim_loaded(next);
	CHAR16 *exit_data = NULL;
	UINTN exit_size = 0;
	EFI_STATUS status = BS->StartImage(next, &exit_size, &exit_data);

	*there = !of_shim && is_loaded(next, loaded);
	if (exit_data)
		BS->FreePool(exit_data);
	return status;
}

/* Starts a loaded image with `options`, which are gone afterwards unless the image stays. */
static EFI_STATUS start_with(EFI_HANDLE next, CHAR16 *options, const char *path)
{
	EFI_LOADED_IMAGE *loaded;
	BOOLEAN there = TRUE;
	EFI_STATUS status = BS->HandleProtocol(next, &LoadedImageProtocol, (void **)&loaded);

	if (!EFI_ERROR(status)) {
		say("starting %s", path);
		/* Set where there are none, too: shim would hand on its own. */
		loaded->LoadOptions = options;
		loaded->LoadOptionsSize = options ? (UINT32)StrSize(options) : 0;
		status = start(next, loaded, &there);
	}
	if (there && EFI_ERROR(status)) {
		say("next loader %s was not started: %s", path, status_text(status));
		BS->UnloadImage(next);
		there = FALSE;
	} else {
		say("next loader %s returned: %s", path, status_text(status));
	}
	if (!there && options)
		BS->FreePool(options);
	return status;
}

static EFI_STATUS load_and_start(EFI_HANDLE self, const EFI_LOADED_IMAGE *image,
    const struct config *config)
{
	EFI_HANDLE next;
	CHAR16 *options;
	EFI_STATUS status = widen_options(config->options, &options);

	if (!EFI_ERROR(status)) {
		status = load(self, image, config->next, &next);
		if (!EFI_ERROR(status))
			return start_with(next, options, config->next);
		if (options)
			BS->FreePool(options);
	}
	say("next loader %s: %s", config->next, status_text(status));
	return status;
}

EFI_STATUS chainload(EFI_HANDLE self, const EFI_LOADED_IMAGE *image, const struct config *config)
{
	struct initrd initrd = { 0 };
	EFI_STATUS status = EFI_SUCCESS;

	if (*config->initrd)
		status = initrd_offer(&initrd, image->DeviceHandle, config->initrd);
	if (EFI_ERROR(status)) {
		say("initrd %s: %s", config->initrd, status_text(status));
		return status;
	}
	status = load_and_start(self, image, config);
	initrd_withdraw(&initrd);
	return status;
}
