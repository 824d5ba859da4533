/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The configuration as it stands on the volume.
 */
#ifndef BOOT_SETTINGS_H
#define BOOT_SETTINGS_H

#include "boot/config.h"
#include "boot/efi.h"

#define SETTINGS_FILE "redoubt.conf"

/*
 * Reads redoubt.conf beside the loader; without it the defaults hold, which is said. Also turns on
 * the console that they name. FALSE, after saying why: it cannot be read, or it has errors (each of
 * the first ten is named).
 */
BOOLEAN settings_read(const EFI_LOADED_IMAGE *image, struct config *config);

#endif
