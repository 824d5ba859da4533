/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Starting what comes next: any EFI program of the loader's own volume.
 */
#ifndef BOOT_CHAINLOAD_H
#define BOOT_CHAINLOAD_H

#include "boot/config.h"
#include "boot/efi.h"

/*
 * Loads and starts the configured next loader with its options, and offers the configured initrd to
 * it. Comes back when it could not be started or has returned, after saying so, with its status.
 */
EFI_STATUS chainload(EFI_HANDLE self, const EFI_LOADED_IMAGE *image, const struct config *config);

#endif
