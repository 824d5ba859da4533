/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Shim's judgement of the next image, where shim started us: its keys, the owner's (MOK),
 * firmware's, their revocations, and the generation that .sbat names.
 */
#ifndef BOOT_SHIM_H
#define BOOT_SHIM_H

#include "boot/efi.h"

/*
 * Asks shim about an image as it stands in memory. EFI_SUCCESS: shim accepts it, or there is no
 * shim. Anything else: the image must not be started. This can only refuse: whether firmware
 * accepts the image as well is for LoadImage() to say.
 */
EFI_STATUS shim_verify(void *image, UINT64 size);

/*
 * Whether shim, and not firmware, has loaded this image, which has not been started yet. Shim's
 * StartImage() unloads such an image whatever it returns; the handle must not be used after it.
 */
BOOLEAN shim_loaded(EFI_HANDLE image);

#endif
